"""RFC 3161 timestamp tokens, verified to pinned roots without a network.

A token says that data with a digest existed at `genTime`. Its authority's chain is judged at that
time and not now: a token is kept for years longer than the certificate that signed it is valid.

Source: RFC 3161 §2.3 and §2.4.2, RFC 5816 (ESSCertIDv2), RFC 5652 §5.4 and §11 (CMS).
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
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
from api.assertions.errors import (
    ChainExpiredError,
    ChainUnpinnedRootError,
)
from api.assertions.revocation_lookup import RevocationData
from api.assertions.timestamp_errors import (
    TimestampCertificateError,
    TimestampExpiredError,
    TimestampImprintError,
    TimestampMalformedError,
    TimestampSignatureError,
    TimestampUntrustedError,
)
from api.assertions.verifier_inputs import certificates

MAX_TOKEN_BYTES = 64 << 10
"""A token with a chain of three RSA-4096 certificates has about 8 KiB."""
MAX_CERTIFICATES = 16

DIGESTS: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
"""What the authority's signature may use."""

_UNREADABLE = (KeyError, IndexError, AttributeError, OverflowError, RecursionError)
"""What asn1crypto raises, beside errors of value and type, over bytes that it cannot read."""


@dataclass(frozen=True)
class VerifiedTimestamp:
    """A token that `verify_token` has found good, but for revocation."""

    time: datetime
    """`genTime`, in UTC."""
    path: tuple[x509.Certificate, ...]
    """The authority's certificate, the CAs between, the pinned root."""


@dataclass(frozen=True)
class CarriedTimestamp:
    """A token in a document, which can carry what tells of its authority years later."""

    token: bytes = field(repr=False)
    revocation: RevocationData
    covered_at: datetime | None
    """When the token existed, by a later timestamp of another authority that holds."""


def verify_timestamp(
    token: bytes, data_sha256: bytes, roots: Sequence[bytes | x509.Certificate]
) -> datetime:
    """Return the time of a token that `verify_token` verifies (raises what that raises)."""
    return verify_token(token, data_sha256, roots).time


def verify_token(
    token: bytes, data_sha256: bytes, roots: Sequence[bytes | x509.Certificate]
) -> VerifiedTimestamp:
    """Verify a timestamp token over a SHA-256 digest and return it with its path.

    Args:
        token: `TimeStampToken` in DER, at most 64 KiB.
        data_sha256: the digest, 32 bytes, of what was timestamped.
        roots: pinned roots of timestamp authorities, PEM or DER bytes or parsed.

    Raises:
        RootsUnusableError: no root is given, or one is not a certificate.
        TimestampMalformedError: not a token, or one that two readers could read differently.
        TimestampImprintError: it is over other data, or by another digest than SHA-256.
        TimestampCertificateError: no certificate that may sign timestamps signed it.
        TimestampSignatureError: the signature does not verify.
        TimestampExpiredError: a certificate was not valid at `genTime`.
        TimestampUntrustedError: no path leads to a pinned root.
    """
    pinned = certificates(roots)
    content, info, signer, embedded = _parse(token)

    # RFC 3161 §2.4.2: the imprint is what was asked for.
    imprint = info["message_imprint"]
    if imprint["hash_algorithm"]["algorithm"].native != "sha256" or not hmac.compare_digest(
        imprint["hashed_message"].native, data_sha256
    ):
        raise TimestampImprintError("the timestamp is over other data")

    certificate = _signing_certificate(signer, embedded)
    _check_signature(signer, content, certificate)
    generated = _generated(info)
    return VerifiedTimestamp(generated, _path(certificate, embedded, pinned, generated))


