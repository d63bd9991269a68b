"""Active Authentication: the chip signs the verifier's challenge, so it is no copy.

Source: ICAO Doc 9303-11, 6.1; ISO/IEC 9796-2:2010, digital signature scheme 1.
"""

import hmac

from cryptography.exceptions import InvalidSignature

from devices.apdu import CommandApdu
from devices.emrtd.crypto.public_keys import EcKey, PublicKey, RsaKey, verify_ecdsa
from devices.emrtd.crypto.signature_algorithms import HASHES, digest_of
from devices.emrtd.errors import AuthenticationRefusedError, ChallengeMalformedError

CHALLENGE_BYTES = 8

# ISO/IEC 10118-3 identifiers in the two-byte trailer `xx CC`; the one-byte trailer BC is SHA-1.
_TRAILER_HASHES = {0x33: "sha1", 0x34: "sha256", 0x35: "sha512", 0x36: "sha384", 0x38: "sha224"}
# BSI TR-03111, 5.2.1.1: ecdsa-plain-SHA1 … ecdsa-plain-SHA512 (9303-11, 9.2.5).
_PLAIN_ECDSA = "0.4.0.127.0.7.1.1.4.1."
_PLAIN_ECDSA_HASHES = {"1": "sha1", "2": "sha224", "3": "sha256", "4": "sha384", "5": "sha512"}
# RFC 5758, 3.2 and RFC 3279, 2.2.3: issuers that name ECDSA as certificates do.
_X962_ECDSA_HASHES = {
    "1.2.840.10045.4.1": "sha1",
    "1.2.840.10045.4.3.1": "sha224",
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
}
_ECDSA_HASHES = _X962_ECDSA_HASHES | {
    _PLAIN_ECDSA + arc: hash_name for arc, hash_name in _PLAIN_ECDSA_HASHES.items()
}


def internal_authenticate(challenge: bytes, le: int) -> CommandApdu:
    """Return the command that asks the chip to sign `challenge` (9303-11, 6.1.4).

    Raises:
        ChallengeMalformedError: the challenge does not have eight bytes.
    """
    if len(challenge) != CHALLENGE_BYTES:
        raise ChallengeMalformedError("a challenge for Active Authentication has eight bytes")
    return CommandApdu(0x00, 0x88, 0x00, 0x00, challenge, le)


def verify_active_authentication(
    key: PublicKey, challenge: bytes, signature: bytes, algorithm_oid: str | None
) -> None:
    """Verify the chip's signature over the challenge; return nothing if it is right.

    Args:
        key: the public key of DG15, itself covered by Passive Authentication.
        challenge: what the verifier had asked.
        signature: the chip's answer.
        algorithm_oid: the algorithm in DG14's ActiveAuthenticationInfo, for ECDSA.

    Raises:
        AuthenticationRefusedError: `aa-signature-invalid` or `aa-algorithm-unsupported`.
    """
    try:
        if isinstance(key, RsaKey):
            _verify_rsa(key, challenge, signature)
        else:
            _verify_ecdsa(key, challenge, signature, algorithm_oid)
    except InvalidSignature:
        raise AuthenticationRefusedError(
            "aa-signature-invalid", "the chip did not sign the challenge with the document's key"
        ) from None


def _verify_ecdsa(key: EcKey, challenge: bytes, signature: bytes, oid: str | None) -> None:
    if oid is None:
        # 9303-11, 9.2.5 requires the algorithm in DG14; where an issuer forgot it, try each.
        candidates = tuple(HASHES)
    elif (name := _ECDSA_HASHES.get(oid)) is not None:
        candidates = (name,)
    else:
        raise AuthenticationRefusedError(
            "aa-algorithm-unsupported", "DG14 names an unknown algorithm for Active Authentication"
        )
    for hash_name in candidates:
        try:
            verify_ecdsa(key, hash_name, signature, challenge)
        except InvalidSignature:
            continue
        return
    raise InvalidSignature


def _verify_rsa(key: RsaKey, challenge: bytes, signature: bytes) -> None:
    """ISO/IEC 9796-2, scheme 1 with partial recovery: M1 is the chip's, M2 the challenge."""
    message = _recover(key, signature)
    hash_name, trailer_bytes = _trailer(message)
    digest_bytes = HASHES[hash_name]().digest_size
    start = _padding_end(message)
    end = len(message) - trailer_bytes - digest_bytes
    if end < start:
        raise InvalidSignature
    m1, digest = message[start:end], message[end : end + digest_bytes]
    expected = digest_of(hash_name, m1 + challenge)
    if not hmac.compare_digest(digest, expected):
        raise InvalidSignature


def _recover(key: RsaKey, signature: bytes) -> bytes:
    """Return the recoverable block, leading zeros kept (ISO/IEC 9796-2, A.4 and B)."""
    value = int.from_bytes(signature, "big")
    # Some chips leave out the leading zero bytes of the signature.
    if not 0 < len(signature) <= key.size_bytes or value >= key.modulus:
        raise InvalidSignature
    recovered = pow(value, key.exponent, key.modulus)
    # A signer may send the smaller of s and n - s: the right one ends in the nibble C.
    if recovered & 0x0F != 0x0C:
        recovered = key.modulus - recovered
    return recovered.to_bytes(key.size_bytes, "big")


def _trailer(message: bytes) -> tuple[str, int]:
    """Return hash and length of the trailer (ISO/IEC 9796-2, 8.1.4)."""
    if message[-1] == 0xBC:
        return "sha1", 1
    if message[-1] == 0xCC and message[-2] in _TRAILER_HASHES:
        return _TRAILER_HASHES[message[-2]], 2
    raise InvalidSignature


def _padding_end(message: bytes) -> int:
    """Return where M1 starts, after header and padding (ISO/IEC 9796-2, 8.1.3)."""
    # Header 01, the more-data bit that says that the challenge is not recoverable, padding.
    if message[0] & 0xE0 != 0x60:
        raise InvalidSignature
    if message[0] & 0x0F == 0x0A:
        return 1
    if message[0] & 0x0F != 0x0B:
        raise InvalidSignature
    for position, byte in enumerate(message[1:], start=1):
        if byte == 0xBA:
            return position + 1
        if byte != 0xBB:
            break
    raise InvalidSignature
