"""Heads, paper and bent paper that turn, as points with a still face's jitter."""

import csv
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from biometrics.challenge import Action, Extent, Step
from biometrics.detection import FaceError
from biometrics.landmarks import Mesh
from biometrics.liveness.geometry import GeometryLimits, judge_geometry
from biometrics.liveness.performance import Performance, StepPerformance, StepResult
from biometrics.liveness.relief import foreshortening, homography_residual, rigid_points
from biometrics.types import CheckResult

FLAT, UNCERTAIN = "challenge-flat-surface", "challenge-geometry-uncertain"
FULL, HALF = Extent.FULL, Extent.HALF


def _reasons(signal):
    return {finding.reason for finding in signal.findings}


def _judge(sitter, rig, shape, yaws_deg, *, extents=(FULL, FULL), seed=1, **how):
    """Judge five frames at rest and, for each yaw, five near it."""
    rng = np.random.default_rng(seed)
    meshes = [sitter.shoot(shape, 0, rng, **how) for _ in range(5)]
    turns = []
    for yaw_deg, extent in zip(yaws_deg, extents, strict=True):
        turns.append((extent, range(len(meshes), len(meshes) + 5)))
        meshes += [sitter.shoot(shape, yaw_deg + d, rng, **how) for d in (0, -1, 1, -2, 2)]
    return judge_geometry(rig.perform(5, turns), rig.observe(meshes))


@pytest.mark.parametrize("distance_cm", [40, 55, 80])
@pytest.mark.parametrize("yaw_deg", [20, 30, 40])
def test_a_head_that_turns_is_one(sitter, rig, yaw_deg, distance_cm):
    signal = _judge(sitter, rig, rig.head, (yaw_deg, -yaw_deg), distance_cm=distance_cm)
    assert signal.result is CheckResult.OK
    assert signal.score > 0
    assert signal.measurements["relief"] > 0.1


def test_a_half_turn_beside_a_full_one_is_judged_with_it(sitter, rig):
    signal = _judge(sitter, rig, rig.head, (30, -13), extents=(FULL, HALF))
    assert signal.result is CheckResult.OK


@pytest.mark.parametrize("distance_cm", [40, 80])
@pytest.mark.parametrize("yaw_deg", [12, 20, 30, 45])
@pytest.mark.parametrize("pitch_deg", [0, 10])
def test_paper_is_flat_however_it_turns(sitter, rig, yaw_deg, distance_cm, pitch_deg):
    yaws_deg = (yaw_deg, -yaw_deg)
    how = {"distance_cm": distance_cm, "pitch_deg": pitch_deg}
    signal = _judge(sitter, rig, rig.paper, yaws_deg, **how)
    assert FLAT in _reasons(signal)
    assert signal.score < 0


@pytest.mark.parametrize("radius", [1.2, 1.6, 2.0, 3.5, -1.5, -3.0])
@pytest.mark.parametrize("yaw_deg", [12, 20, 30, 40])
def test_bent_paper_is_no_head(sitter, rig, radius, yaw_deg):
    """Radii from 11 to 32 cm, and hollow: flat where it is nearly so, else not decided."""
    signal = _judge(sitter, rig, rig.bent(radius), (yaw_deg, -yaw_deg))
    assert signal.result is not CheckResult.OK
    assert signal.score < 0
    if abs(radius) >= 2 and yaw_deg <= 30:
        assert FLAT in _reasons(signal)


@pytest.mark.parametrize("yaw_deg", [20, 30, 40])
def test_eyes_behind_holes_do_not_make_paper_a_head(sitter, rig, yaw_deg):
    signal = _judge(sitter, rig, rig.paper, (yaw_deg, -yaw_deg), eyes=rig.head)
    assert FLAT in _reasons(signal)


def test_a_rigid_mask_has_the_depth_of_a_head(sitter, rig):
    """It must be found by its eyes and its stillness: said in the module, and held here."""
    assert _judge(sitter, rig, rig.head, (30, -30), eyes=rig.paper).result is CheckResult.OK


def test_one_turn_of_paper_among_a_heads_is_found(sitter, rig):
    rng = np.random.default_rng(2)
    meshes = [sitter.shoot(rig.head, 0, rng) for _ in range(5)]
    meshes += [sitter.shoot(rig.head, 30, rng) for _ in range(5)]
    meshes += [sitter.shoot(rig.paper, -30, rng) for _ in range(5)]
    performance = rig.perform(5, [(FULL, range(5, 10)), (FULL, range(10, 15))])
    assert FLAT in _reasons(judge_geometry(performance, rig.observe(meshes)))


