"""Faults at every command of a reading: the right bytes or a typed error, in bounded time."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from devices.emrtd.evidence import ChipEvidence
from devices.emrtd.lds.mrz import Can, MrzKey
from devices.emrtd.terminal.reader import read_chip
from devices.emrtd.terminal.session import MAX_SESSIONS
from devices.errors import CardMisbehavedError, DeviceError
from devices.simulator.card import SimulatedCard
from devices.simulator.faults import Fault
from devices.simulator.image import CardImage

CAN = Can("123456")
MRZ = MrzKey("190123456", "900520", "300520")
SECRETS = ("123456", "190123456", "900520", "300520", "MẪU")
KINDS = [
    *("naked-6700", "wrong-mac", "replayed-answer", "unprotected-data", "oversized-answer"),
    *("endless-61xx", "garbage", "stub-answer"),
]
PACE_BEGINS = 0x22


class Counter:
    """A card whose commands are counted; it may answer otherwise than it would."""

    def __init__(
        self, card: SimulatedCard, change: Callable[[bytes, bytes], bytes] | None = None
    ) -> None:
        self.name, self.atr = card.name, card.atr
        self._card, self._change = card, change
        self.count = self.sessions = 0

    def transmit(self, command: bytes) -> bytes:
        self.count += 1
        self.sessions += command[1] == PACE_BEGINS
        response = self._card.transmit(command)
        return response if self._change is None else self._change(command, response)

    def close(self) -> None:
        self._card.close()


@pytest.fixture(scope="module", params=[True, False], ids=["extended", "short"])
def image(request: pytest.FixtureRequest, card_image: CardImage) -> CardImage:
    behaviour = replace(card_image.behaviour, extended_length=request.param)
    files = {name: card_image.files[name] for name in card_image.files if name != "EF.DG2"}
    return replace(card_image, behaviour=behaviour, files=files)


@pytest.fixture(scope="module")
def clean(image: CardImage) -> ChipEvidence:
    return read_chip(SimulatedCard(image), CAN)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_at_every_command(
    image: CardImage, clean: ChipEvidence, kind: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    failed = 0
    for at in range(1, clean.apdu_count + 1):
        card = Counter(SimulatedCard(image, faults=[Fault(kind, at_apdu=at)]))
        try:
            evidence = read_chip(card, CAN)
        except DeviceError as error:
            failed += 1
            assert not any(secret in str(error) + repr(error) for secret in SECRETS)
        else:
            # Whatever went through is the card's own, and nothing is missing in silence.
            assert {n: d for n, d in evidence.files.items() if n in clean.files} == clean.files
        assert card.count < 4 * clean.apdu_count + 300
    if kind in ("wrong-mac", "replayed-answer", "garbage", "stub-answer", "unprotected-data"):
        assert failed >= clean.apdu_count - 8
    assert not any(secret in caplog.text for secret in SECRETS)


@pytest.mark.parametrize("password", [CAN, MRZ], ids=["can", "mrz"])
@pytest.mark.parametrize("status", [0x6700, 0x6C10, 0x6E00, 0x6F00, 0x6982, 0x6988, 0x6100])
def test_bare_answers_without_end(image: CardImage, status: int, password: Any) -> None:
    def bare(command: bytes, response: bytes) -> bytes:
        return status.to_bytes(2, "big") if command[:2] == b"\x0c\xb0" else response

    card = Counter(SimulatedCard(image), bare)
    with pytest.raises(DeviceError):
        read_chip(card, password)
    assert card.sessions <= MAX_SESSIONS
    assert card.count < 120


def test_refusing_and_accepting_by_turns(image: CardImage, clean: ChipEvidence) -> None:
    turn = 0

    def flip(command: bytes, response: bytes) -> bytes:
        nonlocal turn
        turn += command[:2] == b"\x0c\xb0"
        return b"\x67\x00" if command[:2] == b"\x0c\xb0" and turn % 2 else response

    card = Counter(SimulatedCard(image), flip)
    try:
        evidence = read_chip(card, CAN)
    except DeviceError:
        pass
    else:
        assert evidence.files == clean.files
    assert card.sessions <= MAX_SESSIONS
    assert card.count < 300


@pytest.mark.parametrize("file", ["EF.CardAccess", "EF.SOD", "EF.DG1", "EF.DG13"])
@pytest.mark.parametrize("kind", ["length-4-gib", "truncated-file"])
def test_files_that_lie_about_their_length(image: CardImage, kind: Any, file: str) -> None:
    card = Counter(SimulatedCard(image, faults=[Fault(kind, file=file)]))
    with pytest.raises(DeviceError):
        read_chip(card, CAN)
    assert card.count < 200


def test_crumbs(card_image: CardImage) -> None:
    """A card that gives four bytes a read, all of them rightly protected."""
    behaviour = replace(card_image.behaviour, max_read_bytes=4, asked_too_much="less")
    card = Counter(SimulatedCard(replace(card_image, behaviour=behaviour)))
    with pytest.raises(CardMisbehavedError):
        read_chip(card, CAN)
    assert card.count < 100
