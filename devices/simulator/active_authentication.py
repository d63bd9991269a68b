"""The card's answer to a challenge of Active Authentication.

Source: ICAO Doc 9303-11 §6.1.
"""

import hashlib

from devices.simulator.keys import Digest, EcKeyPair, RsaKeyPair
from devices.simulator.randomness import Randomness

CHALLENGE_BYTES = 8

_HEADER_PARTIAL_RECOVERY = b"\x6a"
# ISO/IEC 9796-2 §8.2.2 with the hash identifiers of ISO/IEC 10118-3; SHA-1 may be left implicit.
_TRAILERS: dict[Digest, bytes] = {
    "sha1": b"\xbc",
    "sha224": b"\x38\xcc",
    "sha256": b"\x34\xcc",
    "sha384": b"\x36\xcc",
    "sha512": b"\x35\xcc",
}
_SHA1_EXPLICIT_TRAILER = b"\x33\xcc"


def sign_challenge(
    key: EcKeyPair | RsaKeyPair,
    rnd_ifd: bytes,
    randomness: Randomness,
    digest: Digest = "sha256",
    *,
    der: bool = False,
    explicit_sha1: bool = False,
) -> bytes:
    """Return the signature over the terminal's challenge of 8 bytes.

    ECDSA signs the challenge. RSA gives an ISO/IEC 9796-2 signature of scheme 1, whose recoverable
    part M1 is random.

    Args:
        key: key of Active Authentication.
        rnd_ifd: the challenge.
        randomness: source of M1.
        digest: hash of the signature.
        der: encode an ECDSA signature as ECDSA-Sig-Value in place of r ‖ s.
        explicit_sha1: end an RSA signature with SHA-1 by 33CC in place of BC.

    Source: ICAO Doc 9303-11 §6.1.2; ISO/IEC 9796-2 §8 (scheme 1).
    """
    if isinstance(key, EcKeyPair):
        return key.sign(rnd_ifd, digest) if der else key.sign_plain(rnd_ifd, digest)
    trailer = _TRAILERS[digest]
    if digest == "sha1" and explicit_sha1:
        trailer = _SHA1_EXPLICIT_TRAILER
    hash_bytes = hashlib.new(digest).digest_size
    overhead = len(_HEADER_PARTIAL_RECOVERY) + hash_bytes + len(trailer)
    m1 = randomness.octets(key.modulus_bytes - overhead)
    hashed = hashlib.new(digest, m1 + rnd_ifd).digest()
    return key.apply(_HEADER_PARTIAL_RECOVERY + m1 + hashed + trailer)
