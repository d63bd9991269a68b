"""The files of the card, decoded by other code than what built them."""

import io
from datetime import date

import pytest
from asn1crypto import core
from PIL import Image

from devices.simulator import tlv
from devices.simulator.document import Document
from devices.simulator.mrz import MrzFields, build_mrz, check_digit, name_field, transliterate
from devices.simulator.personalise import personalise
from devices.simulator.profile import parse_profile

VIETNAMESE_CARD_ACCESS = bytes.fromhex(
    "3134300d060804007f0007020202020101300f060a04007f000702020302020201013012060a04007f0007"
    "020204020202010202010d"
)


def value_of(file, tag):
    ((found, value),) = tlv.parse(file)
    assert found == tag
    return value


def fields_of(dg13):
    """Return the values of DG13 by number, as asn1crypto objects."""
    content = core.Sequence.load(value_of(dg13, 0x6D))
    assert (content[0].native, content[1].native) == (1, "1.0.10646.1.0.8")
    entries = [core.SequenceOf.load(entry, spec=core.Any) for entry in set_members(content[2])]
    return {
        entry[0].parse(core.Integer).native: entry[1] if len(entry) > 1 else None
        for entry in entries
    }


def set_members(value):
    members, rest = [], value.contents
    while rest:
        member = core.Any.load(rest)
        size = len(member.dump())
        members.append(rest[:size])
        rest = rest[size:]
    assert members == sorted(members)
    return members


@pytest.mark.parametrize(
    ("characters", "digit"),
    # Doc 9303-3 §4.9 and 9303-4 appendix: published examples.
    [("520727", "3"), ("AB2134<<<", "5"), ("L898902C3", "6"), ("740812", "2"), ("120415", "9")],
)
def test_check_digits(characters, digit):
    assert check_digit(characters) == digit


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("NGUYỄN THỊ MẪU ĐƠN", "NGUYEN<<THI<MAU<DON<<<<<<<<<<<"),
        ("Đặng Hữu Ươn", "DANG<<HUU<UON<<<<<<<<<<<<<<<<<"),
        ("Y", "Y" + "<" * 29),
        ("H'MEN NIÊ", "HMEN<<NIE<<<<<<<<<<<<<<<<<<<<<"),
        ("TÔN NỮ " + "THỊ " * 10, "TON<<NU<THI<THI<THI<THI<THI<TH"),
    ],
)
def test_names_lose_their_diacritics(name, line):
    assert name_field(name) == line


def test_every_vietnamese_letter_has_a_latin_one():
    letters = "ĂÂĐÊÔƠƯ" + "ÀẢÃÁẠẰẲẴẮẶẦẨẪẤẬÈẺẼÉẸỀỂỄẾỆÌỈĨÍỊÒỎÕÓỌỒỔỖỐỘỜỞỠỚỢÙỦŨÚỤỪỬỮỨỰỲỶỸÝỴ"
    assert transliterate(letters).isascii()
    assert len(transliterate(letters)) == len(letters)


def test_the_mrz_of_a_citizen_card():
    birth, expiry = date(1990, 5, 20), date(2030, 5, 20)
    mrz = build_mrz(MrzFields(Document(), "001190123456", "NGUYỄN A", birth, "F", expiry))
    upper, middle, lower = mrz[:30], mrz[30:60], mrz[60:]
    assert upper == "IDVNM1901234569001190123456<<0"
    assert middle[:18] == "9005204F3005202VNM"
    assert middle[29] == check_digit(upper[5:] + middle[:7] + middle[8:15] + middle[18:29])
    assert lower == "NGUYEN<<A".ljust(30, "<")


def test_a_card_without_expiry_says_so_in_mrz_and_dg13(table):
    table["person"]["date_of_expiry"] = "Không thời hạn"
    image = personalise(parse_profile(table))
    assert b"991231" in image.files["EF.DG1"]
    assert fields_of(image.files["EF.DG13"])[12].native == "Không thời hạn"


def test_card_access_is_the_vietnamese_card_s(image):
    assert image.files["EF.CardAccess"] == VIETNAMESE_CARD_ACCESS


def test_com_lists_what_is_there(image):
    objects = dict(tlv.parse(value_of(image.files["EF.COM"], 0x60)))
    assert objects[0x5C] == bytes.fromhex("6175636D6E6F")


def test_dg13_holds_the_person(image, table):
    person, fields = table["person"], fields_of(image.files["EF.DG13"])
    assert sorted(fields) == list(range(1, 17))
    assert isinstance(fields[1].parse(), core.PrintableString)
    assert isinstance(fields[2].parse(), core.UTF8String)
    assert fields[1].native == person["number"]
    assert fields[2].native == person["full_name"]
    assert fields[3].native == "20/05/1990"
    assert fields[4].native == person["sex"]
    assert fields[9].native == person["place_of_residence"]
    parents = core.Sequence.load(fields[13].dump())
    assert [parents[i][0].native for i in (0, 1)] == [person["father"], person["mother"]]
    assert core.Sequence.load(fields[14].dump())[0].native == person["spouse"]
    assert fields[16].native == person["chip_id"]


def test_dg13_of_an_unmarried_person_without_an_old_number(table):
    table["person"] |= {"spouse": "", "old_number": ""}
    table["chip"]["quirks"] = ["dg13-flat-parents"]
    dg13 = personalise(parse_profile(table)).files["EF.DG13"]
    assert bytes.fromhex("300302010E") in dg13
    fields = fields_of(dg13)
    assert 15 not in fields
    assert core.Sequence.load(fields[13].dump())[0].native == table["person"]["father"]


def test_dg2_is_a_facial_record_with_jpeg_2000(image):
    group = dict(tlv.parse(value_of(image.files["EF.DG2"], 0x75)))
    template = dict(tlv.parse(group[0x7F61]))
    record = dict(tlv.parse(template[0x7F60]))[0x5F2E]
    assert record[:8] == b"FAC\x00010\x00"
    assert int.from_bytes(record[8:12], "big") == len(record)
    block_length = int.from_bytes(record[14:18], "big")
    assert block_length == len(record) - 14
    width, height = (int.from_bytes(record[i : i + 2], "big") for i in (36, 38))
    portrait = Image.open(io.BytesIO(record[46:]))
    assert (portrait.format, portrait.size) == ("JPEG2000", (width, height))
    assert (width, height) == (480, 640)
    assert 12_000 <= len(record) - 46 <= 20_000


def test_a_card_without_portrait_has_no_dg2(table):
    image = personalise(parse_profile(table))
    assert "EF.DG2" not in image.files
    assert 0x75 not in dict(tlv.parse(value_of(image.files["EF.COM"], 0x60)))[0x5C]


def test_a_chip_without_anything_but_bac(table):
    table["chip"] = {
        "access": ["bac"],
        "active_authentication": "none",
        "chip_authentication": False,
        "quirks": [],
    }
    image = personalise(parse_profile(table))
    assert sorted(image.files) == ["EF.COM", "EF.DG1", "EF.DG13", "EF.SOD"]
