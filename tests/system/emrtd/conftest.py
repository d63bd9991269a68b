"""Specimen cards of all the kinds that the simulator makes."""

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.portrait import make_portrait
from devices.simulator.profile import CardProfile, load_profile

SPECIMEN = Path(__file__).parents[3] / "devices/simulator/specimen.toml"


class CardMaker:
    """Makes cards that differ from the specimen in what its chip can do."""

    def __init__(self, profile: CardProfile, portrait: bytes) -> None:
        self._profile = profile
        self.portrait = portrait

    def __call__(self, signers: dict[str, Any] | None = None, **chip: Any) -> CardImage:
        profile = replace(
            self._profile,
            chip=replace(self._profile.chip, **chip),
            signers=replace(self._profile.signers, **(signers or {})),
        )
        return personalise(profile, portrait=self.portrait)


@pytest.fixture(scope="session")
def make_card() -> CardMaker:
    picture = BytesIO()
    Image.effect_noise((360, 480), 60).convert("RGB").save(picture, "PNG")
    # As the chip stores it: a card takes it as it is, and none compresses it again.
    return CardMaker(load_profile(SPECIMEN), make_portrait(picture.getvalue()).data)
