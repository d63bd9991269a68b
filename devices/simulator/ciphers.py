"""The block ciphers of secure messaging, and the keys derived for them.

Source: ICAO Doc 9303-11 §9.7 (key derivation), §9.8 (secure messaging).
"""

import hashlib
from typing import Protocol

from Crypto.Cipher import AES, DES, DES3
from Crypto.Hash import CMAC

KDF_ENC = 1
KDF_MAC = 2
KDF_PI = 3


class Cipher(Protocol):
    """A cipher with its modes: what PACE, BAC and secure messaging need of it."""

    block_bytes: int
    """Size of a block, which is also the size of the send sequence counter."""
    key_bytes: int
    """Size of a key."""

    def derive(self, secret: bytes, counter: int) -> bytes:
        """Return the key that Doc 9303-11 §9.7.1 derives from a shared secret."""

    def encrypt(self, key: bytes, ssc: bytes, data: bytes) -> bytes:
        """Encrypt whole blocks for the given send sequence counter."""

    def decrypt(self, key: bytes, ssc: bytes, data: bytes) -> bytes:
        """Decrypt whole blocks for the given send sequence counter."""

    def mac(self, key: bytes, blocks: bytes) -> bytes:
        """Return the 8-byte MAC of whole blocks."""

    def token(self, key: bytes, message: bytes) -> bytes:
        """Return the 8-byte MAC of a message of any length."""

    def encrypt_nonce(self, key: bytes, nonce: bytes) -> bytes:
        """Encrypt whole blocks in CBC mode with zero IV, as PACE does with nonces."""


class TripleDes:
    """Two-key 3DES in CBC mode with zero IV, and the retail MAC."""

    block_bytes = DES.block_size
    key_bytes = 16

    def derive(self, secret: bytes, counter: int) -> bytes:
        """Source: ICAO Doc 9303-11 §9.7.1.1."""
        digest = hashlib.sha1(secret + counter.to_bytes(4, "big"), usedforsecurity=False).digest()
        return bytes(_odd_parity(octet) for octet in digest[:16])

    def encrypt(self, key: bytes, ssc: bytes, data: bytes) -> bytes:
        """Source: ICAO Doc 9303-11 §9.8.6.1."""
        return bytes(DES3.new(key, DES3.MODE_CBC, iv=bytes(8)).encrypt(data))

    def decrypt(self, key: bytes, ssc: bytes, data: bytes) -> bytes:
        """Source: ICAO Doc 9303-11 §9.8.6.1."""
        return bytes(DES3.new(key, DES3.MODE_CBC, iv=bytes(8)).decrypt(data))

    def mac(self, key: bytes, blocks: bytes) -> bytes:
        """Source: ISO/IEC 9797-1, MAC algorithm 3; ICAO Doc 9303-11 §9.8.6.2."""
        first, second = DES.new(key[:8], DES.MODE_ECB), DES.new(key[8:], DES.MODE_ECB)
        last = DES.new(key[:8], DES.MODE_CBC, iv=bytes(8)).encrypt(blocks)[-8:]
        return bytes(first.encrypt(second.decrypt(last)))

    def token(self, key: bytes, message: bytes) -> bytes:
        """Source: ICAO Doc 9303-11 §4.4.3.4."""
        return self.mac(key, pad(message, self.block_bytes))

    def encrypt_nonce(self, key: bytes, nonce: bytes) -> bytes:
        """Source: ICAO Doc 9303-11 §4.4.3.3."""
        return self.encrypt(key, b"", nonce)


class Aes:
    """AES in CBC mode with the encrypted counter as IV, and CMAC cut to 8 bytes."""

    block_bytes = AES.block_size

    def __init__(self, key_bits: int) -> None:
        self.key_bytes = key_bits // 8

    def derive(self, secret: bytes, counter: int) -> bytes:
        """Source: ICAO Doc 9303-11 §9.7.1.2."""
        message = secret + counter.to_bytes(4, "big")
        if self.key_bytes == 16:
            return hashlib.sha1(message, usedforsecurity=False).digest()[:16]
        return hashlib.sha256(message).digest()[: self.key_bytes]

    def encrypt(self, key: bytes, ssc: bytes, data: bytes) -> bytes:
        """Source: ICAO Doc 9303-11 §9.8.7.1."""
        return bytes(AES.new(key, AES.MODE_CBC, iv=self._iv(key, ssc)).encrypt(data))

    def decrypt(self, key: bytes, ssc: bytes, data: bytes) -> bytes:
        """Source: ICAO Doc 9303-11 §9.8.7.1."""
        return bytes(AES.new(key, AES.MODE_CBC, iv=self._iv(key, ssc)).decrypt(data))

    def mac(self, key: bytes, blocks: bytes) -> bytes:
        """Source: ICAO Doc 9303-11 §9.8.7.2."""
        return CMAC.new(key, blocks, ciphermod=AES).digest()[:8]

    def token(self, key: bytes, message: bytes) -> bytes:
        """Source: ICAO Doc 9303-11 §4.4.3.4."""
        return self.mac(key, message)

    def encrypt_nonce(self, key: bytes, nonce: bytes) -> bytes:
        """Source: ICAO Doc 9303-11 §4.4.3.3."""
        return bytes(AES.new(key, AES.MODE_CBC, iv=bytes(16)).encrypt(nonce))

    def _iv(self, key: bytes, ssc: bytes) -> bytes:
        return bytes(AES.new(key, AES.MODE_ECB).encrypt(ssc))


def pad(data: bytes, block_bytes: int) -> bytes:
    """Append 80 and zeros up to whole blocks.

    Source: ISO/IEC 9797-1, padding method 2.
    """
    return data + b"\x80" + bytes(-(len(data) + 1) % block_bytes)


def unpad(data: bytes) -> bytes:
    """Remove the padding of `pad`.

    Raises:
        ValueError: there is no such padding.
    """
    body, mark, zeros = data.rpartition(b"\x80")
    if not mark or any(zeros):
        raise ValueError("padding is not method 2")
    return body


def _odd_parity(octet: int) -> int:
    return octet ^ (octet.bit_count() + 1) % 2
