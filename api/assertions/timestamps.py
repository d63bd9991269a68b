"""RFC 3161 timestamp tokens, verified to pinned roots without a network.

A token says that data with a digest existed at `genTime`. Its authority's chain is judged at that
time and not now: a token is kept for years longer than the certificate that signed it is valid.

Source: RFC 3161 §2.3 and §2.4.2, RFC 5816 (ESSCertIDv2), RFC 5652 §5.4 and §11 (CMS).
"""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from asn1crypto import algos, cms, tsp
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from api.assertions import chain
from api.assertions.errors import ChainExpiredError, ChainUnpinnedRootError
from api.errors import ApiError

MAX_TOKEN_BYTES = 64 << 10
"""A token with a chain of three RSA-4096 certificates has about 8 KiB."""
MAX_CERTIFICATES = 16

DIGESTS: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
"""What the authority's signature may use."""


class TimestampMalformedError(ApiError):
    """The bytes are not an RFC 3161 token, or are beyond its bounds."""

    code = "timestamp-malformed"


class TimestampImprintError(ApiError):
    """The token is over other data."""

    code = "timestamp-imprint-mismatch"


class TimestampSignatureError(ApiError):
    """The authority's signature does not verify."""

    code = "timestamp-signature-invalid"


class TimestampCertificateError(ApiError):
    """The signing certificate is missing, is not the one that was signed for, or may not do so."""

    code = "timestamp-certificate-unfit"


class TimestampExpiredError(ApiError):
    """A certificate of the authority was not valid at the token's time."""

    code = "timestamp-chain-expired"


class TimestampUntrustedError(ApiError):
    """The authority's certificates do not lead to a pinned root."""

    code = "timestamp-unpinned-root"


def verify_timestamp(
    token: bytes, data_sha256: bytes, roots: Sequence[bytes | x509.Certificate]
) -> datetime:
    """Verify a timestamp token over a SHA-256 digest and return its time.

    Args:
        token: `TimeStampToken` in DER, at most 64 KiB.
        data_sha256: the digest, 32 bytes, of what was timestamped.
        roots: pinned roots of timestamp authorities, PEM or DER bytes or parsed.

    Returns:
        `genTime`, in UTC.

    Raises:
        RootsUnusableError: no root is given, or one is not a certificate.
        TimestampMalformedError: not a token, or one that two readers could read differently.
        TimestampImprintError: it is over other data, or by another digest than SHA-256.
        TimestampCertificateError: no certificate that may sign timestamps signed it.
        TimestampSignatureError: the signature does not verify.
        TimestampExpiredError: a certificate was not valid at `genTime`.
        TimestampUntrustedError: no path leads to a pinned root.
    """
    pinned = [root for root in roots if isinstance(root, x509.Certificate)]
    encoded = [root for root in roots if isinstance(root, bytes)]
    if encoded or not pinned:
        pinned += chain.load_roots(*encoded)
    content, info, signer, embedded = _parse(token)

    # RFC 3161 §2.4.2: the imprint is what was asked for.
    imprint = info["message_imprint"]
    if imprint["hash_algorithm"]["algorithm"].native != "sha256" or not hmac.compare_digest(
        imprint["hashed_message"].native, data_sha256
    ):
        raise TimestampImprintError("the timestamp is over other data")

    certificate = _signing_certificate(signer, embedded)
    _check_signature(signer, content, certificate)
    generated: datetime = info["gen_time"].native.astimezone(UTC)
    _check_path(certificate, embedded, pinned, generated)
    return generated


def _parse(
    token: bytes,
) -> tuple[bytes, tsp.TSTInfo, cms.SignerInfo, tuple[x509.Certificate, ...]]:
    if len(token) > MAX_TOKEN_BYTES:
        raise TimestampMalformedError(f"a token has at most {MAX_TOKEN_BYTES >> 10} KiB")
    try:
        envelope = cms.ContentInfo.load(token, strict=True)
        # What asn1crypto reads only when asked is read now, so that nothing fails later.
        _ = envelope.native
        signed = envelope["content"]
        if envelope["content_type"].native != "signed_data":
            raise ValueError
        encapsulated = signed["encap_content_info"]
        if encapsulated["content_type"].native != "tst_info":
            raise ValueError
        content = bytes(encapsulated["content"])
        info = tsp.TSTInfo.load(content, strict=True)
        if info.native["version"] != "v1" or info["gen_time"].native.tzinfo is None:
            raise ValueError
        (signer,) = signed["signer_infos"]
        choices = list(signed["certificates"])
        if len(choices) > MAX_CERTIFICATES:
            raise ValueError
        certificates = tuple(
            x509.load_der_x509_certificate(choice.chosen.dump())
            for choice in choices
            if choice.name == "certificate"
        )
    except (*chain.UNREADABLE, KeyError, AttributeError, OverflowError, RecursionError):
        raise TimestampMalformedError("this is not a timestamp token") from None
    return content, info, signer, certificates


