"""Machine-readable zones and passwords."""

from pathlib import Path

import pytest

from devices.emrtd.errors import MrzMalformedError, PasswordMalformedError
from devices.emrtd.lds.mrz import Can, MrzKey, check_digit, parse_mrz

# ICAO Doc 9303-5, appendix A, and 9303-4, appendix B: the specimen of Utopia.
TD1 = (
    "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<"
)
TD2 = "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6"
TD3 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
# 9303-5, 4.2.4: a document number of more than nine characters continues in the optional data.
LONG = (
    "I<UTOD23145890<7349<<<<<<<<<<<\n3407127M9507122UTO<<<<<<<<<<<2\nSTEVENSON<<PETER<JOHN<<<<<<<<<"
)


def _vietnamese(id_number: str, digit: str | None = None) -> str:
    line1 = f"IDVNM{id_number[-9:]}{check_digit(id_number[-9:])}{id_number}<<"
    line1 += digit or check_digit(id_number)
    line2 = f"900520{check_digit('900520')}F300520{check_digit('300520')}VNM<<<<<<<<<<<"
    line2 += check_digit(line1[5:30] + line2[0:7] + line2[8:15] + line2[18:29])
    return f"{line1}\n{line2}\n{'NGUYEN<<THI<MAU<DON'.ljust(30, '<')}"


@pytest.mark.parametrize(("text", "kind"), [(TD1, "TD1"), (TD2, "TD2"), (TD3, "TD3")])
def test_specimens_of_utopia(text: str, kind: str) -> None:
    mrz = parse_mrz(text)
    assert (mrz.format, mrz.issuer, mrz.nationality) == (kind, "UTO", "UTO")
    assert mrz.name == "ERIKSSON ANNA MARIA"
    assert (mrz.date_of_birth, mrz.sex, mrz.date_of_expiry) == ("740812", "F", "120415")
    assert mrz.document_number == ("L898902C3" if kind == "TD3" else "D23145890")
    assert parse_mrz(text.replace("\n", "")) == mrz


def test_long_document_number() -> None:
    mrz = parse_mrz(LONG)
    assert mrz.document_number == "D23145890734"
    assert mrz.key.information().startswith(b"D23145890734" + b"9" + b"340712")


@pytest.mark.parametrize("text", [TD1, TD2, TD3, LONG, _vietnamese("001190123456")])
def test_every_digit_under_a_check_digit_counts(text: str) -> None:
    lines = text.split("\n")
    row = 0 if len(lines) == 3 else 1
    for position in [i for i, c in enumerate(lines[row]) if c.isdigit()]:
        digit = str((int(lines[row][position]) + 1) % 10)
        changed = lines.copy()
        changed[row] = lines[row][:position] + digit + lines[row][position + 1 :]
        with pytest.raises(MrzMalformedError):
            parse_mrz("\n".join(changed))


def test_vietnamese_number() -> None:
    mrz = parse_mrz(_vietnamese("001190123456"))
    assert mrz.vietnamese_id_number == "001190123456"
    assert mrz.document_number == "190123456"
    assert parse_mrz(_vietnamese("001190123456", "1")).vietnamese_id_number is None
    assert parse_mrz(TD1).vietnamese_id_number is None


@pytest.mark.parametrize(
    "text", ["", "A", TD1[:-1], TD1 + "<", TD1.lower(), TD1.replace("F", "Q"), "É" * 90, "<" * 90]
)
def test_no_mrz(text: str) -> None:
    with pytest.raises(MrzMalformedError) as error:
        parse_mrz(text)
    assert "ERIKSSON" not in str(error.value)


def test_dutch_2006_specimen_parses(test_data: Path) -> None:
    from devices.emrtd.lds import parse_dg1

    assert parse_dg1((test_data / "chip/loes2006/ef0101.bin").read_bytes()).issuer == "NLD"


@pytest.mark.parametrize("digits", ["", "12345", "1234567", "12345a", "１２３４５６", "12345\n"])
def test_no_can(digits: str) -> None:
    with pytest.raises(PasswordMalformedError):
        Can(digits)


def test_can_of_a_vietnamese_number() -> None:
    assert Can.from_id_number("001190123456") == Can("123456")
    with pytest.raises(PasswordMalformedError):
        Can.from_id_number("190123456")


@pytest.mark.parametrize(
    "parts",
    [
        ("", "900520", "300520"),
        ("lower", "900520", "300520"),
        ("190123456", "1990-05-20", "300520"),
        ("190123456", "900520", "30052"),
        ("1" * 23, "900520", "300520"),
    ],
)
def test_no_mrz_key(parts: tuple[str, str, str]) -> None:
    with pytest.raises(PasswordMalformedError):
        MrzKey(*parts)
