"""A card whose password, keys and nonces are those of a worked example."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from devices.simulator.card import SimulatedCard
from devices.simulator.image import CardBehaviour, CardImage


class Script:
    """Randomness that gives out written-down values in their order."""

    def __init__(self, octets: Iterable[str] = (), scalars: Iterable[str] = ()) -> None:
        self._octets = [bytes.fromhex(value) for value in octets]
        self._scalars = [int(value, 16) for value in scalars]

    def octets(self, count: int) -> bytes:
        value = self._octets.pop(0)
        assert len(value) == count
        return value

    def scalar(self, order: int) -> int:
        value = self._scalars.pop(0)
        assert 0 < value < order
        return value


@pytest.fixture
def make_card() -> Callable[..., SimulatedCard]:
    def make(
        mrz_information: str,
        randomness: Script,
        files: Mapping[str, bytes] | None = None,
    ) -> SimulatedCard:
        behaviour = CardBehaviour(
            can="000000",
            mrz_information=mrz_information,
            access=("pace", "bac"),
            extended_length=True,
            max_read_bytes=65536,
            quirks=(),
        )
        image = CardImage(behaviour, files or {}, csca=b"")
        return SimulatedCard(image, randomness=randomness)

    return make


@pytest.fixture(scope="session")
def icao_vectors(test_data: Path) -> dict[str, Any]:
    return json.loads((test_data / "chip/vectors/icao9303-11_vectors.json").read_text())


@pytest.fixture(scope="session")
def transcripts(test_data: Path) -> dict[str, Any]:
    return json.loads((test_data / "chip/vectors/ca_aa_transcripts.json").read_text())
