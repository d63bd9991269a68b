"""The reader reads every card with one odd habit, and gets the very bytes that were made."""

import io
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PIL import Image

from devices.emrtd.errors import SecureMessagingError
from devices.emrtd.lds.mrz import Can
from devices.emrtd.terminal.reader import read_chip
from devices.simulator.card import SimulatedCard
from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.profile import SPECIMEN, load_profile
from devices.simulator.quirks import QUIRKS

CONTENT = ("aa-", "dg13-", "dg14-", "dg15-", "ecdsa-", "portrait-", "surplus-", "dg3-")
"""Quirks of what is on the card have tests of their own."""

REFUSED = "do99-missing"
"""Without DO'99' the status word is not authentic: the reader refuses the card."""

BEHAVIOUR = [name for name in QUIRKS if not name.startswith((*CONTENT, REFUSED))]


@pytest.fixture(scope="module")
def image() -> CardImage:
    noise = io.BytesIO()
    Image.effect_noise((480, 640), 80).save(noise, "PNG")
    return personalise(load_profile(SPECIMEN), portrait=noise.getvalue())


def combinations() -> Iterator[tuple[str, ...]]:
    yield from ((name,) for name in BEHAVIOUR)
    yield ("sfi-6a86", "le-on-select-refused", "le-on-mse-refused")
    yield ("too-much-answered-bare", "bare-status-advances-ssc")
    yield ("too-much-answered-bare", "bare-status-ends-session")


@pytest.mark.parametrize("quirks", list(combinations()), ids="+".join)
@pytest.mark.parametrize("limit", [65536, 192], ids=["long", "192"])
def test_a_card_with_quirks(image, quirks, limit):
    if limit == 65536 and "bare" in quirks[0]:
        limit = 4000
    odd = replace(image.behaviour, quirks=quirks, max_read_bytes=limit)
    evidence = read_chip(
        SimulatedCard(replace(image, behaviour=odd)), Can("123456"), challenge=bytes(8)
    )
    check(image, evidence)


def test_a_card_that_leaves_do99_away_is_refused(image):
    """Source: ICAO Doc 9303-11 §9.8.4 (DO'99' is required)."""
    odd = replace(image.behaviour, quirks=(REFUSED,))
    with pytest.raises(SecureMessagingError, match="no protected status word"):
        read_chip(SimulatedCard(replace(image, behaviour=odd)), Can("123456"))


@pytest.mark.parametrize("asked_too_much", ["6700", "6Cxx", "less", "6282"])
@pytest.mark.parametrize(
    "limits",
    [
        {"max_read_bytes": 100},
        {"max_read_bytes": 192},
        {"max_read_bytes": 1000},
        {"max_response_bytes": 500},
        {"max_response_bytes": 4096, "max_command_bytes": 300},
        {"extended_length": False, "max_read_bytes": 128},
    ],
    ids=lambda limits: "-".join(map(str, limits.values())),
)
def test_a_card_with_limits(image, limits, asked_too_much):
    odd = replace(image.behaviour, asked_too_much=asked_too_much, **limits)
    evidence = read_chip(
        SimulatedCard(replace(image, behaviour=odd)), Can("123456"), challenge=bytes(8)
    )
    check(image, evidence)


def check(image, evidence):
    names = {"EF.CardAccess", "EF.SOD", *(f"EF.DG{n}" for n in (1, 2, 13, 14, 15))}
    assert set(evidence.files) == names
    assert all(image.files[name] == content for name, content in evidence.files.items())
    assert evidence.aa_response is not None
