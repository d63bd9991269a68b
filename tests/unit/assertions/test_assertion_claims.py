"""The claim set refuses what its checks do not carry, and shows no personal data."""

import dataclasses
import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from api.assertions.claim_sections import (
    PersonClaims,
    Policy,
)
from api.assertions.claims import findings_of
from api.assertions.disclosures import ClaimPath
from api.assertions.errors import (
    ClaimsIncompleteError,
    LevelExceedsChecksError,
    MandatoryCheckError,
    SigningKeyExpiredError,
)
from api.assertions.levels import LEVELS, cap_level, shortfalls
from api.assertions.vct import TYPE_METADATA, VCT
from api.assertions.vocabulary import (
    AssuranceLevel,
    AttendanceMode,
    Capture,
    CheckResult,
    CloneMethod,
    OfficerDecision,
)

NOT_PERFORMED, FAILED, NOT_SUPPORTED = (
    CheckResult.NOT_PERFORMED,
    CheckResult.FAILED,
    CheckResult.NOT_SUPPORTED,
)


def replace(value: Any, path: str, new: Any) -> Any:
    """Return a frozen value with one nested field replaced."""
    name, _, rest = path.partition(".")
    inner = replace(getattr(value, name), rest, new) if rest else new
    return dataclasses.replace(value, **{name: inner})


def capped(claims: Any, *changes: tuple[str, Any]) -> AssuranceLevel | None:
    parts = {n: getattr(claims, n) for n in ("chip", "face", "pad", "iad", "attendance")}
    for path, new in changes:
        section, _, rest = path.partition(".")
        parts[section] = replace(parts[section], rest, new)
    return cap_level(findings_of(**parts))


BROWSER = ("iad.capture", Capture.BROWSER)
ALONE = ("attendance.mode", AttendanceMode.UNATTENDED)
OFFLINE = ("attendance.mode", AttendanceMode.ATTENDED_OFFLINE)
REMOTE = ("attendance.mode", AttendanceMode.ATTENDED_REMOTE)
SEALED = ("attendance.kiosk_seal", CheckResult.OK)
STALE_CRL = ("chip.pa.crl_check", NOT_PERFORMED)
DOWNGRADED = ("chip.downgrade_check", FAILED)
NO_CLONE_CHECK = ("chip.clone.result", NOT_SUPPORTED)
LOOSE = ("face.fmr_at_threshold", 1e-3)


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ([], "high"),
        ([OFFLINE], "substantial"),
        ([REMOTE], "substantial"),
        ([ALONE, SEALED], "substantial"),
        ([BROWSER], "substantial"),
        ([BROWSER, OFFLINE], "substantial"),
        ([BROWSER, REMOTE], "basic"),
        ([BROWSER, ALONE, SEALED], "basic"),
        ([ALONE], "basic"),
        ([("attendance.officer_decision", OfficerDecision.NOT_ASKED)], "basic"),
        ([STALE_CRL], "basic"),
        ([DOWNGRADED], "basic"),
        ([LOOSE], "basic"),
        ([NO_CLONE_CHECK], "basic"),
        ([BROWSER, ALONE, STALE_CRL, LOOSE, DOWNGRADED], "basic"),
        ([NO_CLONE_CHECK, ALONE], None),
        ([NO_CLONE_CHECK, REMOTE], None),
        ([("chip.clone.result", FAILED)], None),
        ([("chip.clone.result", NOT_PERFORMED)], None),
        ([("chip.clone.method", CloneMethod.NONE)], None),
        ([("chip.pa.result", NOT_PERFORMED)], None),
        ([("chip.pa.crl_check", FAILED)], None),
        ([("face.result", NOT_PERFORMED)], None),
        ([("face.fmr_at_threshold", 1.1e-3)], None),
        ([("face.fmr_at_threshold", None)], None),
        ([("face.fmr_at_threshold", float("nan"))], None),
        ([("pad.result", FAILED)], None),
        ([("pad.methods", ())], None),
    ],
)
def test_published_table(office: Any, changes: list[tuple[str, Any]], level: str | None) -> None:
    assert capped(office.claims(), *changes) == level


def test_shortfalls_name_what_is_missing(office: Any) -> None:
    claims = office.claims()
    findings = findings_of(
        chip=replace(claims.chip, "pa.crl_check", NOT_PERFORMED),
        face=claims.face,
        pad=claims.pad,
        iad=replace(claims.iad, "agent_key", None),
        attendance=claims.attendance,
    )
    assert shortfalls(findings, LEVELS[0]) == ("chip.pa.crl_check", "iad.capture")


