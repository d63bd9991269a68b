"""The card's end of secure messaging.

Source: ICAO Doc 9303-11 §9.8.
"""

import hmac
from dataclasses import replace

from devices.simulator import apdu, tlv
from devices.simulator.apdu import CommandApdu, StatusError
from devices.simulator.ciphers import KDF_ENC, KDF_MAC, Cipher, pad, unpad

_DO_CRYPTOGRAM_PLAIN = 0x85
_DO_CRYPTOGRAM_PADDED = 0x87
_DO_LE = 0x97
_DO_STATUS = 0x99
_DO_MAC = 0x8E

_FIXED_OVERHEAD_BYTES = 14  # DO'99' (4) and DO'8E' (10)


class SecureMessaging:
    """One session: keys and send sequence counter."""

    def __init__(self, cipher: Cipher, ks_enc: bytes, ks_mac: bytes, ssc: int = 0) -> None:
        self._cipher = cipher
        self._ks_enc = ks_enc
        self._ks_mac = ks_mac
        self._ssc = ssc

    @classmethod
    def from_secret(cls, cipher: Cipher, secret: bytes, ssc: int = 0) -> "SecureMessaging":
        """Start a session with the keys derived from a shared secret.

        Source: ICAO Doc 9303-11 §9.7.2 (KS_Enc, KS_MAC), §9.8.2 (initial counter).
        """
        return cls(cipher, cipher.derive(secret, KDF_ENC), cipher.derive(secret, KDF_MAC), ssc)

    def unwrap(self, command: CommandApdu) -> CommandApdu:
        """Check and decrypt a protected command.

        Raises:
            StatusError: 6987 or 6988; the session must end.
        """
        ssc = self._next_ssc()
        try:
            objects = dict(tlv.parse(command.data))
        except tlv.TlvError:
            raise StatusError(apdu.SM_OBJECTS_INCORRECT) from None
        mac = objects.pop(_DO_MAC, None)
        if mac is None:
            raise StatusError(apdu.SM_OBJECTS_MISSING)
        # §9.8.4: the MAC covers the counter, the padded header and the data objects in their order.
        size = self._cipher.block_bytes
        covered = ssc + pad(command.header, size)
        if protected := b"".join(tlv.encode(tag, value) for tag, value in objects.items()):
            covered += pad(protected, size)
        if not hmac.compare_digest(self._cipher.mac(self._ks_mac, covered), mac):
            raise StatusError(apdu.SM_OBJECTS_INCORRECT)
        le = objects.get(_DO_LE)
        highest = apdu.NE_SHORT if le is not None and len(le) == 1 else apdu.NE_EXTENDED
        return replace(
            command,
            cla=command.cla & ~apdu.CLA_SECURE_MESSAGING,
            data=self._decrypt(objects, ssc),
            ne=0 if le is None else int.from_bytes(le, "big") or highest,
        )

    def wrap(self, ins: int, data: bytes, status: int, *, tells_status: bool = True) -> bytes:
        """Return the protected response APDU to a command of instruction `ins`.

        Args:
            ins: decides between DO'85' and DO'87'.
            data: plaintext.
            status: status word.
            tells_status: False for a response that lacks DO'99' although §9.8.4 asks for it.
        """
        ssc, size = self._next_ssc(), self._cipher.block_bytes
        objects = b""
        if data:
            cryptogram = self._cipher.encrypt(self._ks_enc, ssc, pad(data, size))
            # §9.8.4: odd instructions carry DO'85', even ones DO'87' with padding indicator 01.
            if ins & 1:
                objects = tlv.encode(_DO_CRYPTOGRAM_PLAIN, cryptogram)
            else:
                objects = tlv.encode(_DO_CRYPTOGRAM_PADDED, b"\x01", cryptogram)
        if tells_status:
            objects += tlv.encode(_DO_STATUS, apdu.status_bytes(status))
        mac = self._cipher.mac(self._ks_mac, ssc + pad(objects, size))
        return objects + tlv.encode(_DO_MAC, mac) + apdu.status_bytes(status)

    def uncount_command(self) -> None:
        """Take back the last command that was unwrapped, as if it had not come."""
        self._ssc -= 1

    def count_bare_pair(self) -> None:
        """Count a command and its response that were exchanged without protection."""
        self._ssc += 2

    def capacity(self, ne: int) -> int:
        """Return how many plaintext bytes fit into a protected response of `ne` bytes."""
        room = ne - _FIXED_OVERHEAD_BYTES
        room -= 3 if room < 0x82 else 4 if room < 0x104 else 5  # tag, length, padding indicator
        return max(0, room // self._cipher.block_bytes * self._cipher.block_bytes - 1)

    def _decrypt(self, objects: dict[int, bytes], ssc: bytes) -> bytes:
        """Return the plaintext of DO'87' or DO'85', empty if there is neither."""
        if _DO_CRYPTOGRAM_PADDED in objects:
            indicator, cryptogram = (
                objects[_DO_CRYPTOGRAM_PADDED][:1],
                objects[_DO_CRYPTOGRAM_PADDED][1:],
            )
            if indicator != b"\x01":
                raise StatusError(apdu.SM_OBJECTS_INCORRECT)
        elif _DO_CRYPTOGRAM_PLAIN in objects:
            cryptogram = objects[_DO_CRYPTOGRAM_PLAIN]
        else:
            return b""
        if not cryptogram or len(cryptogram) % self._cipher.block_bytes:
            raise StatusError(apdu.SM_OBJECTS_INCORRECT)
        try:
            return unpad(self._cipher.decrypt(self._ks_enc, ssc, cryptogram))
        except ValueError:
            raise StatusError(apdu.SM_OBJECTS_INCORRECT) from None

    def _next_ssc(self) -> bytes:
        size = self._cipher.block_bytes
        self._ssc = (self._ssc + 1) % (1 << 8 * size)
        return self._ssc.to_bytes(size, "big")
