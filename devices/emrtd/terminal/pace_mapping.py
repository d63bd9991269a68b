"""The integrated mapping's pseudo-random function.

Source: ICAO Doc 9303-11, 4.4.3.3.2.
"""

from devices.emrtd.crypto.block_ciphers import encrypt_cbc
from devices.emrtd.crypto.kdf import SessionCipher

_EXTRA_BITS = 64
# 9303-11, 4.4.3.3.2: c0 and c1 by the length of the nonce, 128 or 256 bits.
_CONSTANTS = {
    16: (
        bytes.fromhex("a668892a7c41e3ca739f40b057d85904"),
        bytes.fromhex("a4e136ac725f738b01c1f60217c188ad"),
    ),
    32: (
        bytes.fromhex("d463d65234124ef7897054986dca0a174e28df758cbaa03f240616414d5a1676"),
        bytes.fromhex("54bd7255f0aaf831bec3423fcf39d69b6cbf066677d0faae5aadd99df8e53517"),
    ),
}


def integrated_nonce_bytes(cipher: SessionCipher) -> int:
    """Return the length of the card's nonce: the shortest of 16 and 32 that holds a key."""
    return 16 if cipher.key_bytes <= 16 else 32


def pseudo_random_number(
    cipher: SessionCipher, nonce: bytes, terminal_nonce: bytes, modulus: int
) -> int:
    """Return R_p(s, t), a number below the modulus.

    Args:
        cipher: block cipher E of the protocol.
        nonce: s, the card's nonce, of `integrated_nonce_bytes`.
        terminal_nonce: t, as long as a key of the cipher.
        modulus: p.
    """
    c0, c1 = _CONSTANTS[len(nonce)]
    zero_iv = bytes(cipher.block_bytes)
    key = encrypt_cbc(cipher, terminal_nonce, zero_iv, nonce)
    output = b""
    while 8 * len(output) < modulus.bit_length() + _EXTRA_BITS:
        key = key[: cipher.key_bytes]
        output += encrypt_cbc(cipher, key, zero_iv, c1)
        key = encrypt_cbc(cipher, key, zero_iv, c0)
    return int.from_bytes(output, "big") % modulus
