"""Whatever goes wrong at whatever command: the reader gets the right bytes or our error."""

import contextlib
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.emrtd.lds.mrz import Can
from devices.emrtd.terminal.interruption import ReadingInterruptedError
from devices.emrtd.terminal.reader import read_chip
from devices.errors import CardRemovedError, DeviceError
from devices.simulator.card import SimulatedCard
from devices.simulator.faults import Fault
from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.profile import SPECIMEN, load_profile

KINDS = [
    "tear",
    "naked-6700",
    "wrong-mac",
    "replayed-answer",
    "unprotected-data",
    "oversized-answer",
    "endless-61xx",
    "garbage",
    "stub-answer",
]
COMMANDS = 14
COMMANDS_OF_ACCESS = 8


@pytest.fixture(scope="module")
def image() -> CardImage:
    made = personalise(load_profile(SPECIMEN))
    return replace(made, behaviour=replace(made.behaviour, historical_bytes="47"))


def outcome(image: CardImage, faults: list[Fault]) -> bool:
    """Read; return whether it went through. Nothing but the right bytes may come out."""
    started_s = time.process_time()
    through = False
    with contextlib.suppress(DeviceError):
        evidence = read_chip(SimulatedCard(image, faults), Can("123456"), challenge=bytes(8))
        through = True
        for name, content in evidence.files.items():
            assert image.files[name] == content
    assert time.process_time() - started_s < 20
    return through


@pytest.mark.parametrize("number", range(1, COMMANDS + 1))
@pytest.mark.parametrize("kind", KINDS)
def test_one_fault_at_one_command(image, kind, number):
    went_through = outcome(image, [Fault(kind, at_apdu=number)])
    if kind == "tear":
        assert not went_through or number >= COMMANDS - 3, "the card was gone"


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_at_every_command(image, kind):
    went_through = outcome(image, [Fault(kind, every=1, ins=0xB0)])
    assert not went_through or kind == "oversized-answer", "its data are authentic"


@pytest.mark.parametrize("number", range(1, COMMANDS))
def test_a_reading_goes_on_when_the_card_is_back(image, number):
    """Torn at any command, and once more later; what a session had read is kept."""
    faults = [Fault("tear", at_apdu=n, back_after_s=0.0) for n in (number, 2 * number + 1)]
    card, partial, tears = SimulatedCard(image, faults), None, 0
    while True:
        try:
            evidence = read_chip(card, Can("123456"), challenge=bytes(8), resume=partial)
            break
        except CardRemovedError as error:
            tears += 1
            assert error.retryable
            partial = error.partial if isinstance(error, ReadingInterruptedError) else partial
    assert 1 <= tears <= len(faults)
    assert {"EF.SOD", "EF.DG1", "EF.DG13"} <= set(evidence.files)
    assert all(image.files[name] == content for name, content in evidence.files.items())
    assert (partial is not None) is (evidence.resumed > 0)
    assert partial is not None or number < COMMANDS_OF_ACCESS


@settings(max_examples=60, deadline=None)
@given(
    faults=st.lists(
        st.builds(
            Fault,
            kind=st.sampled_from(KINDS),
            at_apdu=st.integers(1, COMMANDS),
            every=st.none(),
            ins=st.none(),
            file=st.none(),
            status=st.none(),
            seconds=st.none(),
            back_after_s=st.none(),
        ),
        min_size=2,
        max_size=6,
    )
)
def test_several_faults(image, faults):
    outcome(image, faults)


@pytest.mark.parametrize("kind", ["truncated-file", "length-4-gib"])
@pytest.mark.parametrize("file", ["EF.CardAccess", "EF.SOD", "EF.DG1", "EF.DG13", "EF.DG15"])
def test_a_file_that_is_not_what_it_says(image, kind, file):
    with pytest.raises(DeviceError):
        read_chip(SimulatedCard(image, [Fault(kind, file=file)]), Can("123456"))