@pytest.mark.parametrize(
    ("path", "value", "missing"),
    [
        ("chip.pa.result", FAILED, "chip.pa"),
        ("chip.pa.crl_check", FAILED, "chip.pa.crl_check"),
        ("chip.clone.result", NOT_PERFORMED, "chip.clone"),
        ("chip.dg_verified", (1,), "chip.dg_verified"),
        ("face.result", NOT_PERFORMED, "face"),
        ("pad.result", NOT_PERFORMED, "pad"),
        ("pad.methods", (), "pad.active"),
        ("txn.documents", (), "txn.documents"),
        ("attendance.officer_decision", OfficerDecision.REFUSED, "attendance.officer_decision"),
    ],
)
def test_no_assertion_without_a_mandatory_check(
    office: Any, path: str, value: Any, missing: str
) -> None:
    section, _, rest = path.partition(".")
    changed = replace(getattr(office.claims(), section), rest, value)
    with pytest.raises(MandatoryCheckError) as refusal:
        office.claims(**{section: changed})
    assert refusal.value.checks == (missing,)
    assert refusal.value.code == "mandatory-check-not-ok"


def test_level_above_the_checks(office: Any) -> None:
    alone = replace(office.claims().attendance, "mode", AttendanceMode.UNATTENDED)
    with pytest.raises(LevelExceedsChecksError):
        office.claims(attendance=alone)


def test_level_below_the_checks_is_fine(office: Any) -> None:
    verified = replace(
        office.claims().verified_claims, "verification.assurance_level", AssuranceLevel.BASIC
    )
    assert office.claims(verified_claims=verified)


@pytest.mark.parametrize(
    "change",
    [
        {"audience": ""},
        {"nonce": ""},
        {"jti": ""},
        {"lifetime_s": 0},
        {"lifetime_s": 86_401},
        {"policy": Policy("p", "1", "")},
    ],
)
def test_incomplete(office: Any, change: dict[str, Any]) -> None:
    with pytest.raises(ClaimsIncompleteError):
        office.claims(**change)


def test_nothing_said_of_the_person(office: Any) -> None:
    verified = replace(office.claims().verified_claims, "claims", PersonClaims())
    with pytest.raises(ClaimsIncompleteError):
        office.claims(verified_claims=verified)


def test_time_without_zone(office: Any) -> None:
    naive = office.at.replace(tzinfo=None)
    with pytest.raises(ClaimsIncompleteError):
        office.claims(issued_at=naive)
    with pytest.raises(ClaimsIncompleteError):
        office.claims(chip=replace(office.claims().chip, "pa.crl_time", naive))


def test_time_that_utc_does_not_have(office: Any) -> None:
    early = datetime.min.replace(tzinfo=timezone(timedelta(hours=14)))
    with pytest.raises(ClaimsIncompleteError):
        office.claims(chip=replace(office.claims().chip, "pa.crl_time", early))
    with pytest.raises(SigningKeyExpiredError):
        office.issue(issued_at=early)


def test_identifiers_are_fresh(office: Any) -> None:
    assert len({office.claims().jti for _ in range(50)}) == 50
    assert len(office.claims().jti) == 22  # 128 bits in base64url


def test_nothing_personal_is_printed(office: Any) -> None:
    claims = office.claims()
    printed = repr(claims) + repr(claims.to_payload("i")) + repr(office.verify(office.issue()))
    for personal in ("NGUYỄN", "079200000001", "2000-01-02", "Phường", "officer-12", "0.71"):
        assert personal not in printed


def test_what_is_absent_stays_out(office: Any) -> None:
    payload = office.claims().to_payload("i").claims
    assert "audit" not in payload
    assert "status" not in payload
    assert "null" not in json.dumps(payload)


def test_type_metadata_and_claim_set_agree(office: Any) -> None:
    metadata = json.loads(TYPE_METADATA)
    assert metadata["vct"] == VCT
    said = {tuple(c["path"]) for c in metadata["claims"] if c["sd"] == "always"}

    def generic(path: ClaimPath) -> tuple[str | None, ...]:
        return tuple(None if isinstance(step, int) else step for step in path)

    assert {generic(p) for p in office.claims().to_payload("i").disclosable} == said


def test_everything_not_disclosed_is_hidden(office: Any) -> None:
    compact = office.issue().split("~")[0]

    def texts(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for item in value.values():
                yield from texts(item)
        elif isinstance(value, list):
            for item in value:
                yield from texts(item)
        else:
            yield str(value)

    from api.assertions import jws

    visible = set(texts(jws.parse(compact).payload))
    assert visible.isdisjoint({"NGUYỄN THỊ MẪU", "079200000001", "2000-01-02", "0.71"})
