"""An agent that alters, drops, replays and reorders anything never makes a chip pass that is none.

The agent here has all that a hostile one can have: the victim's files, answers of the victim's chip
to other challenges, a genuine card of its own that answers today's challenges, and a clone.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.emrtd.errors import EvidenceMalformedError
from devices.emrtd.evidence import (
    ChipAuthenticationRecord,
    ChipAuthenticationRequest,
    ChipEvidence,
    PaceRecord,
)
from devices.emrtd.lds.mrz import Can
from devices.emrtd.terminal.reader import read_chip
from devices.emrtd.trust.certificates import parse_certificate
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.verification.chip_authentication import (
    ChipAuthenticationChallenge,
    challenge_chip,
)
from devices.emrtd.verification.verifier import ChipVerdict, verify_evidence
from devices.simulator.card import SimulatedCard
from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.pki import TestPki
from devices.simulator.profile import CardProfile

AT = datetime(2026, 11, 21, tzinfo=UTC)
CHALLENGE, EARLIER = bytes.fromhex("0011223344556677"), bytes(8)
RANK = {"FAILED": 0, "INDETERMINATE": 1, "PASSED": 2}
# What the terminal alone knows, and a verifier cannot know better: how the chip was opened.
TERMINALS_WORD = {"downgrade"}


class Server:
    """One session's challenges, as the server keeps them."""

    def __init__(self, aa: bytes = CHALLENGE) -> None:
        self.aa = aa
        self.ca: ChipAuthenticationChallenge | None = None

    def challenge_chip(self, dg14: bytes, *, short_identifiers: bool) -> ChipAuthenticationRequest:
        self.ca = challenge_chip(dg14, short_identifiers=short_identifiers)
        return self.ca.request(dg14)


def read(image: CardImage, server: Server) -> ChipEvidence:
    return read_chip(
        SimulatedCard(image),
        Can(image.behaviour.can),
        challenge=server.aa,
        clone_challenge=server.challenge_chip,
    )


@dataclass(frozen=True)
class World:
    """The victim, the agent's own card, and what the agent has collected."""

    anchors: TrustAnchors
    victim: ChipEvidence
    """Answers to today's challenges: what an honest agent would send."""
    victim_server: Server
    earlier: ChipEvidence
    """The victim's chip in an earlier session."""
    clone: ChipEvidence
    clone_server: Server
    own: ChipEvidence
    """The agent's own genuine card; today's challenges."""
    own_server: Server
    victim_number: str
    spliced: ChipAuthenticationRecord
    """The agent's own chip, run with the request that was made for the victim's DG14."""

    def verdict(self, evidence: ChipEvidence, server: Server) -> ChipVerdict:
        sent = ChipEvidence.from_bytes(evidence.to_bytes())
        return verify_evidence(
            sent, self.anchors, challenge=server.aa, ca_challenge=server.ca, at=AT
        )


@pytest.fixture(scope="module", params=["rsa-2048", "none"], ids=["aa-and-ca", "ca-only"])
def world(request: pytest.FixtureRequest, profile: CardProfile) -> World:
    pki = TestPki.create()
    chip = replace(profile.chip, active_authentication=request.param)
    victims = replace(profile, chip=chip)
    person = replace(profile.person, number="001190654321", full_name="TRẦN VĂN KẺ")
    victim = personalise(victims, pki=pki)
    own = personalise(replace(victims, person=person), pki=pki)
    server, clone_server, own_server = Server(), Server(), Server()
    honest = read(victim, server)
    assert server.ca is not None
    relayed = server.ca.request(honest.files["EF.DG14"])
    evidence = read_chip(
        SimulatedCard(own),
        Can(own.behaviour.can),
        clone_challenge=lambda _, short_identifiers: relayed,
    )
    assert evidence.ca is not None
    return World(
        anchors=TrustAnchors((parse_certificate(pki.csca),)),
        victim=honest,
        victim_server=server,
        earlier=read(victim, Server(EARLIER)),
        clone=read(victim.cloned(), clone_server),
        clone_server=clone_server,
        own=read(own, own_server),
        own_server=own_server,
        victim_number="001190123456",
        spliced=evidence.ca,
    )


