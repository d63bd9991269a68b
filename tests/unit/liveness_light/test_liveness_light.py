"""The light of the screen on simulated faces: honest, none, another's, on everything."""

import importlib.util
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from biometrics.challenge import Colour, LightPattern
from biometrics.liveness.capture import Observation
from biometrics.liveness.light import judge_light
from biometrics.liveness.signal import Signal
from biometrics.types import CheckResult

MISMATCH = "pad-light-mismatch"


def _load() -> ModuleType:
    """Return the simulation beside this file; tests are no packages."""
    name = "liveness_lit_faces"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            name, Path(__file__).with_name("lit_faces.py")
        )
        assert spec and spec.loader
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


lit = _load()
Room = lit.Room


def _reasons(signal: Signal) -> set[str]:
    return {finding.reason for finding in signal.findings}


def _many(judged: Callable[[np.random.Generator], Signal], times: int) -> list[Signal]:
    return [judged(np.random.default_rng(seed)) for seed in range(times)]


def _honest(**room: object) -> Callable[[np.random.Generator], Signal]:
    def judged(rng: np.random.Generator) -> Signal:
        pattern = lit.draw_pattern(rng)
        seen = lit.capture(pattern, Room(lag_ms=rng.uniform(40, 300), **room), rng)
        return judge_light(pattern, seen)

    return judged


@pytest.mark.parametrize(
    "room",
    [
        {"amplitude": 0.02},
        {"amplitude": 0.1},
        {"amplitude": 1.0},
        {"amplitude": 4.0, "wall": 0.3, "level": 0.2},
        {"fps": 8.0},
        {"fps": 30.0},
        {"noise": 2.0},
        {"white_balance": 0.9, "adaptation_s": 0.5},
        {"exposure_control": 1.0, "adaptation_s": 0.2},
        {"ambient_bgr": (0.4, 0.8, 1.2)},
        {"turns": 0.5},
    ],
    ids=str,
)
def test_a_face_that_the_screen_lights_follows_it(room):
    for signal in _many(_honest(**room), 10):
        assert signal.result is CheckResult.OK
        assert signal.score > 0.6
        assert 0 <= signal.measurements["lag_ms"] <= 400


@pytest.mark.parametrize("amplitude", [0.0, 0.0005])
def test_daylight_that_hides_the_screen_leaves_nothing_to_judge(amplitude):
    results = Counter((s.performed, *_reasons(s)) for s in _many(_honest(amplitude=amplitude), 40))
    assert results[(False,)] >= 38
    assert all(not reasons for _, *reasons in results)


def test_the_light_of_another_challenge_does_not_match():
    def replayed(rng: np.random.Generator) -> Signal:
        seen = lit.capture(lit.draw_pattern(rng), Room(lag_ms=rng.uniform(0, 900)), rng)
        return judge_light(lit.draw_pattern(rng), seen)

    signals = _many(replayed, 100)
    accepted = sum(signal.result is CheckResult.OK for signal in signals)
    assert accepted <= 3
    assert sum(MISMATCH in _reasons(signal) for signal in signals) >= 85


def test_the_right_colours_too_late_do_not_match():
    def late(rng: np.random.Generator) -> Signal:
        pattern = lit.draw_pattern(rng)
        return judge_light(pattern, lit.capture(pattern, Room(lag_ms=1100), rng))

    signals = _many(late, 40)
    assert sum(signal.result is CheckResult.OK for signal in signals) <= 2
    assert sum(MISMATCH in _reasons(signal) for signal in signals) >= 33


@pytest.mark.parametrize("depth", [0.05, 0.2, 0.5])
def test_a_tint_over_the_whole_frame_is_no_screen(depth):
    def injected(rng: np.random.Generator) -> Signal:
        pattern = lit.draw_pattern(rng)
        untinted = lit.capture(None, Room(), rng)
        return judge_light(pattern, lit.tinted(untinted, pattern, rng.uniform(0, 300), depth))

    for signal in _many(injected, 15):
        assert _reasons(signal) == {"pad-light-on-background"}
        assert signal.result is CheckResult.NOT_PERFORMED
        assert signal.measurements["background_share"] > 0.9


def _spontaneous(kind: int, rng: np.random.Generator) -> Callable[[float], np.ndarray]:
    """Return how daylight drifts or flickers, somebody walks by, or lamps are switched."""
    colour, depth = 1 + rng.uniform(-0.5, 0.5, 3), rng.uniform(0.05, 0.4)
    period_ms, phase = rng.uniform(800, 4000), rng.uniform(0, 2 * np.pi)
    if kind == 0:
        return lambda t: 1 + depth * np.sin(2 * np.pi * t / period_ms + phase) * colour
    if kind == 1:
        middle = rng.uniform(0, 8000)
        return lambda t: 1 - depth * colour * np.exp(-(((t - middle) / period_ms * 2) ** 2))
    times = np.sort(rng.uniform(0, 8000, 12))
    levels = 1 + rng.uniform(-0.4, 0.4, (13, 1)) + rng.uniform(-0.25, 0.25, (13, 3))
    return lambda t: levels[np.searchsorted(times, t)]


