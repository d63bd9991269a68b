"""DG13 in all the variants that were seen on cards."""

import unicodedata
from datetime import date

import pytest

from devices.emrtd.errors import FileMalformedError
from devices.emrtd.lds.dg13 import NO_EXPIRY, parse_dg13, parse_dg13_date
from devices.errors import DeviceError, TlvMalformedError
from devices.tlv import encode_tlv

OID = bytes.fromhex("060628D316010008")


def _field(number: int, *values: bytes) -> bytes:
    return encode_tlv(0x30, encode_tlv(0x02, bytes([number])) + b"".join(values))


def _utf8(text: str) -> bytes:
    return encode_tlv(0x0C, text.encode())


def _printable(text: str) -> bytes:
    return encode_tlv(0x13, text.encode("ascii"))


def _dg13(*fields: bytes) -> bytes:
    content = encode_tlv(0x02, b"\x01") + OID + encode_tlv(0x31, b"".join(fields))
    return encode_tlv(0x6D, encode_tlv(0x30, content))


@pytest.mark.parametrize(
    "parents",
    [
        encode_tlv(0x30, encode_tlv(0x30, _utf8("CHA")) + encode_tlv(0x30, _utf8("MẸ"))),
        encode_tlv(0x30, _utf8("CHA") + _utf8("MẸ")),
        encode_tlv(0x30, _utf8("CHA")) + encode_tlv(0x30, _utf8("MẸ")),
        _utf8("CHA") + _utf8("MẸ"),
    ],
)
def test_both_encodings_of_parents(parents: bytes) -> None:
    assert parse_dg13(_dg13(_field(13, parents))).parents == ("CHA", "MẸ")


def test_one_field_of_each_kind() -> None:
    long_address = "Số 1, đường Ví Dụ, " * 12
    fields = parse_dg13(
        _dg13(
            _field(1, _printable("001190123456")),
            _field(2, _utf8("NGUYỄN THỊ MẪU ĐƠN")),
            _field(9, _utf8(long_address)),
            _field(12, _utf8("Không thời hạn")),
            bytes.fromhex("300302010E"),
        )
    )
    assert fields.id_number == "001190123456"
    assert fields.name == "NGUYỄN THỊ MẪU ĐƠN"
    assert fields.place_of_residence == long_address.strip()
    assert fields.date_of_expiry == "Không thời hạn"
    assert (fields.spouse, fields.parents, fields.old_id_number) == ((), (), None)
    assert "NGUYỄN" not in repr(fields)


@pytest.mark.parametrize("length", [127, 128, 129, 255, 256, 300])
def test_strings_around_the_length_forms(length: int) -> None:
    text = "x" * length
    dg13 = parse_dg13(_dg13(_field(8, _utf8(text)), _field(10, _utf8("y"))))
    assert (dg13.place_of_origin, dg13.identifying_marks) == (text, "y")


def test_a_value_that_looks_like_a_field_stays_a_value() -> None:
    decoy = "0\x03\x02\x01\x01"
    dg13 = parse_dg13(_dg13(_field(10, _utf8(decoy)), _field(2, _utf8("TÊN"))))
    assert (dg13.id_number, dg13.name) == (None, "TÊN")


def test_unknown_and_empty_fields_are_left_out() -> None:
    dg13 = parse_dg13(_dg13(_field(2, _utf8("")), _field(99, _utf8("?")), _field(7)))
    assert (dg13.name, dg13.religion) == (None, None)


def test_fields_stand_in_any_order_among_fields_of_later_cards() -> None:
    fields = [
        _field(2, _utf8("TÊN")),
        encode_tlv(0x30, encode_tlv(0x02, b"\x00\x80") + _utf8("?")),
        _field(17, encode_tlv(0x30, _utf8("?"))),
        _field(16, _printable("CHIP")),
        encode_tlv(0x30, encode_tlv(0x02, b"\xff") + _utf8("?")),
        _field(1, _printable("001190123456")),
    ]
    expected = parse_dg13(_dg13(fields[0], fields[3], fields[5]))
    assert (expected.id_number, expected.name, expected.chip_id) == ("001190123456", "TÊN", "CHIP")
    for turn in range(len(fields)):
        assert parse_dg13(_dg13(*fields[turn:], *fields[:turn])) == expected


