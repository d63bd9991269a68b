"""Object identifiers of the chip's protocols and files.

Source: ICAO Doc 9303-11 §9.2, Doc 9303-10 §4.6.2; BSI TR-03110-3 A.1.
"""

from asn1crypto import core

PK_DH = "0.4.0.127.0.7.2.2.1.1"
PK_ECDH = "0.4.0.127.0.7.2.2.1.2"
DH_KEY_AGREEMENT = "1.2.840.113549.1.3.1"
DH_PUBLIC_NUMBER = "1.2.840.10046.2.1"
STANDARDISED_DOMAIN_PARAMETERS = "0.4.0.127.0.7.1.2"
TERMINAL_AUTHENTICATION = "0.4.0.127.0.7.2.2.2"
CHIP_AUTHENTICATION = "0.4.0.127.0.7.2.2.3"
"""Arc of the protocols; below it lie key agreement and cipher."""
PACE = "0.4.0.127.0.7.2.2.4"
"""Arc of the protocols; below it lie mapping with key agreement, and cipher."""
ACTIVE_AUTHENTICATION = "2.23.136.1.1.5"
ECDSA_PLAIN = "0.4.0.127.0.7.1.1.4.1"
"""Arc of plain ECDSA signatures; below it lies the hash (BSI TR-03111 §5.2.1.1)."""
SECURITY_OBJECT = "0.4.0.127.0.7.3.2.1"
"""Contents of EF.CardSecurity."""
LDS_SECURITY_OBJECT = "2.23.136.1.1.1"
FILLER_ATTRIBUTE = "2.25.325467891234567890123456789012345"
"""An attribute of no meaning; 2.25 needs no registration."""
DOCUMENT_TYPE_LIST = "2.23.136.1.1.6.2"
DG13_FORMAT = "1.0.10646.1.0.8"


def oid(dotted: str) -> bytes:
    """Return the DER encoding of an object identifier."""
    return bytes(core.ObjectIdentifier(dotted).dump())


def oid_contents(dotted: str) -> bytes:
    """Return the contents of the DER encoding, as MSE:SET AT carries them."""
    return bytes(core.ObjectIdentifier(dotted).contents)
