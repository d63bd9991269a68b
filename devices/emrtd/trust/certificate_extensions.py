"""The extensions of a certificate that decide what its key may do.

Source: RFC 5280, 4.2; ICAO Doc 9303-12, 7.1.1 (profile), 7.1.1.6 (document type list).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from devices.emrtd.crypto import der

SUBJECT_KEY_IDENTIFIER = "2.5.29.14"
KEY_USAGE = "2.5.29.15"
PRIVATE_KEY_USAGE_PERIOD = "2.5.29.16"
BASIC_CONSTRAINTS = "2.5.29.19"
CERTIFICATE_POLICIES = "2.5.29.32"
AUTHORITY_KEY_IDENTIFIER = "2.5.29.35"
EXTENDED_KEY_USAGE = "2.5.29.37"
DOCUMENT_TYPE_LIST = "2.23.136.1.1.6.2"

# RFC 5280, 4.2.1.3, from bit 0.
KEY_USAGES = (
    "digital_signature",
    "non_repudiation",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
_MAX_EXTENSIONS = 64
_EXTENSIONS_TAG = der.CONTEXT + 3
_PRIMITIVE = 0x80
T = TypeVar("T")


@dataclass(frozen=True)
class Extensions:
    """What a certificate's extensions say; None where the extension is missing."""

    subject_key_identifier: bytes | None = None
    authority_key_identifier: bytes | None = None
    key_usage: frozenset[str] | None = None
    """RFC 5280 names: `key_cert_sign`, `digital_signature` …"""
    extended_key_usage: frozenset[str] | None = None
    """Object identifiers."""
    is_ca: bool = False
    path_length: int | None = None
    """How many authorities may follow below this one."""
    private_key_usage: tuple[datetime | None, datetime | None] = (None, None)
    """When the key may sign: from, until."""
    document_types: frozenset[str] | None = None
    """Document codes of the MRZ that the signer is for, without filler."""
    critical: frozenset[str] = field(default=frozenset())
    """Object identifiers of the extensions that must be understood."""


def parse_extensions(data: bytes, optional: Sequence[der.Element]) -> Extensions:
    """Return the extensions among the optional fields of a certificate.

    Raises:
        ValueError: one is malformed or comes twice.
    """
    holder = next((element for element in optional if element[0] == _EXTENSIONS_TAG), None)
    if holder is None:
        return Extensions()
    found = read_extensions(data, holder)
    is_ca, path_length = _value(data, found, BASIC_CONSTRAINTS, _basic_constraints) or (False, None)
    return Extensions(
        subject_key_identifier=_value(data, found, SUBJECT_KEY_IDENTIFIER, _octets),
        authority_key_identifier=_value(
            data, found, AUTHORITY_KEY_IDENTIFIER, authority_key_identifier
        ),
        key_usage=_value(data, found, KEY_USAGE, _key_usage),
        extended_key_usage=_value(data, found, EXTENDED_KEY_USAGE, _object_identifiers),
        is_ca=is_ca,
        path_length=path_length,
        private_key_usage=_value(data, found, PRIVATE_KEY_USAGE_PERIOD, _period) or (None, None),
        document_types=_value(data, found, DOCUMENT_TYPE_LIST, _document_types),
        critical=frozenset(oid for oid, (is_critical, _) in found.items() if is_critical),
    )


def read_extensions(data: bytes, holder: der.Element) -> dict[str, tuple[bool, der.Element]]:
    """Return object identifier to criticality and value (an OCTET STRING) of each extension.

    Args:
        data: what holds them.
        holder: the explicitly tagged SEQUENCE OF Extension of a certificate or CRL.

    Raises:
        ValueError: they are malformed, one comes twice, or there are more than 64.
    """
    (sequence,) = der.children(data, holder)
    extensions = der.children(data, sequence, der.SEQUENCE)
    if len(extensions) > _MAX_EXTENSIONS:
        raise ValueError("there are too many extensions")
    found = {}
    for extension in extensions:
        identifier, *middle, value = der.children(data, extension, der.SEQUENCE)
        # DEFAULT FALSE, which some issuers write all the same.
        is_critical = any(der.contents(data, flag, der.BOOLEAN) != b"\0" for flag in middle)
        found[der.oid(data, identifier)] = (is_critical, der.expect(value, der.OCTET_STRING))
    if len(found) != len(extensions):
        raise ValueError("an extension comes twice")
    return found


def authority_key_identifier(data: bytes, value: der.Element) -> bytes | None:
    """Return the key identifier of an AuthorityKeyIdentifier, or None if it has none."""
    (sequence,) = der.children(data, value)
    for element in der.children(data, sequence, der.SEQUENCE):
        if element[0] == _PRIMITIVE:
            return data[element[2] : element[3]]
    return None


def _value(
    data: bytes,
    found: Mapping[str, tuple[bool, der.Element]],
    oid: str,
    parse: Callable[[bytes, der.Element], T],
) -> T | None:
    entry = found.get(oid)
    return None if entry is None else parse(data, entry[1])


def _octets(data: bytes, value: der.Element) -> bytes:
    (octets,) = der.children(data, value)
    return der.contents(data, octets, der.OCTET_STRING)


def _key_usage(data: bytes, value: der.Element) -> frozenset[str]:
    (bits,) = der.children(data, value)
    flags = der.contents(data, bits, der.BIT_STRING)[1:]
    return frozenset(
        name
        for bit, name in enumerate(KEY_USAGES)
        if bit // 8 < len(flags) and flags[bit // 8] & 0x80 >> bit % 8
    )


def _object_identifiers(data: bytes, value: der.Element) -> frozenset[str]:
    (sequence,) = der.children(data, value)
    return frozenset(der.oid(data, element) for element in der.children(data, sequence))


def _basic_constraints(data: bytes, value: der.Element) -> tuple[bool, int | None]:
    (sequence,) = der.children(data, value)
    is_ca, path_length = False, None
    for element in der.children(data, sequence, der.SEQUENCE):
        if element[0] == der.BOOLEAN:
            is_ca = der.contents(data, element, der.BOOLEAN) != b"\0"
        else:
            path_length = der.integer(data, element)
    return is_ca, path_length


def _period(data: bytes, value: der.Element) -> tuple[datetime | None, datetime | None]:
    """RFC 5280 has dropped it, RFC 3280, 4.2.1.4 has it: [0] and [1] are GeneralizedTime."""
    (sequence,) = der.children(data, value)
    times: dict[int, datetime] = {}
    for element in der.children(data, sequence, der.SEQUENCE):
        number, _, start, end = element
        times[number] = der.time(data, (der.GENERALIZED_TIME, start, start, end))
    return times.get(_PRIMITIVE), times.get(_PRIMITIVE + 1)


def _document_types(data: bytes, value: der.Element) -> frozenset[str]:
    """DocumentTypeListSyntax: a version and a SET OF PrintableString."""
    (sequence,) = der.children(data, value)
    _, types = der.children(data, sequence, der.SEQUENCE)
    texts = (data[start:end].decode("ascii") for _, _, start, end in der.children(data, types))
    return frozenset(text.rstrip("<").strip().upper() for text in texts)
