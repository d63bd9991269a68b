"""SecurityInfos: EF.CardAccess and DG14, and the public key of Active Authentication, DG15.

Source: ICAO Doc 9303-11 §9.2.
"""

from asn1crypto import core

from devices.simulator import tlv
from devices.simulator.keys import EcKeyPair, RsaKeyPair
from devices.simulator.object_identifiers import (
    ACTIVE_AUTHENTICATION,
    CA_ECDH_AES_CBC_CMAC_128,
    ECDSA_PLAIN_SHA256,
    PACE_ECDH_GM_AES_CBC_CMAC_128,
    PK_ECDH,
    TERMINAL_AUTHENTICATION,
    oid,
)

PACE_PARAMETER_ID = 13
"""brainpoolP256r1."""

_SEQUENCE, _SET = 0x30, 0x31


def card_access(*, chip_authentication: bool) -> bytes:
    """Return EF.CardAccess of a chip that offers PACE.

    Source: ICAO Doc 9303-11 §9.2.11.
    """
    infos = [_terminal_authentication_info(), _pace_info()]
    if chip_authentication:
        infos.append(_chip_authentication_info())
    return _security_infos(infos)


def build_dg14(
    *,
    pace: bool,
    ca_key: EcKeyPair | None,
    ca_explicit: bool,
    aa_key: EcKeyPair | RsaKeyPair | None,
) -> bytes | None:
    """Return DG14, or None if there is nothing to say in it.

    Args:
        pace: whether the chip offers PACE.
        ca_key: key of Chip Authentication.
        ca_explicit: write explicit domain parameters, as TR-03110-3 A.1.1.2 wants.
        aa_key: key of Active Authentication; only ECDSA keys are announced.
    """
    infos = []
    if pace:
        infos.append(_pace_info())
    if ca_key is not None:
        public_key = ca_key.public_key_info(explicit=ca_explicit)
        infos += [
            _terminal_authentication_info(),
            _chip_authentication_info(),
            _info(PK_ECDH, public_key),  # §9.2.6
        ]
    if isinstance(aa_key, EcKeyPair):
        # §9.2.4: ActiveAuthenticationInfo names the signature algorithm.
        infos.append(_info(ACTIVE_AUTHENTICATION, _integer(1), oid(ECDSA_PLAIN_SHA256)))
    return tlv.encode(0x6E, _security_infos(infos)) if infos else None


def build_dg15(aa_key: EcKeyPair | RsaKeyPair) -> bytes:
    """Return DG15.

    Source: ICAO Doc 9303-10 §4.7.15.
    """
    return tlv.encode(0x6F, aa_key.public_key_info())


def _pace_info() -> bytes:
    """Source: ICAO Doc 9303-11 §9.2.1."""
    return _info(PACE_ECDH_GM_AES_CBC_CMAC_128, _integer(2), _integer(PACE_PARAMETER_ID))


def _chip_authentication_info() -> bytes:
    """Source: ICAO Doc 9303-11 §9.2.5."""
    return _info(CA_ECDH_AES_CBC_CMAC_128, _integer(1))


def _terminal_authentication_info() -> bytes:
    """Source: ICAO Doc 9303-11 §9.2.7."""
    return _info(TERMINAL_AUTHENTICATION, _integer(1))


def _info(protocol: str, *fields: bytes) -> bytes:
    return tlv.encode(_SEQUENCE, oid(protocol), *fields)


def _security_infos(infos: list[bytes]) -> bytes:
    return tlv.encode(_SET, *sorted(infos))


def _integer(value: int) -> bytes:
    return bytes(core.Integer(value).dump())
