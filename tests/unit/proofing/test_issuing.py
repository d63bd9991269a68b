"""Issuing: the procedure decides what is said of a person, and no missing check is signed over."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from api.assertions import jws, sd_jwt
from api.assertions.errors import LevelExceedsChecksError, MandatoryCheckError
from api.assertions.verifier import verify
from api.assertions.vocabulary import (
    AssuranceLevel,
    Capture,
    CheckResult,
    CloneMethod,
    OfficerDecision,
    PadKind,
)
from api.keys import keys
from api.keys.ring import KeyRing
from api.procedures.catalogue import Catalogue, Procedure
from api.proofing.issuing import DIGESTS_AT_LEAST, Issued, Issuing
from api.proofing.schemas import SessionIn
from api.status.lists import StatusLists
from api.store.database import open_database
from biometrics.types import Outcome
from devices.emrtd.checks import CheckResult as ChipResult

DOCUMENT = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""SHA-256 of nothing."""
SESSION = "0" * 32
PERSON: dict[str, Any] = {
    "name": "NGUYỄN THỊ MẪU",
    "id_number": "079200000001",
    "date_of_birth": date(2000, 1, 2),
    "sex": "F",
    "nationality": "VNM",
    "place_of_residence": "Phường Mẫu",
    "document_code": "I<",
    "document_number": "200000001",
    "issuer": "VNM",
    "date_of_issue": date(2021, 6, 1),
    "date_of_expiry": None,
}
CATALOGUE = Catalogue.load()
NOT_OK = [result for result in CheckResult if result is not CheckResult.OK]


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> KeyRing:
    folder = tmp_path_factory.mktemp("issuing") / "keys"
    keys.init(folder, issuer="https://chinhchu.example", password=None)
    return KeyRing.open(folder, None)


def request(procedure: Procedure) -> SessionIn:
    document = {
        "role": "main",
        "media_type": "application/pdf",
        "sha256": DOCUMENT,
        "byte_length": 1,
    }
    return SessionIn.model_validate(
        {
            "procedure_code": procedure.code,
            "audience": "https://notary.example",
            "nonce": "nonce-of-the-notary",
            "dossier_id": "D-1",
            "party_role": procedure.party_roles[0],
            "purpose": "a test",
            "documents": [document],
        }
    )


def parts_of(office: Any, **changes: Any) -> Any:
    claims = office.claims()
    sections = {
        name: getattr(claims, name) for name in ("chip", "face", "pad", "iad", "attendance")
    }
    return sections | changes


def issue(
    ring: KeyRing,
    parts: Any,
    procedure: Procedure = CATALOGUE.get("2.000884"),  # noqa: B008 - immutable
    *,
    statuses: StatusLists | None = None,
    answer: Any = None,
    level: AssuranceLevel = AssuranceLevel.BASIC,
    **person: Any,
) -> Issued:
    chip: Any = SimpleNamespace(
        passive_authentication=ChipResult.OK,
        online_verdict=answer,
        check=lambda name: SimpleNamespace(result=ChipResult.OK, name=name),
    )
    findings: Any = SimpleNamespace(
        chip=chip,
        document=SimpleNamespace(**PERSON | person),
        comparison=SimpleNamespace(outcome=Outcome.PASSED),
    )
    issuing = Issuing(ring, statuses.allocation if statuses else None)
    return issuing.issue(SESSION, request(procedure), procedure, level, findings, parts)


def payload_of(issued: Issued) -> dict[str, Any]:
    return sd_jwt.parse(issued.assertion).reveal().payload


@pytest.mark.parametrize("procedure", CATALOGUE.all(), ids=lambda p: p.code)
def test_the_procedure_decides_what_is_said_of_the_person(
    procedure: Procedure, office: Any, ring: KeyRing
) -> None:
    issued = issue(ring, parts_of(office), procedure)
    payload = payload_of(issued)
    said = payload["verified_claims"]["claims"]
    assert set(said) == set(procedure.claims)
    details = payload["verified_claims"]["verification"]["evidence"][0]["document_details"]
    assert ("document_number" in details) == ("id_number" in procedure.claims)
    assert payload["policy"] == {
        "id": procedure.code,
        "version": procedure.version,
        "digest": procedure.digest,
    }
    # Each of them can be left out, and nothing of the person is in the clear.
    hidden = sd_jwt.present(issued.assertion, [])
    assert "claims" in payload_of(Issued(hidden, ()))["verified_claims"]
    assert payload_of(Issued(hidden, ()))["verified_claims"]["claims"] == {}
    signed = jws.parse(issued.assertion.split("~")[0]).payload
    assert "MẪU" not in str(signed)
    assert PERSON["document_number"] not in str(signed)


def test_what_a_card_lacks_does_not_show_in_the_number_of_digests(
    office: Any, ring: KeyRing
) -> None:
    procedure = CATALOGUE.get("1.000894")
    counts = set()
    for lacking in ({}, {"place_of_residence": None}, {"date_of_birth": None, "sex": None}):
        signed = jws.parse(
            issue(ring, parts_of(office), procedure, **lacking).assertion.split("~")[0]
        ).payload["verified_claims"]
        details = signed["verification"]["evidence"][0]["document_details"]
        counts.add((len(signed["claims"]["_sd"]), len(details["_sd"])))
    assert counts == {(DIGESTS_AT_LEAST, DIGESTS_AT_LEAST)}
    assert max(len(p.claims) for p in CATALOGUE.all()) < DIGESTS_AT_LEAST