def _parse(
    token: bytes,
) -> tuple[bytes, tsp.TSTInfo, cms.SignerInfo, tuple[x509.Certificate, ...]]:
    if not isinstance(token, bytes) or len(token) > MAX_TOKEN_BYTES:
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
        if info.native["version"] != "v1" or _has_critical_extension(info):
            raise ValueError
        _generated(info)
        (signer,) = signed["signer_infos"]
        choices = list(signed["certificates"])
        if len(choices) > MAX_CERTIFICATES:
            raise ValueError
        certificates = tuple(
            chain.parse_certificate(choice.chosen.dump())
            for choice in choices
            if choice.name == "certificate"
        )
    except (*chain.UNREADABLE, *_UNREADABLE):
        raise TimestampMalformedError("this is not a timestamp token") from None
    return content, info, signer, certificates


def _generated(info: tsp.TSTInfo) -> datetime:
    """Return the time that a token states; RFC 3161 §2.4.2: in UTC, which its last letter says."""
    written = bytes(info["gen_time"].contents)
    if not written.endswith(b"Z"):
        raise ValueError("genTime is not in UTC")
    moment: datetime = info["gen_time"].native
    if not isinstance(moment, datetime):  # the year 0 is a type of asn1crypto's own
        raise ValueError("genTime is out of range")
    return moment.astimezone(UTC)


def _has_critical_extension(info: tsp.TSTInfo) -> bool:
    """Whether the token says what must be understood (RFC 5280 §4.2), and here is not."""
    return any(extension["critical"].native for extension in info["extensions"])


def _signing_certificate(
    signer: cms.SignerInfo, embedded: Sequence[x509.Certificate]
) -> x509.Certificate:
    """Find the certificate that the signed attributes name, and check that it may timestamp."""
    # RFC 3161 §2.4.2, RFC 5816 §2.2.1: the certificate's digest is among what is signed, so that
    # no other certificate over the same key can take its place.
    named = [
        (name, attribute["certs"])
        for name in ("signing_certificate_v2", "signing_certificate")
        if (attribute := _attribute(signer, name)) is not None
    ]
    if not named or not all(len(identifiers) for _, identifiers in named):
        raise TimestampCertificateError("the token does not say which certificate signed it")
    # A token may have both attributes: then both must name the one that signed.
    for certificate in embedded:
        if all(_names(name, identifiers[0], certificate) for name, identifiers in named):
            break
    else:
        raise TimestampCertificateError("the certificate that signed the token is not in it")
    if not _may_timestamp(certificate):
        raise TimestampCertificateError("the certificate is not one for timestamps alone")
    return certificate


def _names(attribute: str, identifier: Any, certificate: x509.Certificate) -> bool:
    """Whether an ESSCertID (by SHA-1) or ESSCertIDv2 is that of a certificate."""
    is_v2 = attribute == "signing_certificate_v2"
    algorithm = identifier["hash_algorithm"]["algorithm"].native if is_v2 else "sha1"
    if is_v2 and algorithm not in DIGESTS:
        return False
    der = certificate.public_bytes(Encoding.DER)
    digest = hashlib.new(algorithm, der, usedforsecurity=False).digest()
    return bool(digest == identifier["cert_hash"].native)


def _may_timestamp(certificate: x509.Certificate) -> bool:
    extensions = certificate.extensions
    try:
        purposes = extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return False
    # RFC 3161 §2.3: one extended key usage, timeStamping, and critical.
    if not purposes.critical or list(purposes.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        return False
    try:
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    # RFC 5280 §4.2.1.12: what the two extensions allow must fit together.
    return usage.digital_signature or usage.content_commitment


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
    except (InvalidSignature, *chain.UNREADABLE, *_UNREADABLE):
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


def _path(
    certificate: x509.Certificate,
    embedded: Sequence[x509.Certificate],
    roots: Sequence[x509.Certificate],
    at: datetime,
) -> tuple[x509.Certificate, ...]:
    others = [
        other
        for other in embedded
        if other != certificate and other.not_valid_before_utc <= at <= other.not_valid_after_utc
    ]
    try:
        return chain.verify_path([certificate, *others], roots, at)
    except ChainExpiredError:
        raise TimestampExpiredError(
            "a certificate of the timestamp authority was not valid at the timestamp's time"
        ) from None
    except ChainUnpinnedRootError:
        raise TimestampUntrustedError(
            "the timestamp authority's certificates do not lead to a pinned root"
        ) from None