def test_the_honest_reading_passes(world: World) -> None:
    verdict = world.verdict(world.victim, world.victim_server)
    assert (verdict.outcome, verdict.clone_method) == ("PASSED", "CA")
    assert "CA" in verdict.clone_methods
    assert verdict.document is not None
    assert verdict.document.id_number == world.victim_number


def test_clone_fails_by_each_method_that_it_has(world: World) -> None:
    verdict = world.verdict(world.clone, world.clone_server)
    assert verdict.outcome == "FAILED"
    assert "ca-answer-invalid" in verdict.reasons
    assert verdict.clone_methods == ()


def _relabelled(record: ChipAuthenticationRecord | None, server: Server, dg14: bytes) -> Any:
    """Return another answer under the label of the request that the server made."""
    if record is None or server.ca is None:
        return record
    return ChipAuthenticationRecord(server.ca.request(dg14), record.answer)


def test_no_combination_of_all_that_an_agent_has_is_the_victim(world: World) -> None:
    """Every file of either card, every answer, each under either label, against either challenge.

    The victim's own answers to today's challenges are what the agent lacks.
    """
    w = world
    files = ("EF.SOD", "EF.DG1", "EF.DG13", "EF.DG14", "EF.DG15")
    holders = [w.victim, w.own]
    honest_owners = 0
    aa_answers = {e.aa_response for e in (w.earlier, w.clone, w.own)} | {None}
    for server in (w.clone_server, w.own_server, w.victim_server):
        made_for = w.own if server is w.own_server else w.victim
        dg14 = made_for.files["EF.DG14"]
        runs = [w.earlier.ca, w.clone.ca, w.own.ca, w.spliced]
        runs += [_relabelled(run, server, dg14) for run in runs]
        for owners in itertools.product(holders, repeat=3):
            sod, group_1, group_14 = owners
            source = dict(zip(files, (sod, group_1, group_1, group_14, group_14), strict=True))
            mixed = {name: e.files[name] for name, e in source.items() if name in e.files}
            mixed["EF.CardAccess"] = w.victim.files["EF.CardAccess"]
            for answer, run in itertools.product(aa_answers, [*runs, None]):
                evidence = replace(
                    w.victim,
                    files=mixed,
                    aa_challenge=CHALLENGE if answer else None,
                    aa_response=answer,
                    ca=run,
                )
                verdict = w.verdict(evidence, server)
                document = verdict.document
                is_victim = document is not None and document.id_number == w.victim_number
                assert not (is_victim and verdict.clone_result == "ok")
                assert not (is_victim and verdict.outcome == "PASSED")
                honest_owners += verdict.outcome == "PASSED"
    # The agent's own card passes as what it is: the combinations do reach the end.
    assert honest_owners


REASONS = {
    "replayed": "ca-challenge-mismatch",
    "replayed-under-todays-label": "ca-answer-invalid",
    "own-card-under-the-victims-label": "ca-answer-invalid",
    "own-card-with-the-victims-request": "ca-answer-invalid",
    "dropped": "ca-answer-missing",
    "declined": "ca-answer-missing",
    "naked": "ca-answer-invalid",
    "truncated": "ca-answer-invalid",
    "challenge-for-the-own-card": "ca-key-mismatch",
    "without-dg14": "dg14-missing",
    "own-dg14": "dg14-not-authentic",
}


