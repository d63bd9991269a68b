"""A card torn away in the middle: what was read is kept, and the same card goes on."""

from argparse import Namespace
from typing import Any

import pytest

from api.cli import chip_session
from devices.emrtd.evidence import ChipEvidence
from devices.emrtd.lds.mrz import Can, MrzKey
from devices.emrtd.terminal.interruption import (
    TORN,
    PartialReading,
    ReadingInterruptedError,
    ResumeOtherCardError,
)
from devices.emrtd.terminal.reader import Progress, read_chip
from devices.errors import (
    CardRemovedError,
    CardTooSlowError,
    DeviceError,
    PcscUnavailableError,
    ReaderMissingError,
)
from devices.simulator.card import SimulatedCard
from devices.simulator.faults import Fault
from devices.simulator.image import CardImage

CAN = Can("123456")
CHALLENGE = bytes(range(8))


@pytest.fixture(scope="module", params=[True, False], ids=["extended", "short"])
def image(request: pytest.FixtureRequest, make_card: Any) -> CardImage:
    image: CardImage = make_card(extended_length=request.param)
    return image


class Torn:
    """A card that is away from its nth command on."""

    def __init__(self, card: SimulatedCard, at: int, error: Exception) -> None:
        self.name, self.atr = card.name, card.atr
        self._card, self._at, self._error = card, at, error
        self.commands: list[bytes] = []

    def transmit(self, command: bytes) -> bytes:
        self.commands.append(command)
        if len(self.commands) >= self._at:
            raise self._error
        return self._card.transmit(command)

    def close(self) -> None:
        self._card.close()


def _whole(image: CardImage) -> ChipEvidence:
    return read_chip(SimulatedCard(image), CAN, challenge=CHALLENGE)


def test_torn_at_every_command_and_resumed(image: CardImage) -> None:
    whole = _whole(image)
    interrupted = 0
    for at in range(1, whole.apdu_count + 1, 1 if whole.apdu_count < 30 else 7):
        card = SimulatedCard(image, faults=[Fault("tear", at_apdu=at)])
        with pytest.raises(CardRemovedError) as torn:
            read_chip(card, CAN, challenge=CHALLENGE)
        assert torn.value.retryable
        card.reset()
        partial = getattr(torn.value, "partial", None)
        evidence = read_chip(card, CAN, challenge=CHALLENGE, resume=partial)
        assert evidence.files == whole.files
        assert evidence.aa_response
        assert evidence.resumed == (partial is not None)
        interrupted += partial is not None
        if partial is not None:
            assert evidence.apdu_count > partial.apdu_count
            # Access again (7 commands), the check of EF.SOD (2) and where the file goes on (1).
            assert evidence.apdu_count <= whole.apdu_count + 14
    assert interrupted > 3


def test_kept_files_are_not_read_again(image: CardImage) -> None:
    def tear(event: Progress) -> None:
        if event.file == "EF.DG13":
            card.close()

    card = SimulatedCard(image)
    with pytest.raises(ReadingInterruptedError) as torn:
        read_chip(card, CAN, progress=tear)
    partial = torn.value.partial
    assert {"EF.SOD", "EF.DG1", "EF.DG2"} <= partial.files.keys()
    assert "MẪU" not in repr(partial)
    card.reset()
    again = Torn(card, 10**6, Exception())
    seen = []
    evidence = read_chip(again, CAN, resume=partial, on_file=seen.append)
    identifiers = {command[2] for command in again.commands if command[1] == 0xB0}
    assert not identifiers & {0x81, 0x82}
    assert evidence.files == {n: image.files[n] for n in evidence.files}
    assert {file.name for file in seen} == evidence.files.keys()


def test_goes_on_inside_a_file(make_card: Any) -> None:
    image = make_card(extended_length=False)
    offsets: list[int] = []

    def tear(event: Progress) -> None:
        if event.file == "EF.DG2" and event.done_bytes > event.total_bytes / 2:
            offsets.append(event.done_bytes)
            card.close()

    card = SimulatedCard(image)
    with pytest.raises(ReadingInterruptedError) as torn:
        read_chip(card, CAN, progress=tear)
    partial = torn.value.partial
    assert partial.unfinished_file == "EF.DG2"
    assert len(partial.unfinished_bytes) == offsets[0]
    card.reset()
    events: list[Progress] = []
    evidence = read_chip(card, CAN, progress=events.append, resume=partial)
    first = next(event for event in events if event.file == "EF.DG2")
    assert first.done_bytes == offsets[0]
    assert evidence.files["EF.DG2"] == image.files["EF.DG2"]