@pytest.mark.parametrize(("shape", "flat"), [("paper", True), ("head", False)])
def test_a_whole_that_turns_outside_of_the_steps_is_seen(sitter, rig, shape, flat):
    rng = np.random.default_rng(3)
    meshes = [sitter.shoot(rig.head, 0, rng) for _ in range(5)]
    meshes += [sitter.shoot(rig.head, 30, rng) for _ in range(5)]
    meshes += [sitter.shoot(getattr(rig, shape), yaw, rng) for yaw in (28, 30, 32, 32, 30, 29)]
    performance = rig.perform(5, [(FULL, range(5, 10))])
    assert (FLAT in _reasons(judge_geometry(performance, rig.observe(meshes)))) is flat


def test_two_frames_that_look_flat_are_held_against_nobody(sitter, rig):
    rng = np.random.default_rng(4)
    meshes = [sitter.shoot(rig.head, 0, rng) for _ in range(5)]
    meshes += [sitter.shoot(rig.head, 30, rng) for _ in range(5)]
    meshes += [sitter.shoot(rig.paper, 30, rng) for _ in range(2)]
    performance = rig.perform(5, [(FULL, range(5, 10))])
    assert judge_geometry(performance, rig.observe(meshes)).result is CheckResult.OK


def test_a_nod_is_not_taken_for_paper(sitter, rig):
    rng = np.random.default_rng(5)
    meshes = [sitter.shoot(rig.head, 0, rng) for _ in range(5)]
    meshes += [sitter.shoot(rig.head, 30, rng) for _ in range(5)]
    meshes += [sitter.shoot(rig.head, 0, rng, pitch_deg=p) for p in (-25, -20, -15, 15, 20, 25)]
    performance = rig.perform(5, [(FULL, range(5, 10))])
    assert judge_geometry(performance, rig.observe(meshes)).result is CheckResult.OK


def test_coming_nearer_is_no_turn(sitter, rig):
    rng = np.random.default_rng(6)
    meshes = [sitter.shoot(rig.paper, 0, rng) for _ in range(5)]
    meshes += [sitter.shoot(rig.paper, 0, rng, distance_cm=d) for d in (50, 45, 40, 35, 30)]
    step = StepPerformance(Step(Action.NEARER, 1000, 1900, 3200), StepResult.OK, furthest=(9, 8, 7))
    signal = judge_geometry(Performance(tuple(range(5)), (step,)), rig.observe(meshes))
    assert not signal.performed
    assert _reasons(signal) == {UNCERTAIN}


@pytest.mark.parametrize(("action", "to_cm"), [(Action.NEARER, 38), (Action.FARTHER, 85)])
def test_perspective_is_recorded_and_decides_nothing(sitter, rig, action, to_cm):
    measured = {}
    for shape in ("head", "paper"):
        rng = np.random.default_rng(10)
        shoot = partial(sitter.shoot, getattr(rig, shape), rng=rng)
        meshes = [shoot(yaw_deg=0) for _ in range(3)]
        meshes += [sitter.shoot(rig.head, 30, rng) for _ in range(3)]
        meshes += [shoot(yaw_deg=0, distance_cm=to_cm) for _ in range(5)]
        turn = rig.perform(3, [(FULL, range(3, 6))]).steps[0]
        move = StepPerformance(Step(action, 4000, 4900, 6200), StepResult.OK, furthest=(6, 7, 8))
        signal = judge_geometry(Performance((0, 1, 2), (turn, move)), rig.observe(meshes))
        measured[shape] = signal.measurements[f"perspective_{action.value}"]
        assert UNCERTAIN not in _reasons(signal)
    assert measured["head"] > 0.008
    assert abs(measured["paper"]) < 0.005


def _turned(sitter, rig, **changed):
    rng = np.random.default_rng(7)
    meshes = [sitter.shoot(rig.head, yaw, rng) for yaw in (0, 0, 0, 30, 30, 30)]
    return replace(rig.perform(3, [(FULL, range(3, 6))]), **changed), rig.observe(meshes)


