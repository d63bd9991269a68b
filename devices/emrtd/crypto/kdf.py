"""Ciphers of the chip's sessions and the derivation of their keys.

Source: ICAO Doc 9303-11, 9.7.1 (key derivation function) and 9.7.2.
"""

import hashlib
from enum import Enum, IntEnum


class SessionCipher(Enum):
    """Block cipher of a session, with its key size."""

    TDES = ("3DES", 16, 8)
    AES_128 = ("AES-128", 16, 16)
    AES_192 = ("AES-192", 24, 16)
    AES_256 = ("AES-256", 32, 16)

    def __init__(self, label: str, key_bytes: int, block_bytes: int) -> None:
        self.label = label
        """Name for people."""
        self.key_bytes = key_bytes
        """Length of a session key."""
        self.block_bytes = block_bytes
        """Block length, and that of the send sequence counter."""


class KeyPurpose(IntEnum):
    """The counter that tells keys from one secret apart."""

    ENCRYPTION = 1
    MAC = 2
    PACE = 3


def derive_key(secret: bytes, purpose: KeyPurpose, cipher: SessionCipher) -> bytes:
    """Return the key of `cipher.key_bytes` bytes for one purpose.

    Source: ICAO Doc 9303-11, 9.7.1: SHA-1 for 3DES and AES-128, SHA-256 for longer keys.
    """
    material = secret + int(purpose).to_bytes(4, "big")
    if cipher.key_bytes > 16:
        return hashlib.sha256(material).digest()[: cipher.key_bytes]
    key = hashlib.sha1(material, usedforsecurity=False).digest()[:16]
    return _with_odd_parity(key) if cipher is SessionCipher.TDES else key


def _with_odd_parity(key: bytes) -> bytes:
    """Set the lowest bit of each byte so that its number of ones is odd (9303-11, 9.7.1.1)."""
    return bytes(byte & 0xFE | (bin(byte & 0xFE).count("1") + 1) % 2 for byte in key)
