"""Secure messaging with the session keys: every command sealed, every answer checked.

Source: ICAO Doc 9303-11, 9.8.
"""

from devices.apdu import (
    EXTENDED_LE_MAX,
    SHORT_DATA_MAX,
    SHORT_LE_MAX,
    CommandApdu,
    ResponseApdu,
    StatusWord,
)
from devices.emrtd.block_ciphers import (
    MAC_BYTES,
    compute_mac,
    decrypt_cbc,
    encrypt_cbc,
    macs_equal,
    pad,
)
from devices.emrtd.errors import SecureMessagingError, UnprotectedResponseError
from devices.emrtd.kdf import SessionCipher
from devices.errors import TlvMalformedError
from devices.tlv import encode_tlv, parse_tlvs
from devices.transport import SECURE_MESSAGING_CLASS, Channel

_CRYPTOGRAM, _PLAIN_BER_CRYPTOGRAM = 0x87, 0x85
_EXPECTED_LENGTH, _STATUS, _MAC = 0x97, 0x99, 0x8E
_PADDING_INDICATOR = b"\x01"
_RESPONSE_OBJECTS = {_CRYPTOGRAM, _PLAIN_BER_CRYPTOGRAM, _STATUS, _MAC}


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
        self._cipher = cipher
        self._ks_enc = ks_enc
        self._ks_mac = ks_mac
        self._ssc = int.from_bytes(ssc, "big")

    def max_response_data(self, *, extended: bool) -> int:
        """Return how many bytes of plain data fit into one protected response.

        223 (AES) or 231 (3DES) with short length fields.
        """
        room = EXTENDED_LE_MAX if extended else SHORT_LE_MAX
        # DO'87' tag, length field and padding indicator; DO'99'; DO'8E'.
        overhead = (1 + (4 if extended else 2) + 1) + 4 + (2 + MAC_BYTES)
        block = self._cipher.block_bytes
        return (room - overhead) // block * block - 1

    def wrap(self, command: CommandApdu) -> CommandApdu:
        """Return the protected form of `command` and advance the counter."""
        self._advance()
        protected = b""
        if command.data:
            padded = pad(command.data, self._cipher.block_bytes)
            cryptogram = encrypt_cbc(self._cipher, self._ks_enc, self._iv(), padded)
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
        mac = self._mac(pad(header, self._cipher.block_bytes) + protected)
        body = protected + encode_tlv(_MAC, mac)
        wide = len(body) > SHORT_DATA_MAX or (command.le or 0) > SHORT_LE_MAX
        le = EXTENDED_LE_MAX if wide else SHORT_LE_MAX
        return CommandApdu(cla, command.ins, command.p1, command.p2, body, le)

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
        if not macs_equal(self._mac(covered), mac):
            raise SecureMessagingError("the MAC of the card's answer is wrong")
        return {element.tag: element.value for element in elements}

    def _plain_data(self, objects: dict[int, bytes]) -> bytes:
        if _CRYPTOGRAM in objects:
            if objects[_CRYPTOGRAM][:1] != _PADDING_INDICATOR:
                raise SecureMessagingError("a protected answer has an unknown padding indicator")
            cryptogram = objects[_CRYPTOGRAM][1:]
        elif _PLAIN_BER_CRYPTOGRAM in objects:
            cryptogram = objects[_PLAIN_BER_CRYPTOGRAM]
        else:
            return b""
        if not cryptogram or len(cryptogram) % self._cipher.block_bytes:
            raise SecureMessagingError("a protected answer is not whole blocks")
        padded = decrypt_cbc(self._cipher, self._ks_enc, self._iv(), cryptogram)
        data = padded.rstrip(b"\x00")
        if not data.endswith(b"\x80"):
            raise SecureMessagingError("the padding of a protected answer is wrong")
        return data[:-1]

    def _advance(self) -> None:
        self._ssc = (self._ssc + 1) % (1 << 8 * self._cipher.block_bytes)

    def _counter(self) -> bytes:
        return self._ssc.to_bytes(self._cipher.block_bytes, "big")

    def _iv(self) -> bytes:
        """9303-11, 9.8.6.1: zero for 3DES, the encrypted counter for AES."""
        zero = bytes(self._cipher.block_bytes)
        if self._cipher is SessionCipher.TDES:
            return zero
        return encrypt_cbc(self._cipher, self._ks_enc, zero, self._counter())

    def _mac(self, data: bytes) -> bytes:
        if self._cipher is SessionCipher.TDES:
            return compute_mac(self._cipher, self._ks_mac, self._counter() + data)
        # 9303-11, 9.8.6.2 and 9.8.5: the data is padded before CMAC as well.
        padded = pad(data, self._cipher.block_bytes)
        return compute_mac(self._cipher, self._ks_mac, self._counter() + padded)


class SecureChannel:
    """Commands under secure messaging, over the plain channel."""

    def __init__(self, below: Channel, messaging: SecureMessaging) -> None:
        self._below = below
        self.messaging = messaging

    def send(self, command: CommandApdu) -> ResponseApdu:
        """Send one command protected and return its authentic response.

        Raises:
            UnprotectedResponseError: the answer bears no protection.
            SecureMessagingError: the answer is not authentic.
            DeviceError: the transport failed.
        """
        return self.messaging.unwrap(self._below.send(self.messaging.wrap(command)))
