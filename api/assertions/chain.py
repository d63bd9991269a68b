"""The certificates under an assertion: what a leaf must be, and the path to a pinned root.

The header's `x5c` carries leaf and issuing CA; the relying party got the root by another way.
The leaf names its issuer in a URI of its subjectAltName, so that no other leaf under the same root
can speak for it, and says by its extended key usage that it signs documents and not web traffic.

Source: RFC 5280 §4.2.1 and §6, RFC 9336 (id-kp-documentSigning).
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import (
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from api.assertions.errors import (
    AssertionMalformedError,
    ChainExpiredError,
    ChainUnpinnedRootError,
    IssuerMismatchError,
    KeyUsageMissingError,
    RootsUnusableError,
)

DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")  # RFC 9336 §3.1
MAX_CERTIFICATES = 4


UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    Warning,
)
"""What `cryptography` raises over a certificate that it cannot read; warnings where they are set
to be errors."""


def load_pem(data: bytes) -> tuple[x509.Certificate, ...]:
    """Read PEM certificates (raises `UNREADABLE`)."""
    return tuple(_understood(c) for c in x509.load_pem_x509_certificates(data))


def load_roots(*pems: bytes) -> tuple[x509.Certificate, ...]:
    """Read pinned root certificates, each PEM (one or several) or DER.

    Raises:
        RootsUnusableError: one of them holds no certificate.
    """
    roots: list[x509.Certificate] = []
    for data in pems:
        try:
            if b"-----BEGIN" in data:
                roots += load_pem(data)
            else:
                roots.append(_understood(x509.load_der_x509_certificate(data)))
        except UNREADABLE:
            raise RootsUnusableError("a pinned root is not a certificate") from None
    if not roots:
        raise RootsUnusableError("no root is pinned")
    return tuple(roots)


def parse_chain(x5c: Sequence[bytes]) -> tuple[x509.Certificate, ...]:
    """Read the certificates of a header, leaf first.

    Raises:
        AssertionMalformedError: none, too many, or not certificates.
    """
    if not 0 < len(x5c) <= MAX_CERTIFICATES:
        raise AssertionMalformedError(f"x5c must hold one to {MAX_CERTIFICATES} certificates")
    leaf, *authorities = x5c
    try:
        return _parse_leaf(leaf), *[parse_certificate(der) for der in authorities]
    except UNREADABLE:
        raise AssertionMalformedError("x5c holds something else than certificates") from None


@lru_cache(maxsize=64)
def parse_certificate(der: bytes) -> x509.Certificate:
    """Read one certificate (raises `UNREADABLE`); a CA's comes with each leaf, and is read once."""
    return _understood(x509.load_der_x509_certificate(der))


def verify_path(
    chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], at: datetime
) -> tuple[x509.Certificate, ...]:
    """Check that a chain, leaf first, ends at a pinned root and was valid at a time.

    Returns:
        The path: the leaf, the CAs between, the pinned root.

    Raises:
        ChainExpiredError: a certificate of the chain, or its root, is not valid at that time.
        ChainUnpinnedRootError: no path leads to a pinned root.
    """
    if any(not _valid(certificate, at) for certificate in chain):
        raise ChainExpiredError("a certificate is not valid at the time of verification")
    builder = (
        PolicyBuilder()
        .store(Store(list(roots)))
        .time(at)
        .max_chain_depth(MAX_CERTIFICATES)
        # The leaf's own extensions are judged by `signing_key_of`.
        .extension_policies(
            ca_policy=ExtensionPolicy.webpki_defaults_ca(), ee_policy=ExtensionPolicy.permit_all()
        )
    )
    try:
        return tuple(builder.build_client_verifier().verify(chain[0], list(chain[1:])).chain)
    # It tells of a certificate by its names, which nothing may have read yet.
    except (VerificationError, *UNREADABLE):
        if any(_names_issuer(root, chain[-1]) and not _valid(root, at) for root in roots):
            raise ChainExpiredError(
                "the pinned root is not valid at the time of verification"
            ) from None
        raise ChainUnpinnedRootError("the certificates do not lead to a pinned root") from None


def signing_key_of(leaf: x509.Certificate) -> ec.EllipticCurvePublicKey:
    """Return the key of a leaf that may sign assertions.

    Raises:
        KeyUsageMissingError: it is a CA, lacks digitalSignature or documentSigning, or its key is
            not on P-256.
    """
    key = leaf.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyUsageMissingError("the leaf's key is not on P-256")
    try:
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
        purposes = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        is_ca = leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        raise KeyUsageMissingError("the leaf does not say what its key may be used for") from None
    if is_ca or not usage.digital_signature or DOCUMENT_SIGNING not in purposes:
        raise KeyUsageMissingError("the leaf is not a certificate for signing assertions")
    return key


def issuers_named_by(leaf: x509.Certificate) -> tuple[str, ...]:
    """Return the issuer identifiers (URIs of the subjectAltName) that a leaf speaks for."""
    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(names.get_values_for_type(x509.UniformResourceIdentifier))


def check_issuer(leaf: x509.Certificate, issuer: Any) -> None:
    """Check that a leaf speaks for the `iss` of an assertion.

    Raises:
        IssuerMismatchError: its subjectAltName does not name that issuer.
    """
    check_named(issuer, issuers_named_by(leaf))


def check_named(issuer: Any, names: Sequence[str]) -> None:
    """Check that an `iss` is among the names of a leaf (raises `IssuerMismatchError`)."""
    if not issuer or issuer not in names:
        raise IssuerMismatchError("the signing certificate does not speak for this issuer")


def _parse_leaf(der: bytes) -> x509.Certificate:
    """Read a leaf but for its names: a path compares them as bytes, and nothing else asks."""
    leaf = x509.load_der_x509_certificate(der)
    _check_signature_octets(leaf)
    # It loads with the year 0 too, which no `datetime` holds.
    _ = leaf.extensions, leaf.not_valid_before_utc, leaf.not_valid_after_utc, leaf.public_key()
    return leaf


def _understood(certificate: x509.Certificate) -> x509.Certificate:
    """Read now what `cryptography` reads only when asked, so that nothing fails to parse later."""
    for part in ("subject", "issuer", "extensions", "not_valid_before_utc", "not_valid_after_utc"):
        getattr(certificate, part)
    certificate.public_key()
    _check_signature_octets(certificate)
    return certificate


def _check_signature_octets(certificate: x509.Certificate) -> None:
    """Let nobody declare a signature's last zero bits unused: two spellings of one certificate."""
    # RFC 5280 §4.1.1.3: a BIT STRING ends the certificate; a signature is whole octets.
    if not certificate.public_bytes(Encoding.DER).endswith(b"\0" + certificate.signature):
        raise ValueError("a signature with unused bits")


def _names_issuer(root: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        return root.subject == certificate.issuer
    except UNREADABLE:
        return False


def _valid(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
