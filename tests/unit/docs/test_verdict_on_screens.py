"""The verdict can be read on a screen of 80 columns, and from a pipe, in both languages."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from api.assertions.messages import LANGUAGES, load_messages
from api.assertions.verification import Check, CheckName, Verification
from api.assertions.vocabulary import AssuranceLevel, AttendanceMode, CheckResult
from api.cli.verify_output import print_verification

DIGEST = "0123456789abcdef" * 4
CLAIMS = {
    "iss": "urn:uuid:2733de9a-7c37-44ab-8084-c40acc6ec177",
    "exp": 1795351217,
    "txn": {"procedure_code": "2.000884", "documents": [{"role": "main", "digest": DIGEST}]},
}


def shown(
    capsys: pytest.CaptureFixture[str],
    language: str,
    code: str,
    result: CheckResult,
    claims: dict[str, Any] = CLAIMS,
) -> list[str]:
    """Print a verification all of whose checks have one reason, as a person would see it."""
    checks = tuple(
        Check(name, result, code, required=name is not CheckName.REPLAY) for name in CheckName
    )
    found = Verification(checks, claims, datetime(2026, 11, 22, tzinfo=UTC))
    print_verification(found, load_messages(language), time_asked=True)
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("columns", [80, 100, 160])
def test_nothing_is_wider_than_the_screen_or_torn(
    language: str, columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for code in load_messages(language)["reason"]:
        lines = shown(capsys, language, code, CheckResult.NOT_PERFORMED)
        assert max(map(len, lines)) < columns
        whole = re.compile(rf"[(\[]{code}[)\]]")
        # Once for each check, and once for each that is required, below the outcome.
        assert sum(len(whole.findall(line)) for line in lines) == 2 * len(CheckName) - 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_failed_verification_claims_is_not_shown(
    language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = shown(capsys, language, "document-changed", CheckResult.FAILED)
    assert DIGEST not in "".join(line.strip() for line in lines)
    lines = shown(capsys, language, "status-unknown", CheckResult.NOT_PERFORMED)
    assert DIGEST in "".join(line.strip() for line in lines)


@pytest.mark.parametrize("language", LANGUAGES)
def test_levels_and_attendance_are_told_in_words(
    language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = load_messages(language)["value"]
    assert set(words) == {*AssuranceLevel, *AttendanceMode}
    for mode in (*AttendanceMode, ["unattended"], {}, 7, "by post"):
        claims = {**CLAIMS, "attendance": {"mode": mode}}
        lines = shown(capsys, language, "status-unknown", CheckResult.NOT_PERFORMED, claims)
        told = words[mode] if mode in tuple(AttendanceMode) else str(mode)
        assert [line for line in lines if line.endswith(f"  {told}")] != []
