"""The two keys of a protected session, set up once and used for every command.

Source: ICAO Doc 9303-11, 9.8.6; ISO/IEC 9797-1, algorithms 3 and 5.
"""

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC

from devices.emrtd.crypto.block_ciphers import MAC_BYTES
from devices.emrtd.crypto.kdf import SessionCipher

_TDES_IV = bytes(8)


class SessionKeys:
    """Encrypts, decrypts and authenticates whole blocks; it holds keys and shows none."""

    def __init__(self, cipher: SessionCipher, ks_enc: bytes, ks_mac: bytes) -> None:
        """Take the encryption and the MAC key of the session."""
        self._is_tdes = cipher is SessionCipher.TDES
        self._block_bytes = cipher.block_bytes
        if self._is_tdes:
            # Two-key 3DES as EDE with the first key again.
            self._encryption: TripleDES | AES = TripleDES(ks_enc + ks_enc[:8])
            self._last_block = TripleDES(ks_mac + ks_mac[:8])
            self._chain = TripleDES(ks_mac[:8] * 3)
        else:
            self._encryption = AES(ks_enc)
            self._cmac = CMAC(AES(ks_mac))
            # One block at a time, each with its own counter: nothing that a mode could hide.
            self._counter_block = Cipher(self._encryption, modes.ECB()).encryptor()  # noqa: S305
        any_iv = modes.CBC(bytes(cipher.block_bytes))
        self._decryptor = Cipher(self._encryption, any_iv).decryptor()

    def encrypt(self, counter: bytes, padded: bytes) -> bytes:
        """Return the CBC encryption of whole blocks under the counter's initial vector."""
        encryptor = Cipher(self._encryption, modes.CBC(self._iv(counter))).encryptor()
        return encryptor.update(padded)

    def decrypt(self, counter: bytes, cryptogram: bytes) -> bytes:
        """Return the CBC decryption of whole blocks under the counter's initial vector.

        Each block is decrypted with the one before it. So the initial vector goes in as a block
        whose plain text is dropped, and one context serves every answer.
        """
        return self._decryptor.update(self._iv(counter) + cryptogram)[self._block_bytes :]

    def mac(self, padded: bytes) -> bytes:
        """Return the eight-byte MAC of whole blocks."""
        if not self._is_tdes:
            mac = self._cmac.copy()
            mac.update(padded)
            return mac.finalize()[:MAC_BYTES]
        # ISO/IEC 9797-1, algorithm 3: single DES chaining, 3DES on the last block.
        chained = Cipher(self._chain, modes.CBC(_TDES_IV)).encryptor().update(padded[:-8])[-8:]
        last = Cipher(self._last_block, modes.CBC(chained or _TDES_IV)).encryptor()
        return last.update(padded[-8:])

    def _iv(self, counter: bytes) -> bytes:
        """9303-11, 9.8.6.1: zero for 3DES, the encrypted counter for AES."""
        return _TDES_IV if self._is_tdes else self._counter_block.update(counter)
