"""The card's end of Basic Access Control.

Source: ICAO Doc 9303-11 §4.3.
"""

import hashlib
import hmac

from devices.simulator.ciphers import KDF_ENC, KDF_MAC, TripleDes
from devices.simulator.randomness import Randomness
from devices.simulator.secure_messaging import SecureMessaging

CHALLENGE_BYTES = 8
_CRYPTOGRAM_BYTES = 32
_MAC_BYTES = 8
COMMAND_BYTES = _CRYPTOGRAM_BYTES + _MAC_BYTES


class AuthenticationError(Exception):
    """The terminal does not know the password."""


def key_seed(mrz_information: str) -> bytes:
    """Return K_seed of document number, date of birth, date of expiry with their check digits.

    Source: ICAO Doc 9303-11 §4.3.2.
    """
    return hashlib.sha1(mrz_information.encode("ascii"), usedforsecurity=False).digest()[:16]


def mutual_authenticate(
    mrz_information: str, rnd_ic: bytes, command: bytes, randomness: Randomness
) -> tuple[bytes, SecureMessaging]:
    """Answer EXTERNAL AUTHENTICATE: return the response data and the session it opens.

    Args:
        mrz_information: what K_seed is made of.
        rnd_ic: the challenge that the card gave, 8 bytes.
        command: E_IFD ‖ M_IFD, 40 bytes.
        randomness: source of K_IC.

    Raises:
        AuthenticationError: MAC or challenge are not right.

    Source: ICAO Doc 9303-11 §4.3.1, steps 2 and 3, and §4.3.3.
    """
    cipher = TripleDes()
    seed = key_seed(mrz_information)
    k_enc, k_mac = cipher.derive(seed, KDF_ENC), cipher.derive(seed, KDF_MAC)
    e_ifd, m_ifd = command[:_CRYPTOGRAM_BYTES], command[_CRYPTOGRAM_BYTES:]
    if not hmac.compare_digest(cipher.token(k_mac, e_ifd), m_ifd):
        raise AuthenticationError
    s = cipher.decrypt(k_enc, b"", e_ifd)
    rnd_ifd, k_ifd = s[:8], s[16:]
    if not hmac.compare_digest(s[8:16], rnd_ic):
        raise AuthenticationError
    k_ic = randomness.octets(16)
    e_ic = cipher.encrypt(k_enc, b"", rnd_ic + rnd_ifd + k_ic)
    secret = bytes(a ^ b for a, b in zip(k_ifd, k_ic, strict=True))
    # §9.8.6.3: the counter starts with the last four bytes of both challenges.
    ssc = int.from_bytes(rnd_ic[4:] + rnd_ifd[4:], "big")
    session = SecureMessaging.from_secret(cipher, secret, ssc)
    return e_ic + cipher.token(k_mac, e_ic), session
