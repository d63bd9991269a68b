"""Chip Authentication through a running server: the agent carries, the server alone knows."""

import json
import sqlite3
import tomllib
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from api.agent.client import ServerRefusedError
from api.agent.reading import read_for_session
from api.procedures.catalogue import CATALOGUE, Catalogue
from api.proofing.sections import VIETNAM
from devices.emrtd.evidence import ChipAuthenticationRecord, ChipEvidence
from devices.emrtd.lds.mrz import Can
from devices.emrtd.terminal.reader import read_chip
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.verification.document import age_years
from devices.errors import CardRemovedError
from devices.simulator.card import SimulatedCard
from devices.simulator.faults import Fault
from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.pki import TestPki
from devices.simulator.profile import SPECIMEN, load_profile, parse_profile


@pytest.fixture(scope="module")
def ca_only(pictures: dict[str, bytes]) -> CardImage:
    """A card whose one clone check is Chip Authentication."""
    table = tomllib.loads(SPECIMEN.read_text("utf-8"))
    table["chip"] |= {"active_authentication": "none"}
    return personalise(parse_profile(table), portrait=pictures["obama"])


@pytest.fixture
def office(start: Any, ca_only: CardImage, tmp_path: Path) -> Any:
    (tmp_path / "csca.der").write_bytes(ca_only.csca)
    return start(anchors=TrustAnchors.from_directory(tmp_path))


def read(session: Any, image: CardImage) -> Any:
    return read_for_session(session, SimulatedCard(image), Can(image.behaviour.can))


def refusal(call: Any, *arguments: Any, **more: Any) -> str:
    with pytest.raises(ServerRefusedError) as refused:
        call(*arguments, **more)
    return refused.value.code


def pieces(server: Any) -> list[str]:
    with sqlite3.connect(server.database) as database:
        found = [kind for (kind,) in database.execute("select kind from pieces order by kind")]
    database.close()
    return found


def test_a_card_with_chip_authentication_alone_is_accepted(office: Any, ca_only: CardImage) -> None:
    session = office.open()
    reading = read(session, ca_only)
    assert (reading.session["state"], reading.session["outcome"]) == ("chip", None)
    assert reading.evidence.ca is not None
    # The terminal has the server's public key; the server's secret is not in what it sees.
    assert pieces(office) == ["ca", "chip"]
    session.cancel()
    assert pieces(office) == []


def test_a_copy_of_its_files_is_refused(office: Any, ca_only: CardImage) -> None:
    answer = read(office.open(), ca_only.cloned()).session
    assert (answer["outcome"], answer["reasons"]) == ("FAILED", ["ca-answer-invalid"])
    assert pieces(office) == []


def test_a_reading_that_leaves_it_out_goes_to_an_officer(office: Any, ca_only: CardImage) -> None:
    evidence = read_chip(SimulatedCard(ca_only), Can(ca_only.behaviour.can))
    answer = office.open().put_chip(evidence.to_bytes())
    assert (answer["outcome"], answer["state"]) == ("INDETERMINATE", "review")
    assert "clone-check-withheld" in answer["reasons"]


def test_evidence_of_another_session_is_no_answer(office: Any, ca_only: CardImage) -> None:
    first, second = office.open(), office.open()
    evidence = read(first, ca_only).evidence
    dg14 = evidence.files["EF.DG14"]
    request = second.challenge_chip(dg14, short_identifiers=True)
    assert request is not None
    answer = second.put_chip(evidence.to_bytes())
    assert (answer["outcome"], answer["reasons"]) == ("FAILED", ["ca-challenge-mismatch"])
    third = office.open()
    request = third.challenge_chip(dg14, short_identifiers=True)
    relabelled = ChipAuthenticationRecord(request, evidence.ca.answer)
    answer = third.put_chip(replace(evidence, ca=relabelled).to_bytes())
    assert (answer["outcome"], answer["reasons"]) == ("FAILED", ["ca-answer-invalid"])


def test_each_challenge_is_fresh_and_replaces_the_one_before(
    office: Any, ca_only: CardImage
) -> None:
    session = office.open()
    dg14 = ca_only.files["EF.DG14"]
    first = session.challenge_chip(dg14, short_identifiers=True)
    second = session.challenge_chip(dg14, short_identifiers=False)
    assert first.public_key != second.public_key
    assert (first.command[:2], second.command[:2]) == (b"\x0c\xb0", b"\x0c\xa4")
    assert pieces(office) == ["ca"]
    # The secret is not what the agent is shown.
    with sqlite3.connect(office.database) as database:
        ((stored,),) = database.execute("select data from pieces")
    database.close()
    secret = json.loads(stored)["private_key"]
    assert secret not in second.public_key.hex() + second.command.hex()
    session.cancel()
    stored_bytes = b"".join(p.read_bytes() for p in office.database.parent.glob("sessions.*"))
    assert secret.encode() not in stored_bytes


