"""Assertions of another type, policy or document, and of sessions that should have had none."""

import hashlib
from typing import Any

import pytest

from api.assertions.verification import Outcome
from api.assertions.vocabulary import AssuranceLevel
from tests.fixtures.refusals import Change, refused


@pytest.mark.parametrize("vct", ["urn:chinhchu:vct:identity-proofing:2", "", None])
def test_other_credential_type(office: Any, vct: Any) -> None:
    refused(office.verify(office.sign(lambda p: p.update(vct=vct))), "vct-unknown")


def test_other_type_metadata(office: Any) -> None:
    change: Change = lambda p: p.update({"vct#integrity": "sha256-AAAA"})  # noqa: E731
    refused(office.verify(office.sign(change)), "vct-unknown")


def test_other_policy(office: Any) -> None:
    known = hashlib.sha256(b"the catalogue's file").hexdigest()
    refused(office.verify(office.issue(), policy_digests={known}), "policy-unknown")
    assert office.verify(office.issue(), policy_digests={"7a" * 32}).outcome is Outcome.PASSED


def test_document_changed(office: Any) -> None:
    changed = office.document.replace(b"1.7", b"1.6")
    refused(office.verify(office.issue(), documents=[changed]), "document-changed")


def test_document_added(office: Any) -> None:
    refused(
        office.verify(office.issue(), documents=[office.document, b"another"]), "document-changed"
    )


def not_ok(section: str, *path: str, value: str = "failed") -> Change:
    def change(payload: dict[str, Any]) -> None:
        target = payload[section]
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value

    return change


def evidence_of(payload: dict[str, Any]) -> list[dict[str, Any]]:
    evidence: list[dict[str, Any]] = payload["verified_claims"]["verification"]["evidence"]
    return evidence


HOLLOW: dict[str, Change] = {
    "chip.pa": not_ok("chip", "pa", "result"),
    "chip.pa-not-performed": not_ok("chip", "pa", "result", value="not_performed"),
    "chip.pa-boolean": lambda p: p["chip"]["pa"].update(result=True),
    "chip.revoked": not_ok("chip", "pa", "crl_check"),
    "chip.absent": lambda p: p.pop("chip"),
    "chip.clone": not_ok("chip", "clone", "result"),
    "chip.clone-challenge-boolean": lambda p: p["chip"]["clone"].update(server_challenge=True),
    "chip.clone-without-challenge": lambda p: p["chip"]["clone"].pop("server_challenge"),
    "chip.no-portrait-verified": lambda p: p["chip"].update(dg_verified=[1, 13]),
    "face": not_ok("face", "result"),
    "face.absent": lambda p: p.pop("face"),
    "pad": not_ok("pad", "result"),
    "pad.no-methods": lambda p: p["pad"].update(methods=[]),
    "pad.passive-only": lambda p: p["pad"].update(methods=p["pad"]["methods"][1:]),
    "pad.passive-suspects": lambda p: p["pad"]["methods"][1].update(result="failed"),
    "pad.method-of-no-kind-suspects": lambda p: p["pad"]["methods"].append(
        {"id": "x", "version": "1", "kind": "other", "result": "failed"}
    ),
    "pad.method-boolean": lambda p: p["pad"]["methods"][0].update(result=True),
    "seal-broken": not_ok("attendance", "kiosk_seal"),
    "evidence.absent": lambda p: p["verified_claims"]["verification"].pop("evidence"),
    "evidence.empty": lambda p: evidence_of(p).clear(),
    "evidence.no-document": lambda p: evidence_of(p)[0].update(type="electronic_record"),
    "evidence.failed": lambda p: evidence_of(p)[0]["check_details"][1].update(result="failed"),
    "evidence.boolean": lambda p: evidence_of(p)[0]["check_details"][0].update(result=True),
    "evidence.not-checked": lambda p: evidence_of(p)[0].update(check_details=[]),
    "evidence.authority-disagreed": lambda p: evidence_of(p).append(
        {"type": "electronic_record", "check_details": [{"result": "failed"}]}
    ),
    "policy.absent": lambda p: p.pop("policy"),
    "policy.digest-empty": lambda p: p["policy"].update(digest=""),
    "officer-refused": not_ok("attendance", "officer_decision", value="refused"),
}


@pytest.mark.parametrize("change", HOLLOW.values(), ids=HOLLOW)
def test_session_without_a_mandatory_check(office: Any, change: Change) -> None:
    verification = office.verify(office.sign(change, hide=False))
    assert verification.outcome is Outcome.FAILED
    assert verification.reasons[0] == "mandatory-check-not-ok"
    assert set(verification.reasons[1:]) <= {"level-exceeds-checks"}


@pytest.mark.parametrize("documents", [[], None, [{"alg": "md5", "digest": "00"}], "x"])
def test_without_documents(office: Any, documents: Any) -> None:
    verification = office.verify(office.sign(lambda p: p["txn"].update(documents=documents)))
    refused(verification, "mandatory-check-not-ok")


@pytest.mark.parametrize(
    "change",
    [
        not_ok("chip", "pa", "crl_check", value="not_performed"),
        not_ok("chip", "downgrade_check"),
        not_ok("iad", "capture", value="browser"),
        lambda p: p["iad"].pop("agent_key"),
        lambda p: p["iad"].update(agent_key=True),
        lambda p: p["iad"]["checks"][0].update(result="failed"),
        lambda p: p["iad"]["checks"][0].update(result=True),
        lambda p: p["iad"].update(checks=[]),
        lambda p: p.pop("iad"),
        not_ok("attendance", "mode", value="attended_offline"),
        not_ok("attendance", "officer_decision", value="not_asked"),
        lambda p: p["face"].update(fmr_at_threshold=1e-3),
        lambda p: p["face"].update(fmr_at_threshold=0),
        lambda p: p["face"].update(fmr_at_threshold=True),
        lambda p: p["face"].update(fmr_at_threshold=10**400),
        lambda p: p["face"].pop("fmr_at_threshold"),
        lambda p: p["pad"].update(methods=p["pad"]["methods"][:1]),
    ],
)
def test_level_that_the_checks_do_not_carry(office: Any, change: Change) -> None:
    refused(office.verify(office.sign(change, hide=False)), "level-exceeds-checks")


@pytest.mark.parametrize("level", ["very high", None, "HIGH", 3])
def test_level_that_is_none(office: Any, level: Any) -> None:
    verification = office.verify(
        office.sign(lambda p: p["verified_claims"]["verification"].update(assurance_level=level))
    )
    refused(verification, "level-unknown")


def test_level_below_what_is_demanded(office: Any) -> None:
    assertion = office.sign(
        lambda p: p["verified_claims"]["verification"].update(assurance_level="basic")
    )
    assert office.verify(assertion).outcome is Outcome.PASSED
    refused(
        office.verify(assertion, minimum_level=AssuranceLevel.SUBSTANTIAL), "level-below-minimum"
    )
