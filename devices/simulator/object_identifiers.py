"""Object identifiers of the chip's protocols and files.

Source: ICAO Doc 9303-11 §9.2, Doc 9303-10 §4.6.2; BSI TR-03110-3 A.1.
"""

from asn1crypto import core

PK_ECDH = "0.4.0.127.0.7.2.2.1.2"
TERMINAL_AUTHENTICATION = "0.4.0.127.0.7.2.2.2"
CA_ECDH_AES_CBC_CMAC_128 = "0.4.0.127.0.7.2.2.3.2.2"
PACE_ECDH_GM_AES_CBC_CMAC_128 = "0.4.0.127.0.7.2.2.4.2.2"
ACTIVE_AUTHENTICATION = "2.23.136.1.1.5"
ECDSA_PLAIN_SHA256 = "0.4.0.127.0.7.1.1.4.1.3"
LDS_SECURITY_OBJECT = "2.23.136.1.1.1"
DOCUMENT_TYPE_LIST = "2.23.136.1.1.6.2"
DG13_FORMAT = "1.0.10646.1.0.8"


def oid(dotted: str) -> bytes:
    """Return the DER encoding of an object identifier."""
    return bytes(core.ObjectIdentifier(dotted).dump())


def oid_contents(dotted: str) -> bytes:
    """Return the contents of the DER encoding, as MSE:SET AT carries them."""
    return bytes(core.ObjectIdentifier(dotted).contents)
