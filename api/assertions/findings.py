"""What an assertion's checks found, read from its claims by issuer and relying party alike."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeGuard, TypeVar

from api.assertions.vocabulary import (
    AssuranceLevel,
    AttendanceMode,
    Capture,
    CheckResult,
    OfficerDecision,
    PadKind,
)

_DIGEST = re.compile(r"[0-9a-f]{64}")

Word = TypeVar("Word", bound=StrEnum)

# Found in a third of the time that calling the class takes, and without an exception.
_WORDS: dict[type[StrEnum], Any] = {
    words: {word.value: word for word in words}
    for words in (AssuranceLevel, AttendanceMode, Capture, CheckResult, OfficerDecision)
}

OFFICERS_EYES = frozenset({AttendanceMode.ATTENDED_LOCAL, AttendanceMode.ATTENDED_OFFLINE})
"""Modes in which an officer sees the person, the card and the camera."""

MANDATORY_DATA_GROUPS = frozenset({1, 2})
"""DG1 names the person, DG2 holds the portrait (Doc 9303-10, both mandatory)."""


@dataclass(frozen=True)
class Findings:
    """What the published table of levels looks at.

    Whatever is absent from the claims, or is not one of their words, counts as not performed.
    """

    pa: CheckResult
    """Passive Authentication up to a trusted CSCA."""
    crl: CheckResult
    """ok: a fresh CRL of that CSCA does not list the document signer."""
    downgrade: CheckResult
    """ok: the strongest access protocol that the chip offers was used."""
    clone: CheckResult
    """Chip or Active Authentication on the server's challenge."""
    capture: Capture
    face: CheckResult
    fmr_at_threshold: float | None
    """False match rate at the threshold applied, in (0, 1]; None where it is not known."""
    pad: CheckResult
    """The overall verdict on presentation attacks."""
    pad_active: CheckResult
    pad_passive: CheckResult
    attendance: AttendanceMode
    officer_decision: OfficerDecision
    kiosk_seal: CheckResult
    """ok: an enrolled kiosk whose seal was checked."""

    @property
    def officer_agreed(self) -> bool:
        """An officer attended, in whatever way, and agreed."""
        attended = self.attendance is not AttendanceMode.UNATTENDED
        return attended and self.officer_decision is OfficerDecision.AGREED

    @property
    def under_officers_eyes(self) -> bool:
        """An officer was there in person, and agreed."""
        return self.attendance in OFFICERS_EYES and self.officer_agreed

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "Findings":
        """Read the findings from a claim set (`chip`, `face`, `pad`, `iad`, `attendance`)."""
        chip, face, pad, attendance = (
            _object_at(payload, name) for name in ("chip", "face", "pad", "attendance")
        )
        pa = _object_at(chip, "pa")
        return cls(
            pa=_result(pa, "result"),
            crl=_result(pa, "crl_check"),
            downgrade=_result(chip, "downgrade_check"),
            clone=_clone(_object_at(chip, "clone")),
            capture=_capture(_object_at(payload, "iad")),
            face=_result(face, "result"),
            fmr_at_threshold=_rate(face.get("fmr_at_threshold")),
            pad=_result(pad, "result"),
            pad_active=_pad_methods(pad, PadKind.ACTIVE),
            pad_passive=_pad_methods(pad, PadKind.PASSIVE),
            attendance=_word(attendance.get("mode"), AttendanceMode.UNATTENDED),
            officer_decision=_word(attendance.get("officer_decision"), OfficerDecision.NOT_ASKED),
            kiosk_seal=_result(attendance, "kiosk_seal"),
        )


def mandatory_shortfalls(
    payload: Mapping[str, Any], findings: Findings | None = None
) -> tuple[str, ...]:
    """Return the names of the mandatory checks that a claim set does not show as ok.

    Mandatory at every level: Passive Authentication with DG1 and DG2 verified, the clone check (or
    a chip without one under an officer's eyes), the face, active PAD, at least one bound document,
    evidence whose own checks are ok, and the policy that decided. No finding may be adverse: a
    revoked document signer, a suspected presentation attack, a broken seal and an officer's refusal
    end here too.

    Args:
        payload: the claim set.
        findings: what was read from it already.
    """
    found = findings or Findings.from_payload(payload)
    clone_ok = found.clone is CheckResult.OK or (
        found.clone is CheckResult.NOT_SUPPORTED and found.under_officers_eyes
    )
    verdicts = {
        "chip.pa": found.pa is CheckResult.OK,
        "chip.pa.crl_check": found.crl is not CheckResult.FAILED,
        "chip.dg_verified": _data_groups(payload) >= MANDATORY_DATA_GROUPS,
        "chip.clone": clone_ok,
        "face": found.face is CheckResult.OK,
        "pad": found.pad is CheckResult.OK,
        "pad.active": found.pad_active is CheckResult.OK,
        "pad.passive": found.pad_passive is not CheckResult.FAILED,
        "pad.methods": CheckResult.FAILED not in _results(value_at(payload, "pad", "methods")),
        "attendance.officer_decision": found.officer_decision is not OfficerDecision.REFUSED,
        "attendance.kiosk_seal": found.kiosk_seal is not CheckResult.FAILED,
        "verified_claims.evidence": _evidence_holds(payload),
        "txn.documents": bool(document_digests(payload)),
        "policy.digest": is_sha256(value_at(payload, "policy", "digest")),
    }
    return tuple(name for name, holds in verdicts.items() if not holds)


