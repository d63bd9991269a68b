"""Inputs made to be expensive: every parser ends soon, with little memory and our own error.

Each bomb is tried bare and inside the data object that the parser expects.
"""

import contextlib
import tracemalloc

import pytest

from biometrics.errors import BiometricsError
from devices.errors import DeviceError
from devices.tlv import encode_tlv
from tests.fuzz.targets import TARGETS

MAX_MEMORY_BYTES = 64 << 20
ERRORS = (DeviceError, BiometricsError)
SIZES = (60 << 10, 1 << 20)
_WRAPPERS = {
    "com": (0x60,),
    "sod": (0x77,),
    "dg1": (0x61,),
    "dg2": (0x7F60, 0x7F61, 0x75),
    "dg5": (0x5F40, 0x65),
    "dg7": (0x5F43, 0x67),
    "dg11": (0xA0, 0x6B),
    "dg12": (0xA0, 0x6C),
    "dg13": (0x30, 0x6D),
    "dg14": (0x6E,),
    "dg15": (0x6F,),
    "dg16": (0xA1, 0x70),
    "atr-info": (0x7F66,),
    "dir": (0x61,),
}


def _nested(tag: int, size: int) -> bytes:
    """Return data objects one in another until `size` bytes are reached."""
    heads: list[bytes] = []
    length = 0
    while length < size:
        head = encode_tlv(tag, bytes(length))[: -length or None]
        heads.append(head)
        length += len(head)
        if len(heads) == 10_000:
            break
    return b"".join(reversed(heads))


def _oid(size: int) -> bytes:
    return encode_tlv(0x06, b"\x81" * (size - 1) + b"\x01")


def _rsa_key(size: int) -> bytes:
    numbers = encode_tlv(0x30, encode_tlv(0x02, b"\x7f" * size) + b"\x02\x01\x03")
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    return encode_tlv(0x30, algorithm + encode_tlv(0x03, b"\x00" + numbers))


def _bombs(size: int) -> dict[str, bytes]:
    return {
        "4-gib": b"\x30\x84\xff\xff\xff\xff" + bytes(size),
        "tag without end": b"\x3f" + b"\x81" * size,
        "tags without end": (b"\x3f" + b"\x81" * 1000 + b"\x01") * (size // 1000),
        "lengths cut off": b"\x30\x81" * (size // 2),
        "one tag repeated": b"\xa1" * size,
        "too long each": b"\x30\x82\xff\xff" * (size // 4),
        "indefinite": b"\x30\x80" * (size // 2),
        "indefinite strings": b"\x24\x80" * (size // 2),
        "nested sequences": _nested(0x30, size),
        "nested contexts": _nested(0xA0, size),
        "empty sequences": encode_tlv(0x30, b"\x30\x00" * (size // 2)),
        "set of empty sequences": encode_tlv(0x31, b"\x30\x00" * (size // 2)),
        "empty objects": b"\x5f\x0f\x00" * (size // 3),
        "huge integer": encode_tlv(0x02, b"\x7f" * size),
        "huge oid": _oid(size),
        "info with a huge oid": encode_tlv(0x31, encode_tlv(0x30, _oid(size) + b"\x02\x01\x01")),
        "huge rsa key": _rsa_key(size),
        "field of many": encode_tlv(0x31, encode_tlv(0x30, b"\x02\x01\x0d" + b"0\x00" * size)),
        "jpeg of markers": b"\xff\xd8\xff" + b"\x01\xff" * (size // 2),
        "jpeg of scans": b"\xff\xd8" + b"\xff\xda\x00\x02" * (size // 4),
        "jpeg of fill": b"\xff\xd8" + b"\xff" * size,
        "jpeg of data": b"\xff\xd8\xff\xda\x00\x02" + b"\xff\x00" * (size // 2),
        "jp2 of boxes": b"\x00\x00\x00\x0cjP  \r\n\x87\n" + b"\x00\x00\x00\x08free" * (size // 8),
        "codestream of segments": b"\xff\x4f\xff\x51" + b"\x00\x02\xff\x64" * (size // 4),
        "cbor nested": b"\x81" * size,
        "cbor maps": b"\x9a" + size.to_bytes(4, "big") + b"\xa0" * size,
        "cbor lists, open": b"\x9f" + b"\x80" * size + b"\xff",
        "cbor bignum": b"\xc2\x5a" + size.to_bytes(4, "big") + b"\xff" * size,
        "cbor count": b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff" + bytes(size),
        "digits": b"0" * size,
        "fillers": b"<" * size,
        "bars": b"|" * size,
        "pem": b"-----BEGIN CERTIFICATE-----\n" + b"\n" * size,
        "pem of heads": b"-----BEGIN CERTIFICATE-----\n" * (size // 28),
        "pem of data": b"-----BEGIN CERTIFICATE-----\n%b\n-----END CERTIFICATE-----"
        % (b"A" * size),
        "zeros": bytes(size),
        "ones": b"\xff" * size,
    }


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.timeout(90)
def test_no_bomb_goes_off(name: str, size: int) -> None:
    for bomb, data in _bombs(size).items():
        wrapped = data
        inputs = [data]
        for tag in _WRAPPERS.get(name, ()):
            wrapped = encode_tlv(tag, wrapped)
            inputs.append(wrapped)
        for given in inputs:
            tracemalloc.start()
            try:
                TARGETS[name](given)
            except ERRORS as error:
                assert type(error) not in ERRORS, bomb
            finally:
                peak = tracemalloc.get_traced_memory()[1]
                tracemalloc.stop()
            assert peak < MAX_MEMORY_BYTES, f"{bomb}: {peak >> 20} MiB"


def test_ten_thousand_nested_objects_do_not_recurse() -> None:
    data = _nested(0x30, 1 << 20)
    assert data.count(b"\x30") >= 10_000
    for name, parse in TARGETS.items():
        for given in (data, encode_tlv(_WRAPPERS.get(name, (0x30,))[-1], data)):
            with contextlib.suppress(*ERRORS):
                parse(given)