@pytest.mark.parametrize("attack", REASONS)
def test_each_attack_on_chip_authentication_has_its_reason(world: World, attack: str) -> None:
    w, server = world, world.victim_server
    assert w.victim.ca is not None
    request = w.victim.ca.request
    dg14 = w.victim.files["EF.DG14"]
    runs: dict[str, ChipAuthenticationRecord | None] = {
        "replayed": w.earlier.ca,
        "replayed-under-todays-label": _relabelled(w.earlier.ca, server, dg14),
        "own-card-under-the-victims-label": _relabelled(w.own.ca, server, dg14),
        "own-card-with-the-victims-request": w.spliced,
        "dropped": None,
        "declined": ChipAuthenticationRecord(request, None),
        "naked": ChipAuthenticationRecord(request, b"\x90\x00"),
        "truncated": ChipAuthenticationRecord(request, (w.victim.ca.answer or b"")[:-3]),
    }
    evidence = replace(w.victim, ca=runs.get(attack, w.victim.ca))
    if attack == "challenge-for-the-own-card":
        evidence, server = replace(w.victim, ca=w.own.ca), w.own_server
    if attack in ("without-dg14", "own-dg14"):
        changed = {**w.victim.files, "EF.DG14": w.own.files["EF.DG14"]}
        if attack == "without-dg14":
            del changed["EF.DG14"]
        evidence = replace(w.victim, files=changed)
    verdict = w.verdict(evidence, server)
    check = verdict.check("chip-authentication")
    assert (check.result, check.reason) == ("failed", REASONS[attack])
    assert verdict.outcome == "FAILED"
    assert verdict.clone_result == "failed"


def test_withheld_clone_checks_leave_the_verdict_open(world: World) -> None:
    silent = replace(world.victim, aa_challenge=None, aa_response=None, ca=None)
    verdict = verify_evidence(silent, world.anchors, challenge=None, at=AT)
    assert verdict.outcome == "INDETERMINATE"
    assert "clone-check-withheld" in verdict.reasons
    never_asked = verify_evidence(silent, world.anchors, challenge=CHALLENGE, at=AT)
    assert never_asked.outcome != "PASSED"


def test_later_without_the_servers_secret_nothing_is_proven(world: World) -> None:
    verdict = verify_evidence(world.victim, world.anchors, challenge=None, at=AT)
    assert verdict.outcome == "INDETERMINATE"
    check = verdict.check("chip-authentication")
    assert (check.result, check.reason) == ("not_performed", "challenge-unknown")
    assert verdict.clone_result == "not_performed"


def test_what_the_agent_saw_of_a_session_does_not_verify_in_another(world: World) -> None:
    """Evidence, request and answer of one session against the challenges of the next."""
    later = Server(EARLIER[::-1])
    later.challenge_chip(world.victim.files["EF.DG14"], short_identifiers=True)
    verdict = world.verdict(world.victim, later)
    assert verdict.outcome == "FAILED"
    assert verdict.check("chip-authentication").reason == "ca-challenge-mismatch"


