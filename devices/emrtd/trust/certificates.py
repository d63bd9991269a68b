"""X.509 certificates of document signers and country signing authorities.

Source: ICAO Doc 9303-12, 7.1 (certificate profile); RFC 5280, 4.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache

from asn1crypto import pem
from cryptography.exceptions import InvalidSignature

from devices.emrtd.crypto import der
from devices.emrtd.crypto.asn1 import MAX_ASN1_BYTES, asn1_errors
from devices.emrtd.crypto.public_keys import PublicKey, parse_public_key, verify_signature
from devices.emrtd.crypto.signature_algorithms import SignatureAlgorithm, parse_signature_algorithm
from devices.emrtd.errors import KeyUnsupportedError
from devices.emrtd.trust.certificate_extensions import Extensions, parse_extensions
from devices.emrtd.trust.names import Name

MAX_CERTIFICATE_BYTES = MAX_ASN1_BYTES
# A document signer signs a hundred thousand cards, so its certificate comes again and again.
_REMEMBERED = 1024
_MAX_REMEMBERED_BYTES = 4 << 10


@dataclass(frozen=True)
class Certificate:
    """A certificate's fields as they are in it; being here says nothing about trust."""

    der: bytes = field(repr=False)
    issuer: Name = field(repr=False)
    subject: Name = field(repr=False)
    country: str | None
    """Country of the subject in capitals, or None."""
    serial_number: int
    not_before: datetime
    not_after: datetime
    extensions: Extensions
    key_identifier: bytes
    """The subject key identifier, or SHA-1 of the key where the extension is missing."""
    _spki: bytes = field(repr=False)
    signed: bytes = field(repr=False)
    """What the issuer signed: the TBSCertificate."""
    signature: bytes = field(repr=False)
    _algorithm: bytes = field(repr=False)

    @cached_property
    def sha256(self) -> str:
        """Digest of the DER encoding, hexadecimal."""
        return hashlib.sha256(self.der).hexdigest()

    @cached_property
    def public_key(self) -> PublicKey:
        """The key.

        Raises:
            KeyUnsupportedError: it is malformed or not supported.
        """
        return parse_public_key(self._spki)

    @cached_property
    def signature_algorithm(self) -> SignatureAlgorithm:
        """How the issuer signed.

        Raises:
            KeyUnsupportedError: the algorithm is not supported.
        """
        return parse_signature_algorithm(self._algorithm)

    @property
    def is_self_issued(self) -> bool:
        """Whether issuer and subject have one name; the keys may differ (a link certificate)."""
        return self.issuer == self.subject

    @cached_property
    def is_self_signed(self) -> bool:
        """Whether the certificate's own key signed it, as a root's does; False if that is open."""
        try:
            self.verify_issued_by(self)
        except (InvalidSignature, KeyUnsupportedError):
            return False
        return True

    def is_valid(self, at: datetime) -> bool:
        """Return whether a time lies in the period of validity."""
        return self.not_before <= at <= self.not_after

    def verify_issued_by(self, issuer: "Certificate") -> None:
        """Verify this certificate's signature with the issuer's key.

        Raises:
            InvalidSignature: it is wrong.
            KeyUnsupportedError: the key or algorithm is not supported.
        """
        verify_signature(
            issuer.public_key, self.signature_algorithm, None, self.signature, self.signed
        )


def parse_certificate(data: bytes) -> Certificate:
    """Return the certificate in `data`, DER or PEM.

    Raises:
        KeyUnsupportedError: it is malformed or longer than 64 KiB.
    """
    malformed = KeyUnsupportedError("a certificate is malformed")
    if len(data) > MAX_CERTIFICATE_BYTES:
        raise malformed
    with asn1_errors(malformed):
        if data[:1] != bytes([der.SEQUENCE]) and pem.detect(data):
            kind, _, data = pem.unarmor(data)
            if kind not in ("CERTIFICATE", "X509 CERTIFICATE"):
                raise malformed
        parse = _parse_and_remember if len(data) <= _MAX_REMEMBERED_BYTES else _parse
        return parse(data)


def _parse(data: bytes) -> Certificate:
    """Source: RFC 5280, 4.1."""
    signed, algorithm, signature = der.children(data, der.whole(data, der.SEQUENCE))
    fields = der.children(data, signed, der.SEQUENCE)
    if fields[0][0] == der.CONTEXT:
        del fields[0]
    serial, inner_algorithm, issuer, validity, subject, spki, *optional = fields
    # RFC 5280, 4.1.1.2: both fields must contain the same algorithm identifier.
    identifier = der.encoding(data, algorithm)
    if identifier != der.encoding(data, inner_algorithm):
        raise ValueError("a certificate names two signature algorithms")
    not_before, not_after = der.children(data, validity, der.SEQUENCE)
    subject_name, issuer_name = (Name(der.encoding(data, name)) for name in (subject, issuer))
    extensions = parse_extensions(data, optional)
    _, key = der.children(data, spki, der.SEQUENCE)
    return Certificate(
        der=data,
        issuer=issuer_name,
        subject=subject_name,
        country=subject_name.country,
        serial_number=der.integer(data, serial),
        not_before=der.time(data, not_before),
        not_after=der.time(data, not_after),
        extensions=extensions,
        # RFC 5280, 4.2.1.2, method 1.
        key_identifier=extensions.subject_key_identifier
        or hashlib.sha1(der.bit_string(data, key), usedforsecurity=False).digest(),
        _spki=der.encoding(data, spki),
        signed=der.encoding(data, signed),
        _algorithm=identifier,
        signature=der.bit_string(data, signature),
    )


_parse_and_remember = lru_cache(maxsize=_REMEMBERED)(_parse)


def forget_certificates() -> None:
    """Parse every certificate anew from now on, as a process that has just begun does."""
    _parse_and_remember.cache_clear()
