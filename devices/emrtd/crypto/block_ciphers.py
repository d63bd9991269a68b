"""CBC encryption and message authentication codes of the eMRTD protocols.

Source: ICAO Doc 9303-11, 9.8 (secure messaging) and 9.7.2; ISO/IEC 9797-1, algorithms 3 and 5.
"""

import hmac

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, CipherAlgorithm, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from devices.emrtd.crypto.kdf import SessionCipher

MAC_BYTES = 8


def encrypt_cbc(cipher: SessionCipher, key: bytes, iv: bytes, data: bytes) -> bytes:
    """Return the CBC encryption of whole blocks."""
    encryptor = Cipher(_algorithm(cipher, key), modes.CBC(iv)).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def decrypt_cbc(cipher: SessionCipher, key: bytes, iv: bytes, data: bytes) -> bytes:
    """Return the CBC decryption of whole blocks."""
    decryptor = Cipher(_algorithm(cipher, key), modes.CBC(iv)).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def compute_mac(cipher: SessionCipher, key: bytes, data: bytes) -> bytes:
    """Return the eight-byte MAC of `data`.

    3DES: retail MAC over data padded by method 2; AES: CMAC, of which the first eight bytes count.
    """
    if cipher is SessionCipher.TDES:
        return _retail_mac(key, pad(data, 8))
    mac = CMAC(AES(key))
    mac.update(data)
    return mac.finalize()[:MAC_BYTES]


def macs_equal(left: bytes, right: bytes) -> bool:
    """Compare two MACs in time that tells nothing."""
    return hmac.compare_digest(left, right)


def pad(data: bytes, block_bytes: int) -> bytes:
    """Pad by ISO/IEC 9797-1 method 2: 80, then 00 up to whole blocks."""
    return data + b"\x80" + bytes(-(len(data) + 1) % block_bytes)


def unpad(data: bytes) -> bytes | None:
    """Return the data without their padding by method 2, or None if there is none."""
    stripped = data.rstrip(b"\x00")
    return stripped[:-1] if stripped.endswith(b"\x80") else None


def _algorithm(cipher: SessionCipher, key: bytes) -> CipherAlgorithm:
    # Two-key 3DES as EDE with the first key again.
    return TripleDES(key + key[:8]) if cipher is SessionCipher.TDES else AES(key)


def _retail_mac(key: bytes, padded: bytes) -> bytes:
    """ISO/IEC 9797-1, algorithm 3: single DES chaining, 3DES on the last block."""
    single = Cipher(TripleDES(key[:8] * 3), modes.CBC(bytes(8))).encryptor()
    chained = single.update(padded[:-8])[-8:] or bytes(8)
    return encrypt_cbc(SessionCipher.TDES, key, chained, padded[-8:])