@pytest.mark.parametrize("kind", [0, 1, 2], ids=["drift", "shadow", "lamps"])
def test_light_that_changes_by_itself_is_held_against_nobody(kind):
    """The false alarms' bound is 0.5 %; lamps are 12 switches of strong colours in 8 seconds.

    Once with 1,000 a kind: none, none and two.
    """

    def disturbed(rng: np.random.Generator) -> Signal:
        pattern = lit.draw_pattern(rng)
        room = Room(
            amplitude=float(rng.choice([0, 0.01, 0.05, 0.1, 0.3])),
            lag_ms=rng.uniform(40, 300),
            spontaneous=_spontaneous(kind, rng),
        )
        return judge_light(pattern, lit.capture(pattern, room, rng))

    adverse = sum(MISMATCH in _reasons(signal) for signal in _many(disturbed, 200))
    assert adverse <= 1


def _with(observations: list[Observation], **colours: object) -> list[Observation]:
    def changed(o: Observation) -> Observation:
        new = replace(o.sighting.colours, **colours)
        return replace(o, sighting=replace(o.sighting, colours=new))

    return [changed(o) for o in observations]


NAN = np.full(3, np.nan, np.float32)


@pytest.mark.parametrize(
    "colours",
    [
        {"clipped": 0.5},
        {"dark": 0.9},
        {"face_bgr": NAN},
        {"face_bgr": np.zeros(3, np.float32)},
        {"face_bgr": np.full(3, 128, np.float32)},
    ],
    ids=["clipped", "dark", "outside", "black", "constant"],
)
def test_a_face_badly_exposed_is_not_judged(colours):
    rng = np.random.default_rng(1)
    pattern = lit.draw_pattern(rng)
    signal = judge_light(pattern, _with(lit.capture(pattern, Room(), rng), **colours))
    assert not signal.performed
    assert signal.findings == ()


@pytest.mark.parametrize("background", [NAN, np.full(3, 255, np.float32)])
def test_without_a_background_the_face_alone_is_judged(background):
    rng = np.random.default_rng(2)
    pattern = lit.draw_pattern(rng)
    seen = _with(lit.capture(pattern, Room(), rng), background_bgr=background)
    signal = judge_light(pattern, seen)
    assert signal.result is CheckResult.OK
    assert "background_share" not in signal.measurements


def test_whoever_goes_without_light_is_not_judged():
    rng = np.random.default_rng(3)
    signal = judge_light(None, lit.capture(None, Room(), rng))
    assert (signal.performed, signal.findings, signal.score) == (False, (), None)


def test_what_is_no_capture_is_not_judged():
    rng = np.random.default_rng(4)
    pattern = lit.draw_pattern(rng)
    seen = lit.capture(pattern, Room(), rng)
    blind = [replace(o, sighting=None) for o in seen]
    times = (float("nan"), float("inf"), 1e300, -1e300)
    odd = [replace(o, t_ms=times[i % 4]) for i, o in enumerate(seen)]
    same = [replace(o, t_ms=0.0) for o in seen]
    for observations in ([], seen[:1], seen[:17], blind, odd, same, seen[::-1]):
        signal = judge_light(pattern, observations)
        assert not signal.performed or signal.result is not CheckResult.OK
        assert MISMATCH not in _reasons(signal)


def test_a_pattern_too_short_for_a_verdict_gives_none():
    rng = np.random.default_rng(5)
    pattern = LightPattern((Colour.RED, Colour.GREEN, Colour.BLUE))
    assert not judge_light(pattern, lit.capture(pattern, Room(), rng)).performed


def test_the_clock_may_start_anywhere():
    rng = np.random.default_rng(6)
    pattern = lit.draw_pattern(rng)
    seen = lit.capture(pattern, Room(), rng)
    later = [replace(o, t_ms=o.t_ms + 123_456.0) for o in seen]
    expected = judge_light(pattern, seen).score
    assert judge_light(pattern, later).score == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_left_out(value: float) -> None:
    rng = np.random.default_rng(1)
    pattern = lit.draw_pattern(rng)
    seen = list(lit.capture(pattern, Room(), rng))
    for place, change in ((3, "nose_offset"), (7, "mesh"), (9, "colours")):
        sighting = seen[place].sighting
        assert sighting is not None
        bad = {
            "nose_offset": value,
            "mesh": replace(sighting.mesh, points=np.full_like(sighting.mesh.points, value)),
            "colours": replace(sighting.colours, face_bgr=np.full(3, value)),
        }[change]
        seen[place] = replace(seen[place], sighting=replace(sighting, **{change: bad}))
    seen[11] = replace(seen[11], t_ms=value)
    with np.errstate(invalid="ignore"):
        signal = judge_light(pattern, seen)
    assert MISMATCH not in _reasons(signal)
    assert signal.score is None or np.isfinite(signal.score)
