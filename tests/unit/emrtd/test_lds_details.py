"""DG5, 7, 11, 12 and 16, EF.COM, and the groups that are refused."""

import io
from collections.abc import Callable

import pytest
from PIL import Image

from devices.emrtd.errors import FileMalformedError, TerminalAuthenticationRequiredError
from devices.emrtd.lds import (
    Com,
    Dg11,
    Dg12,
    PersonToNotify,
    parse_com,
    parse_dg3,
    parse_dg4,
    parse_dg5,
    parse_dg7,
    parse_dg11,
    parse_dg12,
    parse_dg16,
)
from devices.errors import DeviceError
from devices.tlv import encode_tlv


def _text(tag: int, text: str) -> bytes:
    return encode_tlv(tag, text.encode())


def _picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (12, 8)).save(buffer, "JPEG")
    return buffer.getvalue()


def test_dg11_with_every_field() -> None:
    others = encode_tlv(0x02, b"\x02") + _text(0x5F0F, "VÍ<<DỤ") + _text(0x5F0F, "MẪU")
    dg11 = parse_dg11(
        encode_tlv(
            0x6B,
            encode_tlv(0x5C, bytes.fromhex("5f0e5f10"))
            + _text(0x5F0E, "NGUYỄN<<THỊ<MẪU")
            + encode_tlv(0xA0, others)
            + _text(0x5F10, "001190123456")
            + _text(0x5F2B, "19900520")
            + _text(0x5F11, "XÃ MẪU<TỈNH GIẢ ĐỊNH")
            + _text(0x5F42, "SỐ 1<HÀ NỘI")
            + _text(0x5F12, "+84 24 0000")
            + _text(0x5F13, "NÔNG DÂN")
            + _text(0x5F14, "BÀ")
            + _text(0x5F15, "…")
            + encode_tlv(0x5F16, b"\xff\xd8")
            + _text(0x5F17, "A1<B2")
            + _text(0x5F18, "–")
            + encode_tlv(0x5FFF7F, b"?"),
        )
    )
    assert dg11 == Dg11(
        full_name="NGUYỄN THỊ MẪU",
        other_names=("VÍ DỤ", "MẪU"),
        personal_number="001190123456",
        date_of_birth="19900520",
        place_of_birth=("XÃ MẪU", "TỈNH GIẢ ĐỊNH"),
        permanent_address=("SỐ 1", "HÀ NỘI"),
        telephone="+84 24 0000",
        profession="NÔNG DÂN",
        title="BÀ",
        personal_summary="…",
        proof_of_citizenship=b"\xff\xd8",
        other_travel_documents=("A1", "B2"),
        custody_information="–",
    )
    assert repr(dg11) == "Dg11()"


def test_dg11_without_fields() -> None:
    dg11 = parse_dg11(encode_tlv(0x6B, encode_tlv(0x5C, b"")))
    assert not any(vars(dg11).values())


@pytest.mark.parametrize(
    ("value", "date"),
    [
        (bytes.fromhex("19900520"), "19900520"),
        (b"19900520", "19900520"),
        (b"199005<<", "199005<<"),
        (bytes.fromhex("19900000"), "19900000"),
        (b"", None),
    ],
)
def test_dates_of_both_editions(value: bytes, date: str | None) -> None:
    assert parse_dg11(encode_tlv(0x6B, encode_tlv(0x5F2B, value))).date_of_birth == date


@pytest.mark.parametrize("value", [b"1990-05-20", b"\x19\x90\x05\xaf", b"199", b"20051990x"])
def test_dates_in_no_edition(value: bytes) -> None:
    with pytest.raises(FileMalformedError):
        parse_dg11(encode_tlv(0x6B, encode_tlv(0x5F2B, value)))


