"""The screen's light, the room's, and the camera's adaptation."""

from dataclasses import replace

import numpy as np
import pytest

from biometrics.challenge import Colour, LightPattern
from biometrics.rig.lighting import Light
from biometrics.rig.person import Place
from biometrics.types import FloatArray

PATTERN = LightPattern((Colour.RED, Colour.BLUE, Colour.GREEN, Colour.WHITE))
PLACE = replace(Place.draw(np.random.default_rng(1)), adaptation=0.0, latency_ms=60.0)
GRID = np.array([[1.0, 0.0]], np.float32)


def factors(t_ms: float, glow: FloatArray | None = None) -> FloatArray:
    return Light(PATTERN, PLACE, 2000).factors(GRID, t_ms, glow)


@pytest.mark.parametrize(("t_ms", "channel"), [(300, 2), (800, 0), (1300, 1)])
def test_skin_takes_the_screens_colour_and_the_background_little_of_it(
    t_ms: float, channel: int
) -> None:
    white, lit = factors(1900)[0], factors(t_ms)[0]
    change = lit / white
    others = [c for c in range(3) if c != channel]
    assert change[0, channel] == pytest.approx(1.0, abs=1e-3)
    assert max(change[0, others]) < 0.95
    assert min(change[1]) > 0.93


def test_the_light_arrives_late() -> None:
    before, after = factors(540)[0, 0], factors(610)[0, 0]
    assert before[2] > after[2]
    assert before[0] < after[0]


def test_a_screen_shines_by_itself() -> None:
    glow = np.array([[1.0, 0.0]], np.float32)
    red, blue = factors(300, glow)[0, 0], factors(800, glow)[0, 0]
    skin_red, skin_blue = factors(300)[0, 0], factors(800)[0, 0]
    assert abs(red - blue).max() < 0.2 * abs(skin_red - skin_blue).max()


def test_a_camera_takes_back_a_part_of_the_colour_in_time() -> None:
    light = Light(PATTERN, replace(PLACE, adaptation=0.5, adaptation_s=0.5), 2000)
    early, late = light.gain_at(600), light.gain_at(1050)
    assert late[0] < early[0]
    assert late[2] > early[2]
    assert light.gain_at(1e9).shape == (3,)


def test_without_a_pattern_the_page_is_white() -> None:
    light = Light(None, PLACE, 2000)
    assert (light.factors(GRID, 300) == light.factors(GRID, 1300)).all()
