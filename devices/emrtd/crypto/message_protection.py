"""Secure messaging with the session keys: every command sealed, every answer checked.

Source: ICAO Doc 9303-11, 9.8.
"""

from devices.apdu import (
    EXTENDED_LE_MAX,
    SECURE_MESSAGING_CLASS,
    SHORT_DATA_MAX,
    SHORT_LE_MAX,
    CommandApdu,
    ResponseApdu,
    StatusWord,
)
from devices.emrtd.crypto.block_ciphers import MAC_BYTES, macs_equal, pad
from devices.emrtd.crypto.kdf import SessionCipher
from devices.emrtd.crypto.session_keys import SessionKeys
from devices.emrtd.errors import SecureMessagingError, UnprotectedResponseError
from devices.errors import TlvMalformedError
from devices.tlv import encode_tlv, parse_tlvs

_CRYPTOGRAM, _PLAIN_BER_CRYPTOGRAM = 0x87, 0x85
_EXPECTED_LENGTH, _STATUS, _MAC = 0x97, 0x99, 0x8E
_PADDING_INDICATOR = b"\x01"
_RESPONSE_OBJECTS = {_CRYPTOGRAM, _PLAIN_BER_CRYPTOGRAM, _STATUS, _MAC}
_STATUS_OBJECT_BYTES, _MAC_OBJECT_BYTES = 4, 2 + MAC_BYTES


