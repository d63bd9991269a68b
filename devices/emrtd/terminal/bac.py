"""Basic Access Control: session keys from the MRZ, 3DES.

Source: ICAO Doc 9303-11, 4.3 and appendix D.
"""

import secrets
from collections.abc import Callable

from devices.apdu import (
    AUTHENTICATION_BLOCKED,
    CONDITIONS_NOT_SATISFIED,
    OK,
    REFERENCED_DATA_NOT_FOUND,
    SECURITY_STATUS_NOT_SATISFIED,
    SHORT_LE_MAX,
    WRONG_LENGTH,
    CommandApdu,
    ResponseApdu,
    StatusWord,
)
from devices.emrtd.crypto.block_ciphers import (
    MAC_BYTES,
    compute_mac,
    decrypt_cbc,
    encrypt_cbc,
    macs_equal,
)
from devices.emrtd.crypto.kdf import KeyPurpose, SessionCipher, derive_key
from devices.emrtd.errors import (
    AccessFailedError,
    AccessUnsupportedError,
    PasswordBlockedError,
    PasswordWrongError,
)
from devices.emrtd.lds.mrz import MrzKey
from devices.emrtd.terminal.secure_messaging import SecureMessaging
from devices.transport import Channel

_NONCE_BYTES = 8
_KEY_BYTES = 16
_ZERO_IV = bytes(8)
_CRYPTOGRAM_BYTES = 32
_REFUSED = (SECURITY_STATUS_NOT_SATISFIED, CONDITIONS_NOT_SATISFIED, StatusWord(0x6988))


def open_bac(
    channel: Channel,
    key: MrzKey,
    random_bytes: Callable[[int], bytes] = secrets.token_bytes,
) -> SecureMessaging:
    """Authenticate with the MRZ and return the session; the eMRTD application is selected already.

    Args:
        channel: unprotected channel to the card.
        key: the MRZ information.
        random_bytes: source of RND.IFD and K.IFD.

    Raises:
        PasswordWrongError: the card does not accept the MRZ; it is not tried again.
        PasswordBlockedError: the card takes no more tries.
        AccessUnsupportedError: the card has no Basic Access Control.
        AccessFailedError: the card's answer is malformed or not authentic.
    """
    seed = key.bac_seed()
    k_enc = derive_key(seed, KeyPurpose.ENCRYPTION, SessionCipher.TDES)
    k_mac = derive_key(seed, KeyPurpose.MAC, SessionCipher.TDES)
    # Some cards want Le = 00 and refuse the exact length, unseen, with 6700.
    for le in (_CRYPTOGRAM_BYTES + MAC_BYTES, SHORT_LE_MAX):
        rnd_ic = _get_challenge(channel)
        rnd_ifd = random_bytes(_NONCE_BYTES)
        k_ifd = random_bytes(_KEY_BYTES)
        # 9303-11, 4.3.3.1: S = RND.IFD || RND.IC || K.IFD, sealed as E || M.
        e_ifd = encrypt_cbc(SessionCipher.TDES, k_enc, _ZERO_IV, rnd_ifd + rnd_ic + k_ifd)
        m_ifd = compute_mac(SessionCipher.TDES, k_mac, e_ifd)
        response = channel.send(CommandApdu(0x00, 0x82, 0x00, 0x00, e_ifd + m_ifd, le=le))
        if response.status != WRONG_LENGTH:
            break
    answer = _authenticated_answer(response)
    e_ic, m_ic = answer[:_CRYPTOGRAM_BYTES], answer[_CRYPTOGRAM_BYTES:]
    if not macs_equal(compute_mac(SessionCipher.TDES, k_mac, e_ic), m_ic):
        raise AccessFailedError(
            "Basic Access Control: the card's answer is not authentic", password_was_tried=True
        )
    plain = decrypt_cbc(SessionCipher.TDES, k_enc, _ZERO_IV, e_ic)
    if plain[:_NONCE_BYTES] != rnd_ic or plain[_NONCE_BYTES : 2 * _NONCE_BYTES] != rnd_ifd:
        raise AccessFailedError(
            "Basic Access Control: the card answers another challenge", password_was_tried=True
        )
    k_ic = plain[2 * _NONCE_BYTES :]
    session_seed = bytes(a ^ b for a, b in zip(k_ifd, k_ic, strict=True))
    return SecureMessaging(
        SessionCipher.TDES,
        derive_key(session_seed, KeyPurpose.ENCRYPTION, SessionCipher.TDES),
        derive_key(session_seed, KeyPurpose.MAC, SessionCipher.TDES),
        # 9303-11, 9.8.6.3: SSC = the low four bytes of RND.IC, then of RND.IFD.
        rnd_ic[-4:] + rnd_ifd[-4:],
    )


def _get_challenge(channel: Channel) -> bytes:
    response = channel.send(CommandApdu(0x00, 0x84, 0x00, 0x00, le=_NONCE_BYTES))
    if response.status != OK:
        raise AccessUnsupportedError(
            f"the card offers no Basic Access Control (status {response.status})"
        )
    if len(response.data) != _NONCE_BYTES:
        raise AccessFailedError("Basic Access Control: the card's challenge has a wrong length")
    return response.data


def _authenticated_answer(response: ResponseApdu) -> bytes:
    """Return E_IC || M_IC from the answer to EXTERNAL AUTHENTICATE."""
    status = response.status
    if status == REFERENCED_DATA_NOT_FOUND:
        raise AccessUnsupportedError("the card accepts PACE only (status 6A88)")
    if status.tries_left == 0 or status == AUTHENTICATION_BLOCKED:
        raise PasswordBlockedError("the card takes no more tries of this MRZ", 0)
    if status.sw1 == 0x63 or status in _REFUSED:
        raise PasswordWrongError(
            "the card does not accept this MRZ: check document number and dates",
            status.tries_left,
        )
    if status != OK or len(response.data) != _CRYPTOGRAM_BYTES + MAC_BYTES:
        raise AccessFailedError(
            f"Basic Access Control failed (status {status})", password_was_tried=True
        )
    return response.data