def _signing_certificate(
    signer: cms.SignerInfo, embedded: Sequence[x509.Certificate]
) -> x509.Certificate:
    """Find the certificate that the signed attributes name, and check that it may timestamp."""
    # RFC 3161 §2.4.2, RFC 5816 §2.2.1: the certificate's digest is among what is signed, so that
    # no other certificate over the same key can take its place.
    identifiers = _attribute(signer, "signing_certificate_v2")
    if identifiers is not None:
        algorithm = identifiers["certs"][0]["hash_algorithm"]["algorithm"].native
    else:
        identifiers, algorithm = _attribute(signer, "signing_certificate"), "sha1"
    if identifiers is None or algorithm not in (*DIGESTS, "sha1"):
        raise TimestampCertificateError("the token does not say which certificate signed it")
    digest = identifiers["certs"][0]["cert_hash"].native
    for certificate in embedded:
        der = certificate.public_bytes(Encoding.DER)
        if hashlib.new(algorithm, der, usedforsecurity=False).digest() == digest:
            break
    else:
        raise TimestampCertificateError("the certificate that signed the token is not in it")
    try:
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        purposes = None
    # RFC 3161 §2.3: one extended key usage, timeStamping, and critical.
    if (
        purposes is None
        or not purposes.critical
        or list(purposes.value) != [ExtendedKeyUsageOID.TIME_STAMPING]
    ):
        raise TimestampCertificateError("the certificate is not one for timestamps alone")
    return certificate


def _attribute(signer: cms.SignerInfo, name: str) -> Any:
    """Return the only value of a signed attribute, or None."""
    values = [a["values"] for a in signer["signed_attrs"] if a["type"].native == name]
    if not values:
        return None
    if len(values) > 1 or len(values[0]) != 1:
        raise TimestampMalformedError("a signed attribute of the token is there twice")
    return values[0][0]


def _check_signature(signer: cms.SignerInfo, content: bytes, certificate: x509.Certificate) -> None:
    """Check the signed attributes against the content, and the signature over them."""
    content_type = _attribute(signer, "content_type")
    message_digest = _attribute(signer, "message_digest")
    digest = DIGESTS.get(signer["digest_algorithm"]["algorithm"].native)
    if content_type is None or content_type.native != "tst_info" or message_digest is None:
        raise TimestampSignatureError("the token's signature does not cover a timestamp")
    if digest is None or message_digest.native != hashlib.new(digest.name, content).digest():
        raise TimestampSignatureError("the token's signature is over another content")
    # RFC 5652 §5.4: signed is the DER of the attributes as a SET OF, not with their implicit tag.
    signed = signer["signed_attrs"].untag().dump(force=True)
    try:
        _verify(
            certificate.public_key(),
            signer["signature"].native,
            signed,
            signer["signature_algorithm"],
            digest,
        )
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, KeyError, TypeError):
        raise TimestampSignatureError("the token's signature does not verify") from None


def _verify(
    key: Any,
    signature: bytes,
    signed: bytes,
    algorithm: algos.SignedDigestAlgorithm,
    digest: hashes.HashAlgorithm,
) -> None:
    kind = algorithm.signature_algo
    # RFC 5754 §3.2: plain rsaEncryption names no digest and takes that of the signer.
    if algorithm["algorithm"].native not in ("rsaes_pkcs1v15", "rsassa_pkcs1v15"):
        digest = DIGESTS[algorithm.hash_algo]
    if isinstance(key, ec.EllipticCurvePublicKey) and kind == "ecdsa":
        key.verify(signature, signed, ec.ECDSA(digest))
    elif isinstance(key, rsa.RSAPublicKey) and kind == "rsassa_pkcs1v15":
        key.verify(signature, signed, padding.PKCS1v15(), digest)
    elif isinstance(key, rsa.RSAPublicKey) and kind == "rsassa_pss":
        # RFC 4055 §3.1: the mask's hash is a parameter of its own; in practice the same.
        masked = padding.PSS(padding.MGF1(digest), algorithm["parameters"]["salt_length"].native)
        key.verify(signature, signed, masked, digest)
    else:
        raise UnsupportedAlgorithm("signature algorithm")


def _check_path(
    certificate: x509.Certificate,
    embedded: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    at: datetime,
) -> None:
    others = [
        other
        for other in embedded
        if other != certificate and other.not_valid_before_utc <= at <= other.not_valid_after_utc
    ]
    try:
        chain.verify_path([certificate, *others], roots, at)
    except ChainExpiredError:
        raise TimestampExpiredError(
            "a certificate of the timestamp authority was not valid at the timestamp's time"
        ) from None
    except ChainUnpinnedRootError:
        raise TimestampUntrustedError(
            "the timestamp authority's certificates do not lead to a pinned root"
        ) from None
