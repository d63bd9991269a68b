"""X.509 certificates of document signers and country signing authorities.

Source: ICAO Doc 9303-12, 7.1 (certificate profile); RFC 5280, 4.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from asn1crypto import pem, x509
from cryptography.exceptions import InvalidSignature

from devices.emrtd.asn1 import MAX_ASN1_BYTES, asn1_errors, load_asn1, parse_time
from devices.emrtd.errors import KeyUnsupportedError
from devices.emrtd.public_keys import PublicKey, parse_public_key, verify_signature

MAX_CERTIFICATE_BYTES = MAX_ASN1_BYTES


@dataclass(frozen=True)
class Certificate:
    """A certificate's fields as they are in it; being here says nothing about trust."""

    der: bytes = field(repr=False)
    issuer: str = field(repr=False)
    """Name of the issuer, prepared for comparison (RFC 5280, 7.1)."""
    subject: str = field(repr=False)
    """Name of the subject, prepared for comparison."""
    country: str | None
    """Country of the subject in capitals, or None."""
    serial_number: int
    not_before: datetime
    not_after: datetime
    subject_key_identifier: bytes | None
    authority_key_identifier: bytes | None
    key_usage: frozenset[str] | None
    """RFC 5280 names (`key_cert_sign`, `digital_signature`), or None without the extension."""
    has_extended_key_usage: bool
    critical_extensions: frozenset[str]
    """asn1crypto's names, or object identifiers of those that it does not know."""
    is_ca: bool
    key_identifier: bytes
    """The subject key identifier, or SHA-1 of the key where the extension is missing."""
    _spki: bytes = field(repr=False)
    _asn1: Any = field(repr=False, compare=False)

    @property
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

    def verify_issued_by(self, issuer: "Certificate") -> None:
        """Verify this certificate's signature with the issuer's key.

        Raises:
            InvalidSignature: it is wrong.
            KeyUnsupportedError: the key or algorithm is not supported.
        """
        with asn1_errors(KeyUnsupportedError("a certificate's signature is malformed")):
            algorithm = self._asn1["signature_algorithm"]
            # RFC 5280, 4.1.1.2: both fields must contain the same algorithm identifier.
            if algorithm.dump() != self._asn1["tbs_certificate"]["signature"].dump():
                raise InvalidSignature
            verify_signature(
                issuer.public_key,
                algorithm,
                None,
                bytes(self._asn1["signature_value"]),
                bytes(self._asn1["tbs_certificate"].dump()),
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
        if pem.detect(data):
            kind, _, data = pem.unarmor(data)
            if kind not in ("CERTIFICATE", "X509 CERTIFICATE"):
                raise malformed
        parsed = load_asn1(x509.Certificate, data)
        usage = parsed.key_usage_value
        constraints = parsed.basic_constraints_value
        return Certificate(
            der=parsed.dump(),
            issuer=parsed.issuer.hashable,
            subject=parsed.subject.hashable,
            country=_country(parsed.subject),
            serial_number=int(parsed.serial_number),
            not_before=parse_time(parsed.not_valid_before),
            not_after=parse_time(parsed.not_valid_after),
            subject_key_identifier=parsed.key_identifier,
            authority_key_identifier=parsed.authority_key_identifier,
            key_usage=None if usage is None else frozenset(usage.native),
            has_extended_key_usage=parsed.extended_key_usage_value is not None,
            critical_extensions=frozenset(parsed.critical_extensions),
            is_ca=bool(constraints is not None and constraints["ca"].native),
            # RFC 5280, 4.2.1.2, method 1.
            key_identifier=parsed.key_identifier or bytes(parsed.public_key.sha1),
            _spki=parsed.public_key.dump(),
            _asn1=parsed,
        )


def _country(name: x509.Name) -> str | None:
    value = name.native.get("country_name")
    return value.upper() if isinstance(value, str) else None
