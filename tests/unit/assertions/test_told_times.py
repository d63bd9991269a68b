"""Times and dates of the verdict: Vietnam's for who reads Vietnamese, RFC 3339 in UTC otherwise."""

import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from api.assertions.messages import LANGUAGES, load_messages
from api.cli.told_times import (
    rfc3339,
    told_claimed_date,
    told_claimed_time,
    told_seconds,
    told_time,
)
from api.cli.verify_output import as_json, print_verification
from api.pdf.signatures import Level, PdfSignature
from api.pdf.verification import PdfVerification
from tests.fixtures.office import AT, Office

VI, EN = (load_messages(language) for language in ("vi", "en"))
CATALOGUE = Path(__file__).parents[3] / "api/procedures/catalogue"


@pytest.mark.parametrize(
    ("moment", "vietnamese", "english"),
    [
        (
            datetime(2026, 11, 21, 3, tzinfo=UTC),
            "10:00:00 ngày 21/11/2026, giờ Việt Nam UTC+7",
            "2026-11-21T03:00:00Z",
        ),
        (
            datetime(2026, 12, 31, 17, 0, 59, 999_999, tzinfo=UTC),
            "00:00:59 ngày 01/01/2027, giờ Việt Nam UTC+7",
            "2026-12-31T17:00:59Z",
        ),
        (
            datetime(2026, 6, 1, tzinfo=timezone(timedelta(hours=-5))),
            "12:00:00 ngày 01/06/2026, giờ Việt Nam UTC+7",
            "2026-06-01T05:00:00Z",
        ),
        (
            datetime(1, 1, 1, tzinfo=UTC),
            "07:00:00 ngày 01/01/0001, giờ Việt Nam UTC+7",
            "0001-01-01T00:00:00Z",
        ),
        (  # no hour of the calendar in Vietnam
            datetime(9999, 12, 31, 17, tzinfo=UTC),
            "9999-12-31T17:00:00Z",
            "9999-12-31T17:00:00Z",
        ),
    ],
    ids=["day", "new-year", "other-zone", "first-year", "last-hours"],
)
def test_time(moment: datetime, vietnamese: str, english: str) -> None:
    assert told_time(moment, VI) == vietnamese
    assert told_time(moment, EN) == rfc3339(moment) == english


def test_numeric_date() -> None:
    assert told_seconds(1_795_230_900, VI) == "10:15:00 ngày 21/11/2026, giờ Việt Nam UTC+7"
    assert told_seconds(1_795_230_900, EN) == "2026-11-21T03:15:00Z"
    assert told_seconds(253_402_300_800, VI) == "253402300800"  # the year 10000
    assert told_seconds(10**400, EN) == str(10**400)


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        ("2026-11-21T03:00:00Z", "10:00:00 ngày 21/11/2026, giờ Việt Nam UTC+7"),
        ("2026-11-21T03:00:00.5Z", "10:00:00 ngày 21/11/2026, giờ Việt Nam UTC+7"),
        ("2026-11-21T23:00:00+07:00", "23:00:00 ngày 21/11/2026, giờ Việt Nam UTC+7"),
    ],
)
def test_claim_that_is_a_time(claim: str, told: str) -> None:
    assert told_claimed_time(claim, VI) == told


@pytest.mark.parametrize(
    "claim",
    [
        *("2026-11-21T03:00:00", "2026-11-21", "20261121T030000Z", "2026-13-21T03:00:00Z"),
        *("2026-11-21T03:00:00+25:00", "2026-11-21T03:00:60Z", "\uff12026-11-21T03:00:00Z"),
        *("2026-11-21T03:00:00Z\n", "yesterday", "", 1_795_230_900, None, True, ["2026"], {}),
    ],
)
def test_claim_that_is_no_time_is_shown_as_it_is(claim: Any) -> None:
    """Without an offset nobody knows which time it is."""
    assert told_claimed_time(claim, VI) == claim
    assert told_claimed_time(claim, EN) == claim


def test_claim_that_is_a_date() -> None:
    assert told_claimed_date("2000-01-02", VI) == "02/01/2000"
    assert told_claimed_date("2000-01-02", EN) == "2000-01-02"


@pytest.mark.parametrize(
    "claim",
    [
        *("2000-02-30", "2000", "2000-01", "1990-XX-XX", "02/01/2000", "20000102", "2000-W01-1"),
        *("2000-01-02T00:00:00Z", "\u0662000-01-02", "", 20000102, None, True, ["2000-01-02"]),
    ],
)
def test_claim_that_is_no_date_is_shown_as_it_is(claim: Any) -> None:
    """A birthday of which the chip knows the year alone is no day."""
    assert told_claimed_date(claim, VI) == claim
    assert told_claimed_date(claim, EN) == claim


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def print_in(language: str, found: Any) -> str:
        print_verification(found, load_messages(language), time_asked=False)
        return " ".join(capsys.readouterr().out.split())

    return print_in


def test_the_whole_verdict(office: Office, printed: Callable[..., str]) -> None:
    found = office.verify(office.issue())
    vietnamese, english = printed("vi", found), printed("en", found)
    assert "Z" not in vietnamese.replace("SHA-256", "")
    for said in (
        "Thời điểm được xét: 10:00:00 ngày 21/11/2026, giờ Việt Nam UTC+7 (hiện tại",
        "Xác minh lúc 10:00:00 ngày 21/11/2026, giờ Việt Nam UTC+7",
        "Hết hạn 10:15:00 ngày 21/11/2026, giờ Việt Nam UTC+7",
        "Ngày sinh 02/01/2000 Giới tính nữ Quốc tịch Việt Nam (VNM)",
    ):
        assert said in vietnamese
    for said in (
        "Judged for: 2026-11-21T03:00:00Z (now",
        "Verified at 2026-11-21T03:00:00Z Expires 2026-11-21T03:15:00Z",
        "Date of birth 2000-01-02 Sex female",
    ):
        assert said in english
    assert as_json(found)["judged_at"] == "2026-11-21T03:00:00Z"


def test_signature_of_a_pdf(office: Office, printed: Callable[..., str]) -> None:
    signature = PdfSignature(
        field_name="Notary",
        end=1,
        reason=None,
        broken=False,
        time=AT,
        level=Level.LTA,
        signer="CN=Notary",
    )
    found = PdfVerification((), (office.verify(office.issue()),), (signature,))
    level = f"CN=Notary ({Level.LTA}, "
    assert level + "thời điểm được chứng minh 10:00:00 ngày 21/11/2026," in printed("vi", found)
    assert f"{level}proven time 2026-11-21T03:00:00Z)" in printed("en", found)
    assert as_json(found)["pdf"]["signatures"][0]["time"] == "2026-11-21T03:00:00Z"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_role_of_the_catalogue_has_words(language: str) -> None:
    files = list(CATALOGUE.glob("*.toml"))
    roles = {role for file in files for role in tomllib.loads(file.read_text())["party_roles"]}
    assert len(roles) > 5
    assert roles <= load_messages(language)["party_role"].keys()
