"""The card's answer to a challenge of Active Authentication.

Source: ICAO Doc 9303-11 §6.1.
"""

import hashlib

from devices.simulator.keys import EcKeyPair, RsaKeyPair
from devices.simulator.randomness import Randomness

CHALLENGE_BYTES = 8

_HEADER_PARTIAL_RECOVERY = b"\x6a"
_TRAILER_SHA256 = b"\x34\xcc"


def sign_challenge(key: EcKeyPair | RsaKeyPair, rnd_ifd: bytes, randomness: Randomness) -> bytes:
    """Return the signature over the terminal's challenge of 8 bytes.

    ECDSA gives r ‖ s over SHA-256 of the challenge. RSA gives an ISO/IEC 9796-2 signature of
    scheme 1 with SHA-256, whose recoverable part M1 is random.

    Source: ICAO Doc 9303-11 §6.1.2; ISO/IEC 9796-2 §8 (scheme 1), §8.2.2 (trailer option 2).
    """
    if isinstance(key, EcKeyPair):
        return key.sign_plain(rnd_ifd)
    hash_bytes = hashlib.sha256().digest_size
    overhead = len(_HEADER_PARTIAL_RECOVERY) + hash_bytes + len(_TRAILER_SHA256)
    m1 = randomness.octets(key.modulus_bytes - overhead)
    digest = hashlib.sha256(m1 + rnd_ifd).digest()
    return key.apply(_HEADER_PARTIAL_RECOVERY + m1 + digest + _TRAILER_SHA256)