def test_data_after_the_fields_is_passed_over() -> None:
    content = encode_tlv(0x02, b"\x02") + OID + encode_tlv(0x31, _field(2, _utf8("TÊN")))
    later = encode_tlv(0xA0, encode_tlv(0x04, b"later"))
    assert parse_dg13(encode_tlv(0x6D, encode_tlv(0x30, content + later))).name == "TÊN"


@pytest.mark.parametrize(
    ("tag", "encoding", "text"),
    [
        (0x0C, "utf-8", "Nguyễn"),
        (0x1E, "utf-16-be", "Nguyễn"),
        (0x1C, "utf-32-be", "Nguyễn"),
        (0x14, "latin-1", "Nguyên"),
        (0x12, "ascii", "001190123456"),
        (0x13, "ascii", "Nguyen"),
        (0x16, "ascii", "Nguyen"),
        (0x1A, "ascii", "Nguyen"),
    ],
)
def test_every_kind_of_string(tag: int, encoding: str, text: str) -> None:
    value = encode_tlv(tag, text.encode(encoding))
    dg13 = parse_dg13(_dg13(_field(2, value), _field(13, encode_tlv(0x30, value + value))))
    assert (dg13.name, dg13.parents) == (text, (text, text))


@pytest.mark.parametrize(
    "value",
    [
        encode_tlv(0x02, b"\x05"),
        encode_tlv(0x04, b"bytes"),
        encode_tlv(0x17, b"240715000000Z"),
        encode_tlv(0x30, _utf8("nested")),
        _utf8("one") + _utf8("two"),
        b"",
    ],
)
def test_a_value_of_another_type_is_as_good_as_none(value: bytes) -> None:
    dg13 = parse_dg13(_dg13(_field(2, value), _field(1, _printable("001190123456"))))
    assert (dg13.name, dg13.id_number) == (None, "001190123456")


@pytest.mark.parametrize("text", ["Không thời hạn", "KHÔNG THỜI HẠN", " Không thời hạn "])
def test_no_expiry_in_any_case(text: str) -> None:
    assert parse_dg13(_dg13(_field(12, _utf8(text)))).never_expires
    assert not parse_dg13(_dg13(_field(12, _utf8("20/05/2030")))).never_expires
    assert not parse_dg13(_dg13(_field(2, _utf8(text)))).never_expires


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (_dg13(), FileMalformedError),
        (_dg13(*(_field(n, b"") for n in range(65))), FileMalformedError),
        (_dg13(_field(13, _utf8("x") * 65)), FileMalformedError),
        (_dg13(_field(13, encode_tlv(0x30, _utf8("x") * 33) * 2)), FileMalformedError),
        (_dg13(_field(2, encode_tlv(0x1E, b"abc"))), FileMalformedError),
        (_dg13(encode_tlv(0x30, encode_tlv(0x02, b"") + _utf8("?"))), FileMalformedError),
        (_dg13(encode_tlv(0x30, encode_tlv(0x02, b"12345") + _utf8("?"))), FileMalformedError),
        (_dg13(_field(2, _utf8("x" * 70_000))), FileMalformedError),
        (_dg13(_field(1, _printable("1")), _field(1, _printable("2"))), FileMalformedError),
        (_dg13(encode_tlv(0x30, b"")), FileMalformedError),
        (_dg13(_field(2, encode_tlv(0x0C, b"\xff\xfe"))), FileMalformedError),
        (_dg13(_field(2, _utf8("TÊN")))[:-1], TlvMalformedError),
        (encode_tlv(0x6D, b""), DeviceError),
        (encode_tlv(0x6E, b""), TlvMalformedError),
    ],
)
def test_malformed(data: bytes, error: type[DeviceError]) -> None:
    with pytest.raises(error):
        parse_dg13(data)


def test_dates() -> None:
    assert parse_dg13_date("20/05/1990") == date(1990, 5, 20)
    for text in (None, "", "1990", "31/02/1990", "Không thời hạn", "20-05-1990"):
        assert parse_dg13_date(text) is None


def test_letters_and_their_marks_are_composed() -> None:
    """Cards may write a diacritic as a character of its own; offices compare names."""
    name, never = "NGUYỄN THỊ MẪU ĐƠN", NO_EXPIRY
    apart = [unicodedata.normalize("NFD", text) for text in (name, never, "Nữ")]
    fields = (_field(n, _utf8(text)) for n, text in zip((2, 12, 4), apart, strict=True))
    parsed = parse_dg13(_dg13(*fields))
    assert (parsed.name, parsed.date_of_expiry, parsed.sex) == (name, never, "Nữ")
