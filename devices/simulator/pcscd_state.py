"""Ask pcscd which of its readers hold a powered card.

The messages are those by which libpcsclite polls the service; that library itself cannot be used
here, as it keeps to the first socket that a process names.

Source: pcsc-lite, src/winscard_msg.h (CMD_VERSION, CMD_GET_READERS_STATE), src/eventhandler.h
(READER_STATE); unchanged since protocol 4:0.
"""

import socket
import struct
from pathlib import Path

_HEADER = struct.Struct("=II")  # size of the body, command
_VERSION = struct.Struct("=iiI")  # major, minor, return value
_READER = struct.Struct(
    "=128sIIi33s3xII"
)  # name, events, state, sharing, ATR, its length, protocol
_READERS = 16
_CMD_VERSION = 0x11
_CMD_GET_READERS_STATE = 0x12
_PROTOCOL = (4, 4)
_POWERED = 0x10  # SCARD_POWERED
_TIMEOUT_S = 5.0


def powered_readers(socket_path: Path) -> set[str]:
    """Return the names of the readers that have a powered card in them.

    Raises:
        OSError: pcscd does not answer.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as service:
        service.settimeout(_TIMEOUT_S)
        service.connect(str(socket_path))
        service.sendall(_HEADER.pack(_VERSION.size, _CMD_VERSION) + _VERSION.pack(*_PROTOCOL, 0))
        _receive(service, _VERSION.size)
        service.sendall(_HEADER.pack(0, _CMD_GET_READERS_STATE))
        states = _receive(service, _READER.size * _READERS)
    return {
        name.partition(b"\0")[0].decode("utf-8", "replace")
        for name, _, state, *_ in _READER.iter_unpack(states)
        if name[0] and state & _POWERED
    }


def _receive(service: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = service.recv(size - len(data))
        if not part:
            raise ConnectionError("pcscd closed the connection")
        data += part
    return data
