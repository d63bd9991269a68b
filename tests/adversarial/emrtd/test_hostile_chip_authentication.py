"""A chip, or a wire to it, that misbehaves while it is asked whether it is a clone."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.emrtd.errors import AuthenticationRefusedError
from devices.emrtd.evidence import ChipAuthenticationRequest, ChipEvidence
from devices.emrtd.lds.mrz import Can
from devices.emrtd.terminal.reader import read_chip
from devices.emrtd.verification.chip_authentication import (
    ChipAuthenticationChallenge,
    challenge_chip,
    verify_chip_authentication,
)
from devices.errors import DeviceError
from devices.simulator.card import SimulatedCard
from devices.simulator.faults import Fault
from devices.simulator.image import CardImage

KINDS = [
    *("naked-6700", "wrong-mac", "replayed-answer", "unprotected-data", "oversized-answer"),
    *("endless-61xx", "garbage", "stub-answer", "tear"),
]
STEPS = {"MSE": 1, "GENERAL AUTHENTICATE": 2, "sealed command": 3}
MAX_COMMANDS_AFTERWARDS = 300


class Server:
    def __init__(self, change: ChipAuthenticationRequest | None = None) -> None:
        self.ca: ChipAuthenticationChallenge | None = None
        self._change = change

    def __call__(self, dg14: bytes, *, short_identifiers: bool) -> ChipAuthenticationRequest:
        self.ca = challenge_chip(dg14, short_identifiers=short_identifiers)
        return self._change or self.ca.request(dg14)


class Wire:
    """Counts the commands to a card, and may change what it answers from one on."""

    def __init__(self, card: SimulatedCard, since: int = 1 << 30, answers: tuple[bytes, ...] = ()):
        self.name, self.atr = card.name, card.atr
        self.count = 0
        self._card, self._since, self._answers = card, since, list(answers)

    def transmit(self, command: bytes) -> bytes:
        self.count += 1
        answer = self._card.transmit(command)
        return self._answers.pop(0) if self.count > self._since and self._answers else answer

    def close(self) -> None:
        self._card.close()


def read(wire: Wire | SimulatedCard, server: Server) -> ChipEvidence:
    return read_chip(wire, Can("123456"), data_groups=(14,), clone_challenge=server)


def is_proven(evidence: ChipEvidence, server: Server) -> bool:
    if evidence.ca is None or server.ca is None:
        return False
    try:
        verify_chip_authentication(server.ca, evidence.files["EF.DG14"], evidence.ca)
    except AuthenticationRefusedError:
        return False
    return True


@pytest.fixture(scope="module")
def before(card_image: CardImage) -> int:
    """Commands before Chip Authentication."""
    wire = Wire(SimulatedCard(card_image))
    read_chip(wire, Can("123456"), data_groups=(14,))
    return wire.count


def test_a_card_that_behaves(card_image: CardImage, before: int) -> None:
    server, wire = Server(), Wire(SimulatedCard(card_image))
    assert is_proven(read(wire, server), server)
    assert wire.count == before + len(STEPS)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kind", KINDS)
def test_each_fault_at_each_step(card_image: CardImage, before: int, kind: str, step: str) -> None:
    fault = Fault(kind=kind, at_apdu=before + STEPS[step])  # type: ignore[arg-type]
    image = replace(card_image, behaviour=replace(card_image.behaviour, faults=(fault,)))
    server, wire = Server(), Wire(SimulatedCard(image))
    try:
        evidence = read(wire, server)
    except DeviceError as error:
        assert error.code
    else:
        assert ChipEvidence.from_bytes(evidence.to_bytes()) == evidence
        # The chip is genuine: what goes wrong before the proof need not spoil it.
        if step == "sealed command":
            assert not is_proven(evidence, server)
    assert wire.count <= before + MAX_COMMANDS_AFTERWARDS


def test_a_signature_of_any_length_leaves_evidence(card_image: CardImage) -> None:
    counting = Wire(SimulatedCard(card_image))
    read_chip(counting, Can("123456"), data_groups=(15,), challenge=bytes(8))
    fault = Fault(kind="oversized-answer", at_apdu=counting.count)
    image = replace(card_image, behaviour=replace(card_image.behaviour, faults=(fault,)))
    card = SimulatedCard(image)
    evidence = read_chip(card, Can("123456"), data_groups=(15,), challenge=bytes(8))
    assert evidence.aa_response is None
    assert ChipEvidence.from_bytes(evidence.to_bytes()) == evidence


ANSWERS = st.one_of(
    st.sampled_from([b"\x90\x00", b"\x69\x82", b"\x6a\x80", b"\x61\x10", b"\x6c\x08", b""]),
    st.binary(max_size=80),
    st.binary(max_size=80).map(lambda data: data + b"\x90\x00"),
)


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    answers=st.lists(ANSWERS, min_size=1, max_size=4).map(tuple),
    skip=st.integers(0, len(STEPS) - 1),
)
def test_any_answers(
    card_image: CardImage, before: int, answers: tuple[bytes, ...], skip: int
) -> None:
    server, wire = Server(), Wire(SimulatedCard(card_image), before + skip, answers)
    try:
        evidence = read(wire, server)
    except DeviceError:
        return
    assert ChipEvidence.from_bytes(evidence.to_bytes()) == evidence
    if skip:
        assert not is_proven(evidence, server)
    assert wire.count <= before + MAX_COMMANDS_AFTERWARDS


@pytest.mark.parametrize(
    "change",
    [
        {"public_key": b"\x04" + bytes(64)},
        {"public_key": b"\x04"},
        {"public_key": bytes(600)},
        {"oid": "0.4.0.127.0.7.2.2.3.2.4"},
        {"oid": "0.4.0.127.0.7.2.2.3.2.1"},
        {"key_id": 77},
        {"command": bytes.fromhex("0CB08E000D9701208E08000000000000000000")},
    ],
)
def test_requests_that_no_honest_server_makes(
    card_image: CardImage, change: dict[str, object]
) -> None:
    dg14 = card_image.files["EF.DG14"]
    server = Server(replace(challenge_chip(dg14).request(dg14), **change))  # type: ignore[arg-type]
    try:
        evidence = read(SimulatedCard(card_image), server)
    except DeviceError:
        return
    assert not is_proven(evidence, server)
