"""What a card says of itself: historical bytes, EF.ATR/INFO, EF.DIR."""

import pytest

from devices.emrtd.errors import FileMalformedError
from devices.emrtd.lds.atr_info import (
    AtrInfo,
    CardCapabilities,
    parse_atr_info,
    parse_historical_bytes,
)
from devices.emrtd.lds.dir import Application, parse_dir
from devices.errors import DeviceError

ALL = CardCapabilities(
    short_ef_identifiers=True,
    command_chaining=True,
    extended_length=True,
    extended_length_in_atr_info=True,
)


def _atr(historical: str) -> bytes:
    """Return the ATR that PC/SC makes for a contactless card."""
    data = bytes.fromhex(historical)
    return bytes([0x3B, 0x80 | len(data), 0x80, 0x01]) + data + b"\x00"


@pytest.mark.parametrize(
    ("historical", "capabilities"),
    [
        ("00 31c1 7300b4e0 009000", CardCapabilities(False, True, True, True)),
        ("00 31c1 7384b4", None),
        ("00 31c1 7384b4e0 009000", ALL),
        ("80 31c1 7384b4e0", ALL),
        ("80 4f05a000000306 7384b4e0", ALL),
        ("80 7384b440", CardCapabilities(True, False, True, False)),
        ("80 728440", CardCapabilities(True, False, False, False)),
        ("80 7184", CardCapabilities(True, False, False, False)),
        ("80 82 9000", None),
        ("10 7384b4e0", None),
        ("c1 7384b4e0", None),
        ("", None),
        ("00", None),
        ("80 7f84", None),
        ("80 70", None),
        ("80 7384", None),
    ],
)
def test_historical_bytes(historical: str, capabilities: CardCapabilities | None) -> None:
    assert parse_historical_bytes(_atr(historical)) == capabilities


def test_interface_bytes_of_a_contact_card_are_stepped_over() -> None:
    historical = bytes.fromhex("807384b4e0")
    # TA1, TB1, TC1 and TD1; TA2 and TD2; TA3 and TB3.
    atr = bytes.fromhex("3bf5 110000 91 01 31 ff45".replace(" ", "")) + historical + b"\x42"
    assert parse_historical_bytes(atr) == ALL


@pytest.mark.parametrize("atr", ["", "3b", "0000", "3b85800180", "3bff", "3b8f8001"])
def test_no_answer_to_reset(atr: str) -> None:
    with pytest.raises(FileMalformedError):
        parse_historical_bytes(bytes.fromhex(atr))


@pytest.mark.parametrize("padding", [b"", b"\x00", b"\x00" * 300, b"\xff" * 300])
def test_atr_info_with_extended_lengths(padding: bytes) -> None:
    data = bytes.fromhex("430180 470384b4e0 7f660a0203010000020300ffff") + padding
    assert parse_atr_info(data) == AtrInfo(ALL, 65536, 65535)


def test_atr_info_with_buffer_sizes_of_earlier_cards() -> None:
    data = bytes.fromhex("e010 02020200 02020201 020204d0 020204d1")
    assert parse_atr_info(data) == AtrInfo(None, 0x4D0, 0x4D1)
    assert parse_atr_info(bytes.fromhex("4301b8")) == AtrInfo(None, None, None)


@pytest.mark.parametrize(
    "data",
    [
        "",
        "0000",
        "ffff",
        "4700",
        "4704aabbccdd",
        "7f6600",
        "7f660402020100",
        "7f66080200020201000000",
        "7f660b0205010000000002020100",
        "e00402020100",
        "470384b4e0 00ff",
        "470384b4",
    ],
)
def test_malformed_atr_info(data: str) -> None:
    with pytest.raises(DeviceError):
        parse_atr_info(bytes.fromhex(data))


@pytest.mark.parametrize("padding", [b"", b"\x00" * 40, b"\xff" * 40])
def test_dir(padding: bytes) -> None:
    data = bytes.fromhex(
        "61094f07a0000002471001 610d4f05a00000039750044d524b44 4f07a0000002480200 7301ff"
    )
    assert parse_dir(data + padding) == (
        Application(bytes.fromhex("a0000002471001"), None),
        Application(bytes.fromhex("a000000397"), "MRKD"),
        Application(bytes.fromhex("a0000002480200"), None),
    )


@pytest.mark.parametrize(
    "data", ["", "7301ff", "6100", "61024f00", "61134f11" + 17 * "aa", "4f01", 65 * "4f01a0"]
)
def test_malformed_dir(data: str) -> None:
    with pytest.raises(DeviceError):
        parse_dir(bytes.fromhex(data))
