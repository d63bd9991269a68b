"""Measures of a mesh that a turn changes little, and movements in plain courses."""

import math

import numpy as np
import pytest

from biometrics.landmarks import LEFT_EYE, RIGHT_EYE, Mesh
from biometrics.liveness.motion import (
    eye_openness,
    face_size,
    find_blinks,
    find_movements,
    without_spikes,
)

T = np.arange(0, 3000, 50.0)


def mesh(openness=0.25, scale=1.0, yaw_deg=0.0):
    """Return a face of 200 px with elliptic eyes, turned about the vertical axis."""
    points = np.zeros((468, 3))
    points[10], points[2], points[152] = (0, -100, 0), (0, 20, -40), (0, 100, 0)
    for rim, middle in ((RIGHT_EYE, -35), (LEFT_EYE, 35)):
        outwards = math.copysign(1, middle)
        for k, i in enumerate(rim):
            angle = math.pi * k / 8
            points[i] = (
                middle + outwards * 15 * math.cos(angle),
                -20 - 15 * openness * math.sin(angle),
                0,
            )
    yaw = math.radians(yaw_deg)
    turn = [[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]]
    return Mesh((points @ np.array(turn).T * scale).astype(np.float32), 1.0)


@pytest.mark.parametrize("yaw_deg", [-50, -20, 0, 35, 50])
def test_a_turn_changes_neither_size_nor_openness(yaw_deg):
    turned = mesh(yaw_deg=yaw_deg)
    assert face_size(turned) == pytest.approx(face_size(mesh()), rel=1e-4)
    assert eye_openness(turned) == pytest.approx(eye_openness(mesh()), rel=1e-4)


def test_size_grows_with_the_face_and_openness_with_the_eyes():
    assert face_size(mesh(scale=1.5)) == pytest.approx(1.5 * face_size(mesh()), rel=1e-4)
    assert eye_openness(mesh(scale=1.5)) == pytest.approx(eye_openness(mesh()), rel=1e-4)
    assert eye_openness(mesh(0.125)) == pytest.approx([e / 2 for e in eye_openness(mesh())])


def test_eyes_without_width_are_no_number():
    assert all(map(math.isnan, eye_openness(Mesh(np.zeros((468, 3), dtype=np.float32), 1.0))))


def hill(begin, out, hold, back, extent):
    """Return a course that rises, stays and falls evenly."""
    return extent * np.clip(
        np.minimum((T - begin) / out, 1 - (T - begin - out - hold) / back), 0, 1
    )


def test_a_movement_has_its_times_and_extent():
    (found,) = find_movements(T, -hill(500, 400, 200, 400, 0.4), 0.1)
    assert found.sign == -1
    assert found.extent == pytest.approx(0.4)
    assert 400 <= found.begun_ms <= 500
    assert 800 <= found.reached_ms <= 900
    assert found.returned_ms == pytest.approx(1100 + 0.6 * 400, abs=5)
    assert found.jump == pytest.approx(50 / 400, abs=1e-6)


def test_two_movements_to_one_side_are_two_though_the_rest_between_is_short():
    course = hill(200, 300, 100, 300, 0.4) + hill(900, 300, 100, 300, 0.2)
    found = find_movements(T, course, 0.1)
    assert [round(m.extent, 2) for m in found] == [0.4, 0.2]
    assert found[0].returned_ms < found[1].begun_ms


def test_a_mesh_that_slips_on_the_way_back_makes_no_second_movement():
    course = hill(500, 300, 400, 300, 0.4)
    course[22:24] = 0.1
    (found,) = find_movements(T, course, 0.1)
    assert found.extent == pytest.approx(0.4)
    assert found.returned_ms == pytest.approx(1200 + 0.6 * 300, abs=5)


def test_sway_and_single_frames_are_no_movements():
    assert find_movements(T, 0.05 * np.sin(T / 200), 0.1) == []
    single = np.zeros(len(T))
    single[20] = 0.5
    assert find_movements(T, single, 0.1) == []
    assert without_spikes(single).max() == 0


def test_a_movement_that_the_capture_cuts_off_did_not_return():
    (found,) = find_movements(T, hill(2500, 300, 900, 300, 0.4), 0.1)
    assert found.returned_ms is None


def test_spikes_go_and_movements_stay():
    course = hill(500, 300, 0, 300, 0.4)
    assert np.array_equal(without_spikes(course), course)
    assert list(without_spikes(np.array([1.0, 2.0]))) == [1.0, 2.0]


def blinks(*spans, usable=None, depth=0.5):
    eyes = np.ones((len(T), 2))
    for begin, end in spans:
        eyes[(begin <= T) & (end >= T)] = depth
    usable = np.ones(len(T), dtype=bool) if usable is None else usable
    return find_blinks(T, eyes, usable, 0.7)


def test_blinks_are_counted_one_by_one():
    found = blinks((500, 600), (800, 950), (1500, 1500), (2900, 3000))
    assert [(b.begun_ms, b.ended_ms) for b in found] == [
        (475, 650),
        (775, 1000),
        (1475, 1550),
        (2875, 2950),
    ]


def test_closed_eyes_half_closed_eyes_and_turned_eyes_do_not_blink():
    assert blinks((500, 1500)) == []
    assert blinks((500, 600), depth=0.75) == []
    assert blinks((500, 600), usable=T < 550) == []
    assert blinks((0, 100)) == []
    assert blinks((500, 600), usable=T > 520) == []


def test_eyes_that_open_slowly_blink_once():
    eyes = np.ones((len(T), 2))
    eyes[10:15] = np.array([0.3, 0.5, 0.66, 0.69, 0.75])[:, None]
    assert len(find_blinks(T, eyes, np.ones(len(T), dtype=bool), 0.7)) == 1
