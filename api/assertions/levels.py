"""Assurance levels: one published table, computed from the checks, never chosen by hand.

The issuer and the relying party read the same table over the same findings. A row that is missed
anywhere does not hold; below the last row there is no assertion.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from api.assertions.findings import Findings
from api.assertions.vocabulary import AssuranceLevel, AttendanceMode, Capture, CheckResult


class BrowserCapture(StrEnum):
    """When frames from a browser, which cannot tell a virtual camera, are good enough."""

    REFUSED = "refused"
    UNDER_OFFICERS_EYES = "under_officers_eyes"
    ACCEPTED = "accepted"


class Attending(StrEnum):
    """Who has to be there."""

    ANY = "any"
    OFFICER_OR_SEALED_KIOSK = "officer_or_sealed_kiosk"
    OFFICER_PRESENT = "officer_present"
    """At the counter and connected: an offline session has no fresh status yet."""


@dataclass(frozen=True)
class Requirement:
    """One row of the published table."""

    level: AssuranceLevel
    fresh_crl: bool
    no_downgrade: bool
    clone_optional_under_officer: bool
    """A chip that supports no clone check will do under an officer's eyes."""
    browser: BrowserCapture
    max_fmr: float
    """Highest false match rate at the face threshold."""
    passive_pad: bool
    """Passive PAD has to be ok too; a suspected attack is refused at every level anyway."""
    attending: Attending


LEVELS: tuple[Requirement, ...] = (
    Requirement(
        level=AssuranceLevel.HIGH,
        fresh_crl=True,
        no_downgrade=True,
        clone_optional_under_officer=False,
        browser=BrowserCapture.REFUSED,
        max_fmr=1e-4,
        passive_pad=True,
        attending=Attending.OFFICER_PRESENT,
    ),
    Requirement(
        level=AssuranceLevel.SUBSTANTIAL,
        fresh_crl=True,
        no_downgrade=True,
        clone_optional_under_officer=False,
        browser=BrowserCapture.UNDER_OFFICERS_EYES,
        max_fmr=1e-4,
        passive_pad=True,
        attending=Attending.OFFICER_OR_SEALED_KIOSK,
    ),
    Requirement(
        level=AssuranceLevel.BASIC,
        fresh_crl=False,
        no_downgrade=False,
        clone_optional_under_officer=True,
        browser=BrowserCapture.ACCEPTED,
        max_fmr=1e-3,
        passive_pad=False,
        attending=Attending.ANY,
    ),
)
"""The published table, strongest row first."""


def cap_level(findings: Findings) -> AssuranceLevel | None:
    """Return the highest level that the findings allow, or None where not even basic holds."""
    for requirement in LEVELS:
        if next(_missed(findings, requirement), None) is None:
            return requirement.level
    return None


def shortfalls(findings: Findings, requirement: Requirement) -> tuple[str, ...]:
    """Return what keeps the findings from one row of the table, in the claim set's words."""
    return tuple(_missed(findings, requirement))


def _missed(findings: Findings, requirement: Requirement) -> Iterator[str]:
    ok, failed = CheckResult.OK, CheckResult.FAILED
    if findings.pa is not ok:
        yield "chip.pa"
    if findings.crl is not ok and (requirement.fresh_crl or findings.crl is failed):
        yield "chip.pa.crl_check"
    if findings.downgrade is not ok and requirement.no_downgrade:
        yield "chip.downgrade_check"
    if findings.clone is not ok and not _clone_excused(findings, requirement):
        yield "chip.clone"
    if not _capture_holds(findings, requirement.browser):
        yield "iad.capture"
    if findings.face is not ok:
        yield "face"
    if findings.fmr_at_threshold is None or findings.fmr_at_threshold > requirement.max_fmr:
        yield "face.fmr_at_threshold"
    if findings.pad is not ok:
        yield "pad"
    if findings.pad_active is not ok:
        yield "pad.active"
    if findings.pad_passive is not ok and (
        requirement.passive_pad or findings.pad_passive is failed
    ):
        yield "pad.passive"
    if not _attendance_holds(findings, requirement.attending):
        yield "attendance"


def _clone_excused(findings: Findings, requirement: Requirement) -> bool:
    return (
        requirement.clone_optional_under_officer
        and findings.clone is CheckResult.NOT_SUPPORTED
        and findings.under_officers_eyes
    )


def _capture_holds(findings: Findings, browser: BrowserCapture) -> bool:
    if findings.capture is Capture.ATTESTED_AGENT or browser is BrowserCapture.ACCEPTED:
        return True
    return browser is BrowserCapture.UNDER_OFFICERS_EYES and findings.under_officers_eyes


def _attendance_holds(findings: Findings, attending: Attending) -> bool:
    if attending is Attending.ANY:
        return True
    if attending is Attending.OFFICER_PRESENT:
        at_counter = findings.attendance is AttendanceMode.ATTENDED_LOCAL
        return at_counter and findings.officer_agreed
    return findings.officer_agreed or findings.kiosk_seal is CheckResult.OK