def lacking(office: Any) -> dict[str, dict[str, Any]]:
    """Return parts that lack a mandatory check each, by its name and how it failed."""
    parts = parts_of(office)
    chip, face, pad = parts["chip"], parts["face"], parts["pad"]
    cases: dict[str, dict[str, Any]] = {}
    for result in NOT_OK:
        active, passive = (replace(method, result=result) for method in pad.methods)
        cases |= {
            f"chip.pa {result}": {"chip": replace(chip, pa=replace(chip.pa, result=result))},
            f"face {result}": {"face": replace(face, result=result)},
            f"pad {result}": {"pad": replace(pad, result=result)},
            f"pad.active {result}": {"pad": replace(pad, methods=(active, pad.methods[1]))},
        }
        if result is CheckResult.FAILED:
            cases |= {
                "chip.pa.crl_check failed": {
                    "chip": replace(chip, pa=replace(chip.pa, crl_check=result))
                },
                "pad.passive failed": {"pad": replace(pad, methods=(pad.methods[0], passive))},
            }
        if result is not CheckResult.NOT_SUPPORTED:
            clone = replace(chip.clone, result=result)
            cases[f"chip.clone {result}"] = {"chip": replace(chip, clone=clone)}
    active_only = tuple(m for m in pad.methods if m.kind is PadKind.PASSIVE)
    refused = replace(parts["attendance"], officer_decision=OfficerDecision.REFUSED)
    method_unknown = replace(chip.clone, method=CloneMethod.NONE)
    return cases | {
        "chip.dg_verified without DG2": {"chip": replace(chip, dg_verified=(1, 14))},
        "chip.dg_verified empty": {"chip": replace(chip, dg_verified=())},
        "chip.clone by no method": {"chip": replace(chip, clone=method_unknown)},
        "chip.clone on no challenge": {
            "chip": replace(chip, clone=replace(chip.clone, server_challenge=None))
        },
        "pad.active by no method": {"pad": replace(pad, methods=active_only)},
        "attendance.officer_decision refused": {"attendance": refused},
    }


def test_nothing_is_signed_without_every_mandatory_check(office: Any, ring: KeyRing) -> None:
    cases = lacking(office)
    assert len(cases) == 22
    for name, changes in cases.items():
        with pytest.raises(MandatoryCheckError) as refused:
            issue(ring, parts_of(office, **changes))
        assert name.split(" ")[0] in refused.value.checks, name


def test_no_level_above_the_checks_is_signed(office: Any, ring: KeyRing) -> None:
    browser = replace(parts_of(office)["iad"], capture=Capture.BROWSER, agent_key=None)
    unattended = replace(parts_of(office)["attendance"], officer_decision=OfficerDecision.NOT_ASKED)
    parts = parts_of(office, iad=browser, attendance=unattended)
    assert issue(ring, parts).assertion
    for level in (AssuranceLevel.SUBSTANTIAL, AssuranceLevel.HIGH):
        with pytest.raises(LevelExceedsChecksError):
            issue(ring, parts, level=level)


def test_signer_takes_results_by_name_and_no_booleans(office: Any, ring: KeyRing) -> None:
    """`True` in place of `ok` is no result: it counts as not performed."""
    for section, field in (("face", "result"), ("pad", "result")):
        parts = parts_of(office)
        truthy = {section: replace(parts[section], **{field: True})}
        with pytest.raises(MandatoryCheckError):
            issue(ring, parts | truthy)


def test_authority_that_agreed_is_evidence(office: Any, ring: KeyRing) -> None:
    answered_at = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
    answer = SimpleNamespace(issued_at=answered_at)
    verification = payload_of(issue(ring, parts_of(office), answer=answer))["verified_claims"]
    document, record = verification["verification"]["evidence"]
    assert (document["type"], record["type"]) == ("document", "electronic_record")
    assert record["check_details"] == [
        {"check_method": "data", "result": "ok", "time": "2026-11-21T03:00:00Z"}
    ]


def test_each_assertion_has_a_place_and_its_link(
    office: Any, ring: KeyRing, tmp_path: Path
) -> None:
    statuses = StatusLists.over(open_database(tmp_path / "db.sqlite"), ring, keep_links_s=60)
    places = set()
    for _ in range(5):
        issued = issue(ring, parts_of(office), statuses=statuses)
        payload = payload_of(issued)
        (link,) = issued.rows
        reference = payload["status"]["status_list"]
        assert (link.idx, link.jti, link.session_id) == (reference["idx"], payload["jti"], SESSION)
        assert reference["uri"].endswith(link.list_id)
        places.add(link.idx)
    assert len(places) == 5
    assert issue(ring, parts_of(office)).rows == ()


def test_what_is_issued_verifies(office: Any, ring: KeyRing, tmp_path: Path) -> None:
    statuses = StatusLists.over(open_database(tmp_path / "db.sqlite"), ring, keep_links_s=60)
    issued = issue(ring, parts_of(office), statuses=statuses)
    verification = verify(
        issued.assertion,
        documents=[b""],
        roots=[ring.folder.root],
        audience="https://notary.example",
        nonce="nonce-of-the-notary",
        status_lists=[statuses.publisher.published(issued.rows[0].list_id).token],
        at=datetime.now(UTC) + timedelta(seconds=1),
    )
    assert verification.outcome == "PASSED", verification.reasons
