"""Certificate revocation lists of country signing authorities.

Source: ICAO Doc 9303-12, 7.1.4 (CRL profile), 5.1.4 (issued at least every 90 days); RFC 5280, 5.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from asn1crypto import pem
from cryptography.exceptions import InvalidSignature

from devices.emrtd.crypto import der
from devices.emrtd.crypto.asn1 import asn1_errors
from devices.emrtd.crypto.public_keys import verify_signature
from devices.emrtd.crypto.signature_algorithms import parse_signature_algorithm
from devices.emrtd.errors import CrlUnusableError, KeyUnsupportedError
from devices.emrtd.trust.certificate_extensions import (
    AUTHORITY_KEY_IDENTIFIER,
    authority_key_identifier,
    read_extensions,
)
from devices.emrtd.trust.certificates import Certificate
from devices.emrtd.trust.names import Name
from devices.emrtd.trust.trust_policy import TrustPolicy

MAX_CRL_BYTES = 4 << 20
_CRL_NUMBER = "2.5.29.20"
_EXTENSIONS_TAG = der.CONTEXT
_TIMES = (der.UTC_TIME, der.GENERALIZED_TIME)
# A list for all certificates of its issuer: a delta (27) or a part (28, also what an indirect list
# has) would make "not listed" mean less. RFC 5280, 5.2.4 and 5.2.5.
_PARTIAL = {"2.5.29.27", "2.5.29.28"}
_UNDERSTOOD = {AUTHORITY_KEY_IDENTIFIER, _CRL_NUMBER}
# Within an entry, reasonCode, instructionCode and invalidityDate take nothing back: listed is
# revoked. certificateIssuer (29) would make it another authority's certificate.
_UNDERSTOOD_OF_ENTRIES = {"2.5.29.21", "2.5.29.23", "2.5.29.24"}


@dataclass(frozen=True)
class Crl:
    """A parsed revocation list; nothing in it is proven yet."""

    der: bytes = field(repr=False)
    issuer: Name = field(repr=False)
    authority_key_identifier: bytes | None
    """Key identifier of the authority that signed."""
    number: int | None
    """Grows with each list of an issuer; None without the extension."""
    this_update: datetime
    next_update: datetime | None
    revoked: frozenset[int] = field(repr=False)
    """Serial numbers."""
    _signed: bytes = field(repr=False)
    _algorithm: bytes = field(repr=False)
    _signature: bytes = field(repr=False)

    @cached_property
    def sha256(self) -> str:
        """Digest of the DER encoding, hexadecimal."""
        return hashlib.sha256(self.der).hexdigest()

    def is_stale(self, at: datetime, policy: TrustPolicy) -> bool:
        """Return whether a newer list should have come by then."""
        return at > (self.next_update or self.this_update + policy.crl_max_age)

    def verify_issued_by(self, issuer: Certificate) -> None:
        """Verify the signature with the issuer's key.

        Raises:
            InvalidSignature: it is wrong, or the issuer may not sign revocation lists.
            KeyUnsupportedError: the key or algorithm is not supported.
        """
        # 9303-12, 7.1.1, table 5: cRLSign.
        if "crl_sign" not in (issuer.extensions.key_usage or ()) or issuer.subject != self.issuer:
            raise InvalidSignature
        algorithm = parse_signature_algorithm(self._algorithm)
        verify_signature(issuer.public_key, algorithm, None, self._signature, self._signed)


def parse_crl(data: bytes) -> Crl:
    """Return the revocation list in `data`, DER or PEM.

    Raises:
        CrlUnusableError: it is malformed, longer than 4 MiB, a delta, indirect or partial list, or
            has a critical extension that is not understood.
    """
    malformed = CrlUnusableError("a revocation list is malformed")
    if len(data) > MAX_CRL_BYTES:
        raise CrlUnusableError("a revocation list is too large")
    with asn1_errors(malformed):
        try:
            if data[:1] != bytes([der.SEQUENCE]) and pem.detect(data):
                kind, _, data = pem.unarmor(data)
                if kind != "X509 CRL":
                    raise malformed
            return _parse(data)
        except KeyUnsupportedError:
            raise malformed from None


def _parse(data: bytes) -> Crl:
    """Source: RFC 5280, 5.1."""
    signed, algorithm, signature = der.children(data, der.whole(data, der.SEQUENCE))
    fields = der.children(data, signed, der.SEQUENCE)
    if fields[0][0] == der.INTEGER:
        del fields[0]
    inner_algorithm, issuer, this_update, *optional = fields
    identifier = der.encoding(data, algorithm)
    if identifier != der.encoding(data, inner_algorithm):
        raise ValueError("a revocation list names two signature algorithms")
    next_update, entries, holder = None, None, None
    for element in optional:
        if element[0] in _TIMES:
            next_update = der.time(data, element)
        elif element[0] == der.SEQUENCE:
            entries = element
        else:
            holder = der.expect(element, _EXTENSIONS_TAG)
    number, key_identifier = _extensions(data, holder)
    name = Name(der.encoding(data, issuer))
    if not name.attributes:
        raise ValueError("the issuer of a revocation list has no name")
    return Crl(
        der=data,
        issuer=name,
        authority_key_identifier=key_identifier,
        number=number,
        this_update=der.time(data, this_update),
        next_update=next_update,
        revoked=_serial_numbers(data, entries),
        _signed=der.encoding(data, signed),
        _algorithm=identifier,
        _signature=der.bit_string(data, signature),
    )


def _extensions(data: bytes, holder: der.Element | None) -> tuple[int | None, bytes | None]:
    """Return the CRL number and the authority's key identifier."""
    found = read_extensions(data, holder) if holder is not None else {}
    if found.keys() & _PARTIAL:
        raise CrlUnusableError("a delta, indirect or partial revocation list is not used")
    for oid, (is_critical, _) in found.items():
        if is_critical and oid not in _UNDERSTOOD:
            raise CrlUnusableError("a revocation list has a critical extension nobody understands")
    number = key_identifier = None
    if _CRL_NUMBER in found:
        (element,) = der.children(data, found[_CRL_NUMBER][1])
        number = der.integer(data, element)
    if AUTHORITY_KEY_IDENTIFIER in found:
        key_identifier = authority_key_identifier(data, found[AUTHORITY_KEY_IDENTIFIER][1])
    return number, key_identifier


def _serial_numbers(data: bytes, entries: der.Element | None) -> frozenset[int]:
    if entries is None:
        return frozenset()
    found = []
    for entry in der.read_each(data, entries[2], entries[3]):
        serial, _, *rest = der.children(data, entry, der.SEQUENCE)
        found.append(der.integer(data, serial))
        for extension in der.children(data, rest[0]) if rest else ():
            oid, *middle, _ = der.children(data, extension)
            is_critical = any(der.contents(data, m, der.BOOLEAN) != b"\0" for m in middle)
            if is_critical and der.oid(data, oid) not in _UNDERSTOOD_OF_ENTRIES:
                raise CrlUnusableError("an entry of a revocation list has an unknown condition")
    return frozenset(found)
