"""Each file finds its parser by name, and what was read is kept."""

import pytest

from devices.emrtd.errors import FileMalformedError, FileUnsupportedError
from devices.emrtd.files import BY_NAME
from devices.emrtd.lds import PARSERS, Com, parse_file
from devices.errors import DeviceError
from devices.tlv import encode_tlv

COM = encode_tlv(0x60, b"\x5c\x01\x61")


def test_what_was_read_is_kept_beside_what_it_says() -> None:
    parsed = parse_file("EF.COM", COM)
    assert (parsed.name, parsed.raw, parsed.content) == ("EF.COM", COM, Com(None, None, (1,)))
    assert repr(parsed) == "ParsedFile(name='EF.COM')"


def test_every_file_that_can_be_read_has_a_parser_or_no_known_content() -> None:
    without = {"EF.DG6", "EF.DG8", "EF.DG9", "EF.DG10"}
    assert set(BY_NAME) - set(PARSERS) == without
    assert {"EF.ATR/INFO", "EF.DIR"} <= set(PARSERS)
    for name in without:
        with pytest.raises(FileUnsupportedError):
            parse_file(name, COM)


@pytest.mark.parametrize("name", PARSERS)
def test_nothing_is_no_file(name: str) -> None:
    with pytest.raises(DeviceError):
        parse_file(name, b"")


@pytest.mark.parametrize("name", PARSERS)
def test_a_file_beyond_any_chips_is_refused_at_once(name: str) -> None:
    with pytest.raises(FileMalformedError):
        parse_file(name, bytes((1 << 20) + 1))
