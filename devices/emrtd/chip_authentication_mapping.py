"""PACE-CAM: the chip shows with its mapping key that it holds the private key of EF.CardSecurity.

SK_Map,IC = CA_IC · SK_IC, so that CA_IC · PK_IC is the public mapping key that it had sent. The
terminal is convinced of it; nobody else is, since whoever knows the session keys can make such
data. And EF.CardSecurity itself must still be verified against the issuer.

Source: ICAO Doc 9303-11, 4.4.3.3.3 and 4.4.3.5.
"""

import hmac

from devices.emrtd.crypto.block_ciphers import decrypt_cbc, encrypt_cbc, unpad
from devices.emrtd.crypto.ecdh_agreement import EcdhAgreement
from devices.emrtd.crypto.elliptic_curves import Curve
from devices.emrtd.crypto.kdf import SessionCipher
from devices.emrtd.crypto.public_keys import EcKey
from devices.emrtd.errors import ChipAuthenticationMappingError, KeyUnsupportedError
from devices.emrtd.evidence import CamRecord
from devices.emrtd.lds.security_infos import SecurityInfo, chip_authentication_public_keys


def decrypt_authentication_data(
    cipher: SessionCipher, ks_enc: bytes, encrypted: bytes | None
) -> bytes:
    """Return CA_IC from DO'8A'.

    Raises:
        ChipAuthenticationMappingError: `cam-data-missing`, `cam-data-malformed`.

    Source: ICAO Doc 9303-11, 4.4.3.5.
    """
    if encrypted is None:
        raise ChipAuthenticationMappingError(
            "cam-data-missing", "PACE-CAM: the card sent no chip authentication data"
        )
    block = cipher.block_bytes
    if encrypted and len(encrypted) % block == 0:
        # IV = E(KS_Enc, -1), the block of ones.
        iv = encrypt_cbc(cipher, ks_enc, bytes(block), b"\xff" * block)
        data = unpad(decrypt_cbc(cipher, ks_enc, iv, encrypted))
        if data:
            return data
    raise ChipAuthenticationMappingError(
        "cam-data-malformed", "PACE-CAM: the card's chip authentication data are malformed"
    )


def check_chip_authentication(
    record: CamRecord, curve: Curve, card_security: tuple[SecurityInfo, ...]
) -> None:
    """Check the mapping key against the chip's static keys; return nothing if one fits.

    Args:
        record: what the chip sent.
        curve: domain parameters of PACE, which the static key shares.
        card_security: the security infos of EF.CardSecurity.

    Raises:
        ChipAuthenticationMappingError: `cam-key-missing`, `cam-key-mismatch`,
            `cam-data-malformed`.

    Source: ICAO Doc 9303-11, 4.4.3.5.2.
    """
    factor = int.from_bytes(record.authentication_data, "big")
    # A scalar of any length with zeros in front would not fit what evidence may hold.
    is_sized = len(record.authentication_data) <= curve.field_bytes + 1
    if not is_sized or not 0 < factor < curve.n:
        raise ChipAuthenticationMappingError(
            "cam-data-malformed", "PACE-CAM: the card's chip authentication data are malformed"
        )
    keys = _static_keys(curve, card_security)
    if not keys:
        raise ChipAuthenticationMappingError(
            "cam-key-missing", "PACE-CAM: EF.CardSecurity holds no key on the curve of PACE"
        )
    private = EcdhAgreement(curve).private_key(factor)
    expected = (private.multiply(curve.encode(key.point)) for key in keys)
    if not any(hmac.compare_digest(record.mapping_key, element) for element in expected):
        raise ChipAuthenticationMappingError(
            "cam-key-mismatch", "PACE-CAM: the chip does not hold the key of EF.CardSecurity"
        )


def _static_keys(curve: Curve, card_security: tuple[SecurityInfo, ...]) -> list[EcKey]:
    found = []
    for info in chip_authentication_public_keys(card_security):
        try:
            key = info.public_key()
        except KeyUnsupportedError:
            continue
        if isinstance(key, EcKey) and key.curve == curve:
            found.append(key)
    return found
