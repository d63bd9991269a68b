"""When lines that were read are an MRZ, and when they are not."""

import itertools

import pytest

from devices.emrtd.lds.mrz import Mrz, check_digit, parse_mrz
from devices.mrz_scan.alignment import AlignedLine
from devices.mrz_scan.decision import decide_mrz
from devices.mrz_scan.errors import MrzUnsureError
from devices.mrz_scan.formats import CITIZEN_CARD, GIVEN, LAYOUTS, UNREAD, Layout

# ICAO Doc 9303-6, appendix B, and 9303-4, appendix B: the specimen of Utopia.
TD2 = "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6"
TD3 = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"


def citizen_card(id_number: str = "001190123456", number: str | None = None) -> str:
    number = number or id_number[-9:]
    line1 = f"IDVNM{number}{check_digit(number)}{id_number}<<{check_digit(id_number)}"
    return line1 + "\n" + second_line(line1)


def second_line(
    line1: str, birth: str = "900520", expiry: str = "300520", state: str = "VNM"
) -> str:
    line2 = f"{birth}{check_digit(birth)}F{expiry}{check_digit(expiry)}{state:<<3}<<<<<<<<<<<"
    return line2 + check_digit(line1[5:30] + line2[0:7] + line2[8:15] + line2[18:29])


def decide(text: str, layout: Layout, unsure_at: int | None = None, sure: float = 0.99) -> Mrz:
    lines = []
    for number, line in enumerate(text.split("\n")):
        confidences = [sure] * len(line)
        if unsure_at is not None and unsure_at // len(line) == number:
            confidences[unsure_at % len(line)] = 0.3
        lines.append(AlignedLine(line, tuple(confidences)))
    return decide_mrz(lines, layout, 0.5)


def test_a_citizen_card() -> None:
    mrz = decide(citizen_card(), CITIZEN_CARD)
    assert mrz == parse_mrz(citizen_card() + "\n" + "<" * 30)
    assert mrz.document_code == "ID"
    assert mrz.vietnamese_id_number == "001190123456"
    assert "190123456" not in repr(mrz)


@pytest.mark.parametrize(("text", "name"), [(TD2, "TD2"), (TD3, "TD3")])
def test_specimens_of_utopia(text: str, name: str) -> None:
    mrz = decide(text, LAYOUTS[name])
    assert mrz.key == parse_mrz(text).key
    assert mrz.name == ""


def test_every_character_that_counts_must_be_sure() -> None:
    for layout, text in ((CITIZEN_CARD, citizen_card()), (LAYOUTS["TD3"], TD3)):
        for position, kind in enumerate("".join(layout.kinds)):
            if kind in (UNREAD, GIVEN):
                assert decide(text, layout, unsure_at=position).date_of_birth
            else:
                with pytest.raises(MrzUnsureError):
                    decide(text, layout, unsure_at=position)


def test_every_misread_digit_is_refused() -> None:
    text = citizen_card()
    for position in (p for p, c in enumerate(text) if c.isdigit()):
        for digit in "0123456789".replace(text[position], ""):
            with pytest.raises(MrzUnsureError):
                decide(text[:position] + digit + text[position + 1 :], CITIZEN_CARD)


def test_a_number_that_line_1_does_not_repeat_is_refused() -> None:
    with pytest.raises(MrzUnsureError, match="cannot be one"):
        decide(citizen_card(number="190123465"), CITIZEN_CARD)


@pytest.mark.parametrize(
    "changes",
    [
        {"birth": "901320"},
        {"birth": "900230"},
        {"expiry": "300500"},
        {"birth": "9005<<", "expiry": "3005<0"},
        {"state": "QQQ"},
        {"state": "VNW"},
    ],
)
def test_days_and_states_that_do_not_exist(changes: dict[str, str]) -> None:
    line1 = citizen_card().split("\n")[0]
    assert decide(f"{line1}\n{second_line(line1, birth='000229')}", CITIZEN_CARD)
    assert decide(f"{line1}\n{second_line(line1, birth='90<<<<')}", CITIZEN_CARD)
    with pytest.raises(MrzUnsureError, match="cannot be one"):
        decide(f"{line1}\n{second_line(line1, **changes)}", CITIZEN_CARD)


def _foreign(number: str) -> str:
    line1 = f"I<UTO{number}{check_digit(number)}{'<' * 15}"
    return f"{line1}\n{second_line(line1, state='UTO')}"


def test_check_digits_choose_between_o_and_zero() -> None:
    right = _foreign("AO1230456")
    for first, second in itertools.product("O0", repeat=2):
        read = right.replace("AO1230456", f"A{first}123{second}456")
        assert decide(read, LAYOUTS["TD1"]).document_number == "AO1230456"


def test_o_and_zero_stay_open_where_check_digits_allow_both() -> None:
    # O counts 24 and 0 nothing: weights 7 and 3 give 168 + 72, a multiple of ten.
    assert check_digit("OO1234567") == check_digit("001234567")
    with pytest.raises(MrzUnsureError, match="check digits"):
        decide(_foreign("OO1234567"), LAYOUTS["TD1"])


def _in_doubt(text: str, at: str) -> list[AlignedLine]:
    """Return lines in which the characters above a `?` in `at` are not quite sure."""
    marks = at.ljust(len(text))
    return [
        AlignedLine(line, tuple(0.9 if marks[start + n] == "?" else 0.999 for n in range(30)))
        for start, line in ((0, text[:30]), (30, text[31:]))
    ]


@pytest.mark.parametrize(
    ("printed", "read"),
    [
        # Each misreading alone breaks the check digits; both together pass all of them.
        ("MA1SZ3P27", "MA1523P27"),
        # G counts 16 and 6 six: no check digit tells them apart.
        ("AB7G45673", "AB7645673"),
    ],
)
def test_lookalikes_in_doubt_that_check_digits_cannot_tell_are_refused(
    printed: str, read: str
) -> None:
    assert check_digit(printed) == check_digit(read)
    layout = LAYOUTS["TD1"]
    assert decide(_foreign(printed), layout).document_number == printed
    differing = "".join("?" if a != b else " " for a, b in zip(printed, read, strict=True))
    with pytest.raises(MrzUnsureError, match="check digits"):
        decide_mrz(_in_doubt(_foreign(read), " " * 5 + differing), layout, 0.5)


def test_check_digits_choose_between_lookalikes_in_doubt() -> None:
    right = _foreign("AB8234567")
    read = right.replace("AB8234567", "ABB234567")
    mrz = decide_mrz(_in_doubt(read, " " * 7 + "?"), LAYOUTS["TD1"], 0.5)
    assert mrz.document_number == "AB8234567"
    with pytest.raises(MrzUnsureError, match="check digits"):
        decide(read, LAYOUTS["TD1"])


def test_many_o_and_zero_are_not_tried() -> None:
    with pytest.raises(MrzUnsureError, match="check digits"):
        decide(_foreign("000000000"), LAYOUTS["TD1"])