class SecureMessaging:
    """The state of one protected session; it holds keys and shows none."""

    def __init__(self, cipher: SessionCipher, ks_enc: bytes, ks_mac: bytes, ssc: bytes) -> None:
        """Start a session.

        Args:
            cipher: block cipher of the session.
            ks_enc: encryption key.
            ks_mac: MAC key.
            ssc: send sequence counter before the first command, one block long for AES, 8 bytes
                for 3DES.
        """
        self._block_bytes = cipher.block_bytes
        self._ks_enc, self._ks_mac = ks_enc, ks_mac
        self._keys = SessionKeys(cipher, ks_enc, ks_mac)
        self._ssc = int.from_bytes(ssc, "big")
        self._ssc_before_command = self._ssc

    def max_response_data(self, response_bytes: int) -> int:
        """Return how many bytes of plain data fit into a protected response of `response_bytes`.

        223 (AES) or 231 (3DES) in the 256 bytes of a short response.
        """
        # DO'87' tag, length field and padding indicator; DO'99'; DO'8E'.
        length_field = 2 if response_bytes <= SHORT_LE_MAX else 3
        overhead = 1 + length_field + 1 + _STATUS_OBJECT_BYTES + _MAC_OBJECT_BYTES
        block = self._block_bytes
        return max(0, (response_bytes - overhead) // block * block - 1)

    def wrap(self, command: CommandApdu) -> CommandApdu:
        """Return the protected form of `command` and advance the counter."""
        self._ssc_before_command = self._ssc
        self._advance()
        protected = b""
        if command.data:
            cryptogram = self._keys.encrypt(self._counter(), pad(command.data, self._block_bytes))
            # 9303-11, 9.8.4: odd INS carries BER-TLV data, sealed in DO'85' without indicator.
            if command.ins & 1:
                protected += encode_tlv(_PLAIN_BER_CRYPTOGRAM, cryptogram)
            else:
                protected += encode_tlv(_CRYPTOGRAM, _PADDING_INDICATOR + cryptogram)
        if command.le is not None:
            size = 1 if command.le <= SHORT_LE_MAX else 2
            le = (command.le & (0x100**size - 1)).to_bytes(size, "big")
            protected += encode_tlv(_EXPECTED_LENGTH, le)
        cla = command.cla | SECURE_MESSAGING_CLASS
        header = bytes([cla, command.ins, command.p1, command.p2])
        body = protected + encode_tlv(_MAC, self._mac(pad(header, self._block_bytes), protected))
        wide = len(body) > SHORT_DATA_MAX or (command.le or 0) > SHORT_LE_MAX
        le = EXTENDED_LE_MAX if wide else SHORT_LE_MAX
        return CommandApdu(cla, command.ins, command.p1, command.p2, body, le)

    def roll_back(self) -> None:
        """Set the counter to where it stood before the last command.

        A card that refuses a command by its length alone never looks at its protection, and so
        does not count it (9303-11, 9.8.2 counts before a command is processed).
        """
        self._ssc = self._ssc_before_command

    def unwrap(self, response: ResponseApdu) -> ResponseApdu:
        """Return the authentic plain response and advance the counter.

        Raises:
            UnprotectedResponseError: the answer bears no protection; its content is not data.
            SecureMessagingError: the protection is malformed or the MAC is wrong.
        """
        self._advance()
        if not response.data:
            raise UnprotectedResponseError(
                f"the card left secure messaging (status {response.status})", response.status
            )
        objects = self._authentic_objects(response.data)
        # 9303-11, 9.8.3: DO'99' is required; the status word outside is not protected.
        status_bytes = objects.get(_STATUS, b"")
        if len(status_bytes) != 2:
            raise SecureMessagingError("the card's answer has no protected status word")
        status = StatusWord(int.from_bytes(status_bytes, "big"))
        if status != response.status:
            raise SecureMessagingError("the status word differs from the protected one")
        return ResponseApdu(self._plain_data(objects), status)

    def _authentic_objects(self, data: bytes) -> dict[int, bytes]:
        """Return the data objects before DO'8E', whose MAC covers them."""
        try:
            elements = parse_tlvs(data)
        except TlvMalformedError:
            raise SecureMessagingError("a protected answer is malformed") from None
        tags = [element.tag for element in elements]
        if tags[-1] != _MAC or len(set(tags)) != len(tags) or not set(tags) <= _RESPONSE_OBJECTS:
            raise SecureMessagingError("a protected answer holds unexpected data objects")
        mac = elements[-1].value
        covered = data[: -len(encode_tlv(_MAC, mac))]
        if not macs_equal(self._mac(b"", covered), mac):
            raise SecureMessagingError("the MAC of the card's answer is wrong")
        return {element.tag: element.value for element in elements}

    def _plain_data(self, objects: dict[int, bytes]) -> bytes:
        if _CRYPTOGRAM in objects and _PLAIN_BER_CRYPTOGRAM in objects:
            raise SecureMessagingError("a protected answer holds unexpected data objects")
        if _CRYPTOGRAM in objects:
            if objects[_CRYPTOGRAM][:1] != _PADDING_INDICATOR:
                raise SecureMessagingError("a protected answer has an unknown padding indicator")
            cryptogram = objects[_CRYPTOGRAM][1:]
        elif _PLAIN_BER_CRYPTOGRAM in objects:
            cryptogram = objects[_PLAIN_BER_CRYPTOGRAM]
        else:
            return b""
        if not cryptogram or len(cryptogram) % self._block_bytes:
            raise SecureMessagingError("a protected answer is not whole blocks")
        padded = self._keys.decrypt(self._counter(), cryptogram)
        data = padded.rstrip(b"\x00")
        if not data.endswith(b"\x80") or len(padded) - len(data) >= self._block_bytes:
            raise SecureMessagingError("the padding of a protected answer is wrong")
        return data[:-1]

    def _advance(self) -> None:
        self._ssc = (self._ssc + 1) % (1 << 8 * self._block_bytes)

    def _counter(self) -> bytes:
        return self._ssc.to_bytes(self._block_bytes, "big")

    def _mac(self, header: bytes, objects: bytes) -> bytes:
        """Return the MAC over counter, padded header and data objects.

        9303-11, 9.8.5 and ISO/IEC 7816-4, 10.2.3.1: the data objects are padded as well; without
        any, nothing follows the header that could be.
        """
        padded = pad(objects, self._block_bytes) if objects else b""
        return self._keys.mac(self._counter() + header + padded)
