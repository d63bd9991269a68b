"""One specimen card for all tests, and a terminal session on it."""

import io
import tomllib
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

import pytest
from PIL import Image

from devices.emrtd.lds.mrz import Can
from devices.emrtd.terminal.access import ChipAccess
from devices.emrtd.terminal.secure_messaging import SecureChannel
from devices.simulator.card import SimulatedCard
from devices.simulator.faults import Fault
from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.pki import TestPki
from devices.simulator.profile import SPECIMEN, load_profile
from devices.transport import PlainChannel


@pytest.fixture
def table() -> dict[str, Any]:
    """The shipped profile as a table that a test may change."""
    return deepcopy(tomllib.loads(SPECIMEN.read_text("utf-8")))


@pytest.fixture(scope="session")
def picture() -> bytes:
    """A PNG that is no face: gradients and noise."""
    image = Image.merge(
        "RGB",
        [
            Image.linear_gradient("L"),
            Image.radial_gradient("L"),
            Image.effect_noise((256, 256), 60),
        ],
    ).resize((600, 800))
    stored = io.BytesIO()
    image.save(stored, "PNG")
    return stored.getvalue()


@pytest.fixture(scope="session")
def pki() -> TestPki:
    return TestPki.create()


@pytest.fixture(scope="session")
def image(picture: bytes, pki: TestPki) -> CardImage:
    return personalise(load_profile(SPECIMEN), portrait=picture, pki=pki)


@pytest.fixture
def open_card() -> Callable[..., tuple[SimulatedCard, SecureChannel]]:
    """Return a card and a PACE session with the application selected."""

    def open_(image: CardImage, faults: Iterable[Fault] = ()) -> Any:
        card = SimulatedCard(image, faults)
        return card, ChipAccess(PlainChannel(card), Can("123456")).open()

    return open_