def test_what_was_not_seen_is_not_judged(sitter, rig):
    performance, observations = _turned(sitter, rig)
    missing = StepPerformance(performance.steps[0].step, StepResult.MISSING)
    for lacking in (
        replace(performance, rest=()),
        replace(performance, steps=()),
        replace(performance, steps=(missing,)),
        Performance((), ()),
    ):
        signal = judge_geometry(lacking, observations)
        assert (signal.performed, signal.score) == (False, None)
        assert _reasons(signal) == {UNCERTAIN}
    both = replace(performance, steps=(*performance.steps, missing))
    assert judge_geometry(both, observations).result is CheckResult.NOT_PERFORMED


@pytest.mark.parametrize("points", [np.nan, np.inf, 0.0])
def test_meshes_that_are_none_do_not_decide(sitter, rig, points):
    performance, observations = _turned(sitter, rig)
    broken = Mesh(np.full((468, 3), points, np.float32), 0.0)
    for places in (range(3), range(3, 6), range(6)):
        spoilt = list(observations)
        for i in places:
            spoilt[i] = replace(spoilt[i], sighting=replace(spoilt[i].sighting, mesh=broken))
        assert judge_geometry(performance, spoilt).result is CheckResult.NOT_PERFORMED
    blind = [replace(o, sighting=None) for o in observations]
    assert judge_geometry(performance, blind).result is CheckResult.NOT_PERFORMED


def test_a_limit_out_of_reach_is_not_reached(sitter, rig, manifest):
    performance, observations = _turned(sitter, rig)
    strict = replace(GeometryLimits.of(manifest), relief=0.9)
    assert _reasons(judge_geometry(performance, observations, strict)) == {UNCERTAIN}


def test_eyes_and_mouth_are_left_out(sitter, rig):
    mesh = sitter.shoot(rig.head, 0, np.random.default_rng(8))
    kept = set(rigid_points(mesh).tolist())
    eyes, lips = {33, 133, 159, 145, 263, 362, 386, 374}, {0, 13, 14, 17, 61, 291}
    nose_forehead_and_cheeks = {1, 4, 5, 6, 10, 50, 280, 151, 234, 454}
    assert not kept & (eyes | lips)
    assert nose_forehead_and_cheeks <= kept
    assert 150 < len(kept) < 350


def test_a_plane_follows_its_homography_and_is_foreshortened_by_its_turn():
    rng = np.random.default_rng(9)
    frontal = rng.uniform(-1, 1, (100, 2)).astype(np.float32)
    x, y = frontal.T
    away = 1 + x * np.sin(np.radians(30)) / 6
    turned = np.column_stack([x * np.cos(np.radians(30)) / away, y / away]).astype(np.float32)
    sine, direction = foreshortening(frontal, turned)
    assert homography_residual(frontal, turned) < 1e-5
    assert sine == pytest.approx(0.5, abs=0.02)
    assert abs(direction[0]) > 0.99
    assert foreshortening(frontal, 1.3 * frontal + 5)[0] < 0.01
    assert homography_residual(frontal, np.zeros_like(frontal)) > 0.1


def test_heads_of_many_shapes(test_data: Path, look, rig):
    """Faces of LFW, fold 1, that look ahead: turned as heads, as paper and as bent paper."""
    sitters = list(islice(_frontal(test_data / "faces", look), 25))
    assert len(sitters) == 25
    for seed, sitter in enumerate(sitters):
        how = {"seed": seed, "distance_cm": (40, 55, 80)[seed % 3]}
        assert _judge(sitter, rig, rig.head, (28, -28), **how).result is CheckResult.OK
        assert FLAT in _reasons(_judge(sitter, rig, rig.paper, (28, -28), **how))
        bent = _judge(sitter, rig, rig.bent(1.3), (28, -28), **how)
        assert bent.result is not CheckResult.OK


def _frontal(faces: Path, look):
    with (faces / "lfw_pairs.csv").open(encoding="utf-8") as table:
        names = sorted({row["reference"] for row in csv.DictReader(table) if row["fold"] == "1"})
    places = {path.name: path for path in (faces / "lfw").rglob("*.jpg")}
    for name in names:
        try:
            sitter = look(places[name].read_bytes())
        except FaceError:
            continue
        if abs(sitter.points[1, 0]) < 0.06:
            yield sitter
