"""The whole way: a card that shares no cryptography with the reader, read and verified."""

from datetime import UTC, datetime
from typing import Any

import pytest

from devices.emrtd.evidence import ChipEvidence
from devices.emrtd.lds.mrz import Can, MrzKey, Password
from devices.emrtd.terminal.lengths import LengthMemory
from devices.emrtd.terminal.reader import Progress, read_chip
from devices.emrtd.trust.certificates import parse_certificate
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.verification.verifier import ChipVerdict, verify_evidence
from devices.simulator.card import SimulatedCard
from devices.simulator.image import CardImage

CAN = Can("123456")
MRZ = MrzKey("190123456", "900520", "300520")
CHALLENGE = bytes.fromhex("0011223344556677")


def _verdict(image: CardImage, evidence: ChipEvidence) -> ChipVerdict:
    anchors = TrustAnchors((parse_certificate(image.csca),))
    received = ChipEvidence.from_bytes(evidence.to_bytes())
    at = datetime(2026, 11, 21, tzinfo=UTC)
    return verify_evidence(received, anchors, challenge=CHALLENGE, at=at)


@pytest.mark.parametrize("extended", [True, False], ids=["extended", "short"])
@pytest.mark.parametrize(
    ("access", "password", "used"),
    [
        (("pace", "bac"), CAN, "PACE-CAN"),
        (("pace", "bac"), MRZ, "PACE-MRZ"),
        (("bac",), MRZ, "BAC"),
    ],
    ids=["pace-can", "pace-mrz", "bac"],
)
def test_clean_verdict(
    make_card: Any, access: tuple[str, ...], password: Password, used: str, extended: bool
) -> None:
    image = make_card(access=access, extended_length=extended)
    evidence = read_chip(SimulatedCard(image), password, challenge=CHALLENGE)
    assert evidence.access == used
    assert all(image.files[name] == data for name, data in evidence.files.items())
    verdict = _verdict(image, evidence)
    assert (verdict.outcome, verdict.reasons) == ("PASSED", ())
    assert verdict.clone_result == "ok"
    assert verdict.document is not None
    assert verdict.document.portrait is not None


@pytest.mark.parametrize(
    ("chip", "signers"),
    [
        ({"active_authentication": "ecdsa-brainpoolP256r1"}, {}),
        ({"chip_authentication_parameters": "named"}, {}),
        ({}, {"csca": "rsa-2048", "dsc": "rsa-2048"}),
        ({"max_read_bytes": 16}, {}),
        ({"max_read_bytes": 192}, {}),
        ({"max_read_bytes": 1000}, {}),
        ({"quirks": ()}, {}),
    ],
    ids=["aa-ecdsa", "ca-named", "rsa-signers", "le-16", "le-192", "le-1000", "no-quirks"],
)
def test_other_profiles(make_card: Any, chip: dict[str, Any], signers: dict[str, Any]) -> None:
    image = make_card(signers, **chip)
    evidence = read_chip(SimulatedCard(image), CAN, challenge=CHALLENGE)
    assert (_verdict(image, evidence).outcome, evidence.access) == ("PASSED", "PACE-CAN")


def test_card_without_any_clone_check(make_card: Any) -> None:
    image = make_card(active_authentication="none", chip_authentication=False)
    evidence = read_chip(SimulatedCard(image), CAN, challenge=CHALLENGE)
    verdict = _verdict(image, evidence)
    assert verdict.clone_result == "not_supported"
    assert verdict.clone_method == "none"
    assert verdict.outcome == "PASSED"


def test_chip_authentication_offered_but_not_performed_leaves_the_verdict_open(
    make_card: Any,
) -> None:
    image = make_card(active_authentication="none")
    evidence = read_chip(SimulatedCard(image), CAN, challenge=CHALLENGE)
    verdict = _verdict(image, evidence)
    assert (verdict.outcome, verdict.reasons) == (
        "INDETERMINATE",
        ("clone-check-withheld", "ca-not-performed"),
    )


def test_round_trips(make_card: Any) -> None:
    image = make_card()
    extended = read_chip(SimulatedCard(image), CAN, data_groups=(1, 2, 14, 15))
    # EF.CardAccess, PACE (5), SELECT, SOD, DG1, DG2, DG14, DG15.
    assert extended.apdu_count == 12


def test_progress_runs_to_the_end_of_every_file(make_card: Any) -> None:
    image = make_card(extended_length=False)
    events: list[Progress] = []
    evidence = read_chip(SimulatedCard(image), CAN, challenge=CHALLENGE, progress=events.append)
    assert events[0].phase == "access"
    assert events[-1].phase == "active-authentication"
    last = {event.file: event for event in events if event.file}
    assert {name for name in evidence.files if name != "EF.CardAccess"} == last.keys()
    assert all(event.done_bytes == event.total_bytes > 0 for event in last.values())
    assert len([event for event in events if event.file == "EF.DG2"]) > 10


@pytest.mark.parametrize("limits", [{"max_read_bytes": 192}, {"max_response_bytes": 700}], ids=str)
@pytest.mark.parametrize("key", ["rsa-2048", "rsa-4096"])
def test_a_signature_longer_than_any_read(make_card: Any, key: str, limits: dict[str, Any]) -> None:
    image = make_card(active_authentication=key, quirks=("aa-needs-extended-le",), **limits)
    card = SimulatedCard(image)
    memory = LengthMemory()
    for _ in range(2):
        card.reset()
        evidence = read_chip(card, CAN, challenge=CHALLENGE, lengths=memory)
        assert len(evidence.aa_response or b"") * 8 == int(key.removeprefix("rsa-"))