def test_dg12_with_every_field() -> None:
    others = encode_tlv(0x02, b"\x01") + _text(0x5F1A, "MẪU<<CON")
    dg12 = parse_dg12(
        encode_tlv(
            0x6C,
            _text(0x5F19, "CỤC CẢNH SÁT")
            + encode_tlv(0x5F26, bytes.fromhex("20240715"))
            + encode_tlv(0xA0, others)
            + _text(0x5F1B, "GHI CHÚ")
            + _text(0x5F1C, "KHÔNG")
            + encode_tlv(0x5F1D, b"front")
            + encode_tlv(0x5F1E, b"rear")
            + _text(0x5F55, "20240715083000")
            + _text(0x5F56, "SN-1"),
        )
    )
    assert dg12 == Dg12(
        issuing_authority="CỤC CẢNH SÁT",
        date_of_issue="20240715",
        other_persons=("MẪU CON",),
        endorsements="GHI CHÚ",
        tax_or_exit_requirements="KHÔNG",
        image_of_front=b"front",
        image_of_rear=b"rear",
        personalisation_time="20240715083000",
        personalisation_system="SN-1",
    )
    assert "MẪU" not in repr(dg12)


def test_dg16() -> None:
    one = _text(0x5F50, "20240101") + _text(0x5F51, "TRẦN<<VÍ DỤ") + _text(0x5F52, "+84")
    two = _text(0x5F53, "SỐ 2<HUẾ")
    count = encode_tlv(0x02, b"\x02")
    persons = parse_dg16(encode_tlv(0x70, count + encode_tlv(0xA1, one) + encode_tlv(0xA2, two)))
    assert persons == (
        PersonToNotify("20240101", "TRẦN VÍ DỤ", "+84", ()),
        PersonToNotify(None, None, None, ("SỐ 2", "HUẾ")),
    )
    assert "TRẦN" not in repr(persons)


def test_displayed_images() -> None:
    picture = _picture()
    for parse, group, tag in ((parse_dg5, 0x65, 0x5F40), (parse_dg7, 0x67, 0x5F43)):
        image = encode_tlv(tag, picture + bytes(9))
        found = parse(encode_tlv(group, encode_tlv(0x02, b"\x02") + image + image))
        assert [(i.data, i.width_px, i.height_px) for i in found] == [(picture, 12, 8)] * 2


def test_com() -> None:
    full = encode_tlv(0x60, bytes.fromhex("5f0104303130385f36063034303030305c036175 6d"))
    assert parse_com(full) == Com("1.8", "4.0.0", (1, 2, 13))
    assert parse_com(encode_tlv(0x60, b"\x5c\x01\x61")) == Com(None, None, (1,))


@pytest.mark.parametrize("parse", [parse_dg3, parse_dg4])
def test_fingers_and_irises_are_refused_by_name(parse: Callable[[bytes], object]) -> None:
    with pytest.raises(TerminalAuthenticationRequiredError, match="Terminal Authentication"):
        parse(b"")


@pytest.mark.parametrize(
    ("parse", "data"),
    [
        (parse_dg11, encode_tlv(0x6B, encode_tlv(0x5F0E, b"\xff\xfe"))),
        (parse_dg11, encode_tlv(0x6B, encode_tlv(0xA0, b"\x5f"))),
        (parse_dg11, encode_tlv(0x6B, _text(0x5F0F, "A") * 65)),
        (parse_dg12, encode_tlv(0x6B, b"")),
        (parse_dg12, encode_tlv(0x6C, _text(0x5F55, "20240715"))),
        (parse_dg16, encode_tlv(0x70, encode_tlv(0x02, b"\x01"))),
        (parse_dg16, encode_tlv(0x70, encode_tlv(0xA1, b"") * 65)),
        (parse_dg5, encode_tlv(0x65, encode_tlv(0x02, b"\x00"))),
        (parse_dg5, encode_tlv(0x65, encode_tlv(0x5F40, b"no picture"))),
        (parse_dg5, encode_tlv(0x65, encode_tlv(0x5F40, _picture()) * 17)),
        (parse_dg7, encode_tlv(0x67, encode_tlv(0x5F40, _picture()))),
        (parse_com, encode_tlv(0x60, b"")),
        (parse_com, encode_tlv(0x60, b"\x5c\x00")),
        (parse_com, encode_tlv(0x60, b"\x5c\x01\x78")),
        (parse_com, encode_tlv(0x60, b"\x5c\x02\x61\x61")),
        (parse_com, encode_tlv(0x60, bytes.fromhex("5f0104303141375c0161"))),
    ],
)
def test_malformed(parse: Callable[[bytes], object], data: bytes) -> None:
    with pytest.raises(DeviceError):
        parse(data)
