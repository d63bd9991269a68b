"""Profiles: what is accepted, and that an error names the key but not the value."""

from datetime import date

import pytest

from devices.simulator.errors import ProfileInvalidError
from devices.simulator.profile import SPECIMEN, load_profile, parse_profile


def test_the_specimen_has_the_last_six_digits_as_can():
    profile = load_profile(SPECIMEN)
    assert profile.can == profile.person.number[-6:]


def test_nothing_personal_is_printable(table):
    text = repr(parse_profile(table))
    for value in table["person"].values():
        assert str(value) not in text
    assert "123456" not in text


def test_a_card_without_expiry(table):
    table["person"]["date_of_expiry"] = "Không thời hạn"
    assert parse_profile(table).person.expiry is None


def test_defaults_are_enough(table):
    del table["chip"], table["signers"]
    assert parse_profile(table).chip.access == ("pace", "bac")


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("person", "number", "12345678901"),
        ("person", "number", "１２３４５６７８９０１２"),
        ("person", "number", 123456789012),
        ("person", "full_name", ""),
        ("person", "full_name", "阮氏"),
        ("person", "date_of_birth", "1990-05-20"),
        ("person", "date_of_birth", date(1066, 10, 14)),
        ("person", "date_of_expiry", date(9999, 12, 31)),
        ("person", "sex", "F"),
        ("person", "date_of_expiry", "never"),
        ("person", "chip_id", "short"),
        ("person", "old_number", "12345"),
        ("person", "place_of_origin", "x" * 401),
        ("person", "hobby", "reading"),
        ("chip", "can", "12"),
        ("chip", "access", []),
        ("chip", "access", ["pace", "pace"]),
        ("chip", "access", ["eac"]),
        ("chip", "active_authentication", "rsa-512"),
        ("chip", "chip_authentication", "yes"),
        ("chip", "max_read_bytes", 0),
        ("chip", "quirks", ["unknown"]),
        ("signers", "dsc", "md5"),
    ],
)
def test_an_error_names_the_key_and_not_the_value(table, section, key, value):
    table[section][key] = value
    with pytest.raises(ProfileInvalidError, match=rf"{section}\.{key}: ") as caught:
        parse_profile(table)
    if len(str(value)) > 4:
        assert str(value) not in str(caught.value)


@pytest.mark.parametrize("key", ["full_name", "date_of_birth", "sex", "date_of_expiry"])
def test_a_missing_key_is_named(table, key):
    del table["person"][key]
    with pytest.raises(ProfileInvalidError, match=rf"person\.{key}: "):
        parse_profile(table)


def test_dates_must_be_in_order(table):
    table["person"]["date_of_issue"] = table["person"]["date_of_expiry"]
    with pytest.raises(ProfileInvalidError, match="date_of_expiry must be after"):
        parse_profile(table)


@pytest.mark.parametrize(
    "text", [b"[person", b"\xff\xfe", b"", b"a = " + b"[" * 5000, b"x" * 100_000]
)
def test_what_is_no_profile_is_refused(tmp_path, text):
    path = tmp_path / "profile.toml"
    path.write_bytes(text)
    with pytest.raises(ProfileInvalidError):
        load_profile(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ProfileInvalidError, match="No such file"):
        load_profile(tmp_path / "absent.toml")


def test_a_portrait_lies_beside_the_profile(tmp_path):
    path = tmp_path / "profile.toml"
    text = SPECIMEN.read_text("utf-8").replace("# portrait =", "portrait =")
    path.write_text(text.replace("any picture", "# any picture"), "utf-8")
    assert load_profile(path).person.portrait == str(tmp_path.resolve() / "portrait.png")
