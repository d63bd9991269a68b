"""Any mixture of quirks, limits and faults, any command: a card stays a card."""

import time
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.simulator.card import SimulatedCard
from devices.simulator.faults import Fault, FaultSchedule
from devices.simulator.image import CardImage
from devices.simulator.link import Exchange, LinkModel, protected_read, read_exchanges
from devices.simulator.personalise import personalise
from devices.simulator.profile import SPECIMEN, load_profile, parse_profile
from devices.simulator.quirks import QUIRKS

HEADERS = ["00A4020C", "00A4040C", "00B09C00", "00B10000", "0022C1A4", "10860000", "00C00000"]

commands = st.builds(
    lambda header, body: bytes.fromhex(header) + body,
    st.sampled_from(HEADERS) | st.binary(min_size=0, max_size=4).map(bytes.hex),
    st.binary(max_size=30),
)
links = st.builds(
    LinkModel,
    bit_rate_kbit_s=st.sampled_from([106, 212, 424, 848]),
    frame_bytes=st.integers(16, 4096),
    command_ms=st.floats(0, 100),
    frame_delay_us=st.floats(0, 1000),
    ec_multiplication_ms=st.floats(0, 100),
    secure_messaging_bytes_s=st.none() | st.floats(1, 1e6),
)
sizes = st.integers(0, 65536)


@pytest.fixture(scope="module")
def image() -> CardImage:
    return personalise(load_profile(SPECIMEN))


@pytest.fixture(scope="module")
def patient() -> Iterator[None]:
    """Nobody waits for a card that counts wrong passwords: what it answers is all that is asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", lambda _: None)
        yield


@settings(max_examples=200, deadline=None)
@given(
    quirks=st.lists(st.sampled_from(sorted(QUIRKS)), unique=True, max_size=6),
    limits=st.fixed_dictionaries(
        {
            "extended_length": st.booleans(),
            "command_chaining": st.booleans(),
            "max_command_bytes": st.integers(64, 65536),
            "max_response_bytes": st.integers(64, 65536),
            "max_read_bytes": st.integers(16, 65536),
            "asked_too_much": st.sampled_from(["6700", "6Cxx", "less", "6282"]),
            "password_tries": st.none() | st.integers(1, 15),
        }
    ),
    commands=st.lists(commands, max_size=8),
)
def test_any_command_gets_an_answer_that_fits(image, patient, quirks, limits, commands):
    behaviour = replace(image.behaviour, quirks=tuple(quirks), **limits)
    card = SimulatedCard(replace(image, behaviour=behaviour))
    for command in commands:
        answer = card.transmit(command)
        assert 2 <= len(answer) <= max(258, limits["max_response_bytes"])
        assert answer[-2] & 0xF0 in (0x60, 0x90)


@settings(deadline=None)
@given(model=links, command=sizes, response=sizes, more=st.integers(0, 5000))
def test_more_bytes_never_take_less_time(model, command, response, more):
    times = [
        model.exchange_s(*lengths)
        for lengths in ((command, response), (command + more, response + more))
    ]
    assert all(earlier <= later for earlier, later in pairwise(times))
    assert times[0] >= 9 * (command + response) / (model.bit_rate_kbit_s * 1000)
    assert model.frames(command, response) % 2 == 0


@settings(deadline=None)
@given(model=links, files=st.lists(st.integers(1, 50_000), max_size=6))
def test_larger_reads_are_never_slower(model, files):
    bounds = [model.bound_s(read_exchanges(files, chunk)) for chunk in (64, 128, 223)]
    assert all(larger <= smaller * (1 + 1e-9) for smaller, larger in pairwise(bounds))


@settings(deadline=None)
@given(files=st.lists(st.integers(1, 50_000), max_size=6), chunk=st.integers(16, 65_535))
def test_a_file_takes_as_many_reads_as_it_has_chunks(files, chunk):
    exchanges = list(read_exchanges(files, chunk))
    assert len(exchanges) == sum(-(-size // chunk) for size in files)
    assert sum(one.protected_bytes for one in exchanges) == sum(files)


@settings(deadline=None)
@given(plaintext=st.integers(1, 65_000))
def test_a_protected_read_is_padded_to_blocks(plaintext):
    one = protected_read(plaintext)
    assert isinstance(one, Exchange)
    assert 17 <= one.response_bytes - plaintext <= 40


@settings(deadline=None)
@given(content=st.binary(max_size=300), kind=st.sampled_from(["truncated-file", "length-4-gib"]))
def test_any_file_can_be_spoilt(content, kind):
    spoilt = FaultSchedule([Fault(kind, file="EF.DG2")]).spoil("EF.DG2", content)
    assert len(spoilt) <= len(content) + 5


def test_what_the_specimen_explains_is_right():
    """Its lines that are commented out are a profile, too."""
    lines = SPECIMEN.read_text("utf-8").splitlines()
    start = lines.index("# [link]")
    told = "\n".join(line.removeprefix("# ") for line in lines[start:] if "What goes" not in line)
    table = tomllib.loads("\n".join(lines[:start]) + "\n" + told)
    profile = parse_profile(table)
    assert profile.link == LinkModel(848, 256, 15, 86, 60, 100_000, 10)
    assert profile.faults == (Fault("tear", at_apdu=3, file="EF.DG2", back_after_s=2.0),)