def test_torn_again_and_again(make_card: Any) -> None:
    image = make_card(extended_length=False)
    partial, evidence, tries = None, None, 0
    while evidence is None:
        tries += 1
        try:
            evidence = read_chip(
                Torn(SimulatedCard(image), 40, CardRemovedError("away")), CAN, resume=partial
            )
        except ReadingInterruptedError as torn:
            partial = torn.partial
    assert tries > 2
    assert evidence.resumed == tries - 1
    assert all(image.files[name] == data for name, data in evidence.files.items())


def test_the_service_that_stops_is_an_interruption(make_card: Any) -> None:
    card = Torn(SimulatedCard(make_card()), 10, PcscUnavailableError("the PC/SC service stopped"))
    with pytest.raises(ReadingInterruptedError) as torn:
        read_chip(card, CAN)
    assert torn.value.retryable
    assert "EF.SOD" in torn.value.partial.files


def test_another_card_cannot_go_on(make_card: Any) -> None:
    with pytest.raises(ReadingInterruptedError) as torn:
        read_chip(Torn(SimulatedCard(make_card()), 11, CardRemovedError("away")), CAN)
    # The same person, the same profile, another signature: another card.
    with pytest.raises(ResumeOtherCardError) as other:
        read_chip(SimulatedCard(make_card()), CAN, resume=torn.value.partial)
    assert other.value.code == "resume-other-card"
    assert not other.value.retryable


def _torn_in(card: Any, file: str, password: Can | MrzKey = CAN) -> PartialReading:
    """Read until the file has begun to come, then take the card away."""

    def tear(event: Progress) -> None:
        if event.file == file and event.done_bytes:
            card.close()

    with pytest.raises(ReadingInterruptedError) as torn:
        read_chip(card, password, progress=tear)
    return torn.value.partial


def test_another_card_does_not_end_what_one_began(make_card: Any) -> None:
    first, second = make_card(extended_length=False), make_card(extended_length=False)
    partial = _torn_in(SimulatedCard(first), "EF.SOD")
    assert partial.unfinished_file == "EF.SOD"
    evidence = read_chip(SimulatedCard(second), CAN, resume=partial)
    assert evidence.files["EF.SOD"] == second.files["EF.SOD"]


class WithoutPace(Torn):
    """A card whose PACE breaks off."""

    def __init__(self, card: SimulatedCard) -> None:
        super().__init__(card, 10**6, Exception())

    def transmit(self, command: bytes) -> bytes:
        return b"\x6f\x00" if command[1] == 0x86 else super().transmit(command)


def test_a_downgrade_of_an_earlier_part_stays_in_the_evidence(make_card: Any) -> None:
    card = SimulatedCard(make_card(extended_length=False))
    mrz = MrzKey("190123456", "900520", "300520")
    partial = _torn_in(WithoutPace(card), "EF.DG2", mrz)
    card.reset()
    evidence = read_chip(card, mrz, resume=partial)
    assert (evidence.access, evidence.downgrade_reason) == ("BAC", "pace-failed")
    assert evidence.pace is None
    assert evidence.resumed == 1


def test_slow_cards_are_given_up(make_card: Any) -> None:
    card = SimulatedCard(make_card(), faults=[Fault("slow-answer", every=1, seconds=0.2)])
    with pytest.raises(CardTooSlowError) as slow:
        read_chip(card, CAN, timeout_s=0.5)
    assert slow.value.retryable


@pytest.mark.parametrize("error", TORN, ids=lambda error: error.code)
def test_a_card_that_cannot_be_opened_yet_is_looked_for_again(
    image: CardImage, monkeypatch: pytest.MonkeyPatch, error: type[DeviceError]
) -> None:
    card = SimulatedCard(image, faults=[Fault("tear", at_apdu=12)])
    answers = iter([card, error("on its way out"), card])

    def open_card(*_: object) -> SimulatedCard:
        answer = next(answers)
        if isinstance(answer, DeviceError):
            raise answer
        answer.reset()
        return answer

    monkeypatch.setattr(chip_session, "open_card", open_card)
    evidence = chip_session.with_card(
        Namespace(reader=None, card=None, wait=5.0),
        lambda event: None,
        lambda transport, partial: read_chip(transport, CAN, resume=partial),
    )
    assert evidence.resumed == 1
    assert evidence.files["EF.DG2"] == image.files["EF.DG2"]


def test_a_card_that_stays_away_ends_the_reading(
    image: CardImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = SimulatedCard(image, faults=[Fault("tear", at_apdu=12)])
    looks = 0

    def open_card(*_: object) -> SimulatedCard:
        nonlocal looks
        looks += 1
        if looks > 1:
            raise ReaderMissingError("no card reader is connected")
        return card

    monkeypatch.setattr(chip_session, "open_card", open_card)
    with pytest.raises(ReaderMissingError):
        chip_session.with_card(
            Namespace(reader=None, card=None, wait=0.6),
            lambda event: None,
            lambda transport, partial: read_chip(transport, CAN, resume=partial),
        )
    assert looks > 2