def test_a_card_that_is_torn_in_the_last_step_can_be_read_again(
    office: Any, ca_only: CardImage
) -> None:
    session = office.open()
    count = read_chip(SimulatedCard(ca_only), Can(ca_only.behaviour.can)).apdu_count
    tearing = replace(
        ca_only,
        behaviour=replace(ca_only.behaviour, faults=(Fault(kind="tear", at_apdu=count + 2),)),
    )
    with pytest.raises(CardRemovedError):
        read(session, tearing)
    assert pieces(office) == ["ca"]
    assert read(session, ca_only).session["state"] == "chip"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "tlv-malformed"),
        (b"\x6e\x02\x31\x00", "file-malformed"),
        (b"\x6e\x7f", "tlv-malformed"),
        (b"\x61\x02\x31\x00", "tlv-malformed"),
        (b"\x00" * 100_000, "tlv-malformed"),
        # id-TA alone: no Chip Authentication.
        (bytes.fromhex("6E11310F300D060804007F0007020202020101"), None),
    ],
)
def test_what_is_no_dg14_or_offers_nothing(office: Any, body: bytes, code: str | None) -> None:
    session = office.open()
    if code is None:
        assert session.challenge_chip(body, short_identifiers=True) is None
    else:
        assert refusal(session.challenge_chip, body, short_identifiers=True) == code
    assert session.read()["state"] == "consented"
    assert pieces(office) == []


def test_only_a_session_that_waits_for_a_chip_gets_a_challenge(
    office: Any, ca_only: CardImage
) -> None:
    dg14 = ca_only.files["EF.DG14"]
    before = office.open(consent=False)
    assert refusal(before.challenge_chip, dg14, short_identifiers=True) == "state-conflict"
    session = office.open()
    read(session, ca_only)
    assert refusal(session.challenge_chip, dg14, short_identifiers=True) == "state-conflict"


def test_one_card_a_session(start: Any, pictures: dict[str, bytes], tmp_path: Path) -> None:
    pki = TestPki.create()
    profile = load_profile(SPECIMEN)
    first, second = (personalise(profile, portrait=pictures["obama"], pki=pki) for _ in range(2))
    (tmp_path / "csca.der").write_bytes(first.csca)
    session = start(anchors=TrustAnchors.from_directory(tmp_path)).open()
    evidence = read(session, first).evidence
    assert session.put_chip(evidence.to_bytes())["state"] == "chip"
    other = read_chip(SimulatedCard(second), Can(second.behaviour.can))
    assert refusal(session.put_chip, other.to_bytes()) == "other-card"
    again = replace(evidence, apdu_count=evidence.apdu_count + 1)
    assert refusal(session.put_chip, again.to_bytes()) == "state-conflict"


@pytest.mark.parametrize(("older_by", "accepted"), [(0, True), (1, False)])
def test_minimum_age(
    start: Any, card: CardImage, tmp_path: Path, older_by: int, accepted: bool
) -> None:
    """The specimen is born on 1990-05-20."""
    minimum = age_years(date(1990, 5, 20), datetime.now(VIETNAM).date()) + older_by
    folder = tmp_path / "procedures"
    folder.mkdir()
    text = (CATALOGUE / "2.000884.toml").read_text("utf-8")
    (folder / "2.000884.toml").write_text(f"minimum_age_years = {minimum}\n{text}", "utf-8")
    session = start(catalogue=Catalogue.load(folder)).open()
    answer = read(session, card).session
    if accepted:
        assert answer["state"] == "chip"
    else:
        assert (answer["outcome"], answer["reasons"]) == ("FAILED", ["age-below-minimum"])


def test_evidence_without_dg14_is_dropped_by_no_procedure() -> None:
    """Every procedure of the catalogue asks for the keys of both clone checks."""
    for procedure in Catalogue.load().all():
        assert {14, 15} <= set(procedure.data_groups)


def test_evidence_round_trips_with_its_times(office: Any, ca_only: CardImage) -> None:
    evidence = read(office.open(), ca_only).evidence
    assert ChipEvidence.from_bytes(evidence.to_bytes()) == evidence
    assert evidence.started_at <= evidence.finished_at