def _mutants(evidence: ChipEvidence, other: ChipEvidence) -> Iterator[ChipEvidence]:
    """Yield the evidence with each of its parts dropped, altered, or taken from another session."""
    for name in evidence.files:
        yield replace(evidence, files={n: d for n, d in evidence.files.items() if n != name})
        data = evidence.files[name]
        for position in {0, 1, 3, len(data) // 3, len(data) // 2, len(data) - 2, len(data) - 1}:
            changed = bytearray(data)
            changed[position] ^= 0x01
            yield replace(evidence, files={**evidence.files, name: bytes(changed)})
        for taken in (data[:-1], data + b"\x00", data * 2, b"\x00"):
            yield replace(evidence, files={**evidence.files, name: taken})
    for name, data in other.files.items():
        yield replace(evidence, files={**evidence.files, name: data})
    names = list(evidence.files)
    for first, second in itertools.combinations(names, 2):
        swapped = {first: evidence.files[second], second: evidence.files[first]}
        yield replace(evidence, files={**evidence.files, **swapped})
    for field in fields(ChipEvidence):
        if field.name != "files":
            yield replace(evidence, **{field.name: getattr(other, field.name)})
    yield replace(evidence, aa_challenge=None)
    yield replace(evidence, aa_response=None)
    yield replace(evidence, aa_challenge=None, aa_response=None)
    yield replace(evidence, aa_challenge=CHALLENGE)
    yield replace(evidence, ca=None)
    yield replace(evidence, access="BAC", pace=None)
    yield replace(evidence, access="BAC", pace=None, downgrade_reason="pace-failed")
    yield replace(evidence, access_offered=(), pace=PaceRecord("0.4.0.127.0.7.2.2.4.2.2", 13))
    if evidence.ca is not None:
        request, answer = evidence.ca.request, evidence.ca.answer
        for changed_request in (
            replace(request, oid="0.4.0.127.0.7.2.2.3.2.1"),
            replace(request, key_id=1),
            replace(request, public_key=request.public_key[:-1] + b"\x00"),
            replace(request, command=request.command[:-2] + b"\x00\x00"),
        ):
            yield replace(evidence, ca=ChipAuthenticationRecord(changed_request, answer))
        for position in range(len(answer or b"")):
            flipped = bytearray(answer or b"")
            flipped[position] ^= 0x80
            yield replace(evidence, ca=ChipAuthenticationRecord(request, bytes(flipped)))


def _better(before: ChipVerdict, after: ChipVerdict) -> list[str]:
    """Return the checks that were not `ok` and are now."""
    return [
        check.name
        for check in after.checks
        if check.result == "ok"
        and before.check(check.name).result != "ok"
        and check.name not in TERMINALS_WORD
    ]


@pytest.mark.parametrize("case", ["clone", "replayed", "stolen-files"])
def test_nothing_that_an_agent_alters_makes_a_bad_verdict_better(world: World, case: str) -> None:
    w = world
    evidence, server = {
        "clone": (w.clone, w.clone_server),
        "replayed": (w.earlier, w.victim_server),
        "stolen-files": (
            replace(w.victim, aa_challenge=None, aa_response=None, ca=None),
            w.victim_server,
        ),
    }[case]
    before = w.verdict(evidence, server)
    assert before.outcome == "FAILED"
    for mutant in _mutants(evidence, w.own):
        after = w.verdict(mutant, server)
        assert RANK[after.outcome] <= RANK[before.outcome]
        assert not _better(before, after)


def test_nothing_that_an_agent_alters_changes_what_a_genuine_chip_says(world: World) -> None:
    before = world.verdict(world.victim, world.victim_server)
    for mutant in _mutants(world.victim, world.own):
        after = world.verdict(mutant, world.victim_server)
        if after.document is not None and after.outcome == "PASSED":
            assert after.document.id_number == world.victim_number
            assert after.clone_methods
        assert not _better(before, after)


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_bytes_anywhere_in_a_clones_evidence(data: st.DataObject, world: World) -> None:
    """Bytes of the encoded file are flipped, cut out or doubled: it fails, or is no evidence."""
    encoded = bytearray(world.clone.to_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(encoded) - 1))
        encoded[position] = data.draw(st.integers(0, 255))
    try:
        evidence = ChipEvidence.from_bytes(bytes(encoded))
    except EvidenceMalformedError:
        return
    verdict = world.verdict(evidence, world.clone_server)
    assert verdict.outcome == "FAILED"
    assert verdict.clone_result != "ok"


@settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_recombination_of_two_readings(data: st.DataObject, world: World) -> None:
    """Each entry is taken from any of four readings; only the victim's own answers are left out."""
    pool = (world.clone, world.earlier, world.own)
    taken = {
        f.name: getattr(data.draw(st.sampled_from(pool)), f.name) for f in fields(ChipEvidence)
    }
    taken["files"] = {
        name: data.draw(st.sampled_from(pool)).files[name] for name in world.clone.files
    }
    evidence = replace(world.clone, **taken)
    if (evidence.access == "BAC") is not (evidence.pace is None):
        return
    for server in (world.victim_server, world.clone_server, world.own_server):
        verdict = world.verdict(evidence, server)
        document = verdict.document
        if document is not None and document.id_number == world.victim_number:
            assert verdict.outcome != "PASSED"
            assert verdict.clone_result != "ok"


def test_an_old_challenge_of_the_same_session_is_dead(world: World) -> None:
    """A second request takes the place of the first: its answer is no answer any more."""
    dg14 = world.victim.files["EF.DG14"]
    server = Server()
    server.challenge_chip(dg14, short_identifiers=True)
    verdict = world.verdict(world.victim, server)
    assert verdict.check("chip-authentication").reason == "ca-challenge-mismatch"