def claimed_level(payload: Mapping[str, Any]) -> AssuranceLevel | None:
    """Return the assurance level that a claim set names; None where it is no known one."""
    value = value_at(payload, "verified_claims", "verification", "assurance_level")
    return _WORDS[AssuranceLevel].get(value) if isinstance(value, str) else None


def document_digests(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the SHA-256 digests (lower-case hex) of the documents that a claim set binds.

    Empty where there is none, and where any entry is something else than a SHA-256 digest.
    """
    documents = value_at(payload, "txn", "documents")
    if not isinstance(documents, list):
        return ()
    digests = tuple([_sha256(document) for document in documents])
    return digests if all(digests) else ()


def _sha256(document: Any) -> str:
    if not isinstance(document, Mapping) or document.get("alg") != "sha-256":
        return ""
    digest = document.get("digest")
    return digest if is_sha256(digest) else ""


def is_sha256(value: Any) -> TypeGuard[str]:
    """Whether a claim is a SHA-256 digest as the claim set writes it: lower-case hex."""
    return isinstance(value, str) and _DIGEST.fullmatch(value) is not None


def value_at(payload: Any, *path: str) -> Any:
    """Return what lies at a path of names in a claim set; None where nothing does."""
    for name in path:
        if not isinstance(payload, dict):
            return None
        payload = payload.get(name)
    return payload


def _object_at(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the object of a name; an empty one where there is none."""
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def _word(value: Any, default: Word) -> Word:
    words: Mapping[str, Word] = _WORDS[type(default)]
    return words.get(value, default) if isinstance(value, str) else default


def _result(holder: Mapping[str, Any], name: str) -> CheckResult:
    return _word(holder.get(name), CheckResult.NOT_PERFORMED)


def _clone(clone: Mapping[str, Any]) -> CheckResult:
    """Count a clone check as ok only where it says by which method and on whose challenge."""
    result = _result(clone, "result")
    proven = clone.get("method") in ("CA", "AA") and _is_named(clone.get("server_challenge"))
    return CheckResult.NOT_PERFORMED if result is CheckResult.OK and not proven else result


def _capture(iad: Mapping[str, Any]) -> Capture:
    """Count a capture as attested only where an agent's key is named and every check is ok."""
    capture = _word(iad.get("capture"), Capture.BROWSER)
    is_ok = _results(iad.get("checks")) == {CheckResult.OK}
    return capture if is_ok and _is_named(iad.get("agent_key")) else Capture.BROWSER


def _rate(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 < value <= 1 else None


def _pad_methods(pad: Mapping[str, Any], kind: PadKind) -> CheckResult:
    """Combine the methods of one kind: one failed fails all, one ok suffices otherwise."""
    methods = pad.get("methods")
    if not isinstance(methods, list):
        return CheckResult.NOT_PERFORMED
    results = [_result(m, "result") for m in methods if value_at(m, "kind") == kind]
    for result in (CheckResult.FAILED, CheckResult.OK, CheckResult.NOT_SUPPORTED):
        if result in results:
            return result
    return CheckResult.NOT_PERFORMED


def _is_named(value: Any) -> bool:
    """Whether a claim says what it is about: text, and no boolean that stands for it."""
    return isinstance(value, str) and value != ""


def _evidence_holds(payload: Mapping[str, Any]) -> bool:
    """Whether there is evidence, a document first of all, and each check of it is ok."""
    evidence = value_at(payload, "verified_claims", "verification", "evidence")
    if not isinstance(evidence, list):
        return False
    has_document = any(value_at(item, "type") == "document" for item in evidence)
    results = [_results(value_at(item, "check_details")) for item in evidence]
    return has_document and all(found == {CheckResult.OK} for found in results)


def _results(checks: Any) -> frozenset[CheckResult]:
    """Return the results in a list of checks; what is not one of their words counts as failed."""
    if not isinstance(checks, list):
        return frozenset()
    return frozenset([_word(value_at(check, "result"), CheckResult.FAILED) for check in checks])


def _data_groups(payload: Mapping[str, Any]) -> frozenset[int]:
    groups = value_at(payload, "chip", "dg_verified")
    if not isinstance(groups, list):
        return frozenset()
    return frozenset(g for g in groups if isinstance(g, int) and not isinstance(g, bool))
