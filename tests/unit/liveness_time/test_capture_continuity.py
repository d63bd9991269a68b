"""One capture by one camera: what passes, and what was cut, stands still or comes again."""

import hashlib
import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from biometrics.liveness.capture import MAX_FRAMES
from biometrics.liveness.continuity import judge_continuity
from biometrics.types import CheckResult, Outcome


def reasons(observations, challenge):
    """Return the findings, adverse ones marked."""
    signal = judge_continuity(observations, challenge)
    marks = {Outcome.FAILED: "!", Outcome.INDETERMINATE: ""}
    return {finding.reason + marks[finding.outcome] for finding in signal.findings}


@pytest.mark.parametrize("fps", [8, 12, 15, 25, 30])
@pytest.mark.parametrize("seed", range(5))
def test_an_honest_capture_is_continuous(new_camera, challenge, fps, seed):
    signal = judge_continuity(new_camera(seed).film(fps), challenge)
    assert signal.findings == ()
    assert signal.result is CheckResult.OK
    assert signal.measurements["interval_ms"] == pytest.approx(1000 / fps, abs=8)


@pytest.mark.parametrize("noise", [0.1, 0.2, 0.4])
def test_noise_of_the_camera_is_no_matter(new_camera, challenge, noise):
    for seed in range(5):
        assert reasons(new_camera(seed, noise=noise).film(), challenge) == set()


def test_a_page_that_hands_over_each_frame_twice_is_no_copy(camera, challenge):
    film = camera.film(12)
    doubled = [x for o in film for x in (o, replace(o, t_ms=o.t_ms + 20))]
    assert reasons(doubled, challenge) == set()


def test_a_camera_that_gives_most_frames_three_times_is_none(camera, challenge):
    film = camera.film(8)
    tripled = [replace(o, t_ms=o.t_ms + k * 20) for o in film for k in range(3)]
    assert "challenge-frames-identical!" in reasons(tripled, challenge)


@pytest.mark.parametrize("frames", [0, 1, 2, 9])
def test_too_few_frames_are_not_judged(camera, challenge, frames):
    signal = judge_continuity(camera.film()[:frames], challenge)
    assert signal.result is CheckResult.NOT_PERFORMED
    assert "challenge-too-few-frames" in {f.reason for f in signal.findings}


def test_too_many_frames_are_not_looked_at(camera, challenge):
    film = camera.film()
    many = [replace(film[i % len(film)], index=i, t_ms=i * 1.0) for i in range(10_000)]
    found = reasons(many, challenge)
    assert "challenge-too-many-frames" in found
    assert judge_continuity(many, challenge).measurements["frames"] == MAX_FRAMES


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, -5.0, 0.0])
def test_times_that_do_not_run_forwards_are_adverse(camera, challenge, bad):
    film = camera.film()
    film[7] = replace(film[7], t_ms=bad)
    assert "challenge-time-not-monotonic!" in reasons(film, challenge)


def test_frames_in_another_order_do_not_follow_from_one_another(camera, challenge, retimed):
    film = camera.film()
    order = np.random.default_rng(0).permutation(len(film))
    found = reasons(retimed([film[i] for i in order], film), challenge)
    assert "capture-out-of-order" in found


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda film: film[: len(film) // 2], "challenge-too-short"),
        (lambda film: [replace(o, t_ms=o.t_ms * 1.7) for o in film], "challenge-too-long"),
        (lambda film: [replace(o, t_ms=o.t_ms * 1.7) for o in film], "challenge-frame-rate-low"),
        (lambda film: film[:20] + film[28:], "challenge-frames-missing"),
        (lambda film: [*film[:5], replace(film[5], size=(641, 480)), *film[6:]],
         "challenge-frame-size-changed"),
        (lambda film: [replace(o, fault="several-faces", sighting=None) if 5 <= i < 8 else o
                       for i, o in enumerate(film)], "challenge-several-faces!"),
        (lambda film: [replace(o, sighting=None, fault="face-missing") if i % 4 == 0 else o
                       for i, o in enumerate(film)], "challenge-face-lost"),
        (lambda film: [*film[:5], replace(film[5], size=None, pixel_sha256=b"", thumbnail=None,
                                          sighting=None, fault="image-truncated"), *film[6:]],
         "challenge-frame-unreadable"),
        (lambda film: [*film[:-1], replace(film[3], t_ms=film[-1].t_ms)],
         "challenge-frames-repeated!"),
    ],
)  # fmt: skip
def test_what_is_wrong_has_its_reason(camera, challenge, change, reason):
    assert reason in reasons(change(camera.film()), challenge)


@pytest.mark.parametrize("noise", [0.05, 0.3, 0.8])
@pytest.mark.parametrize("fps", [8, 12, 25])
def test_a_still_picture_with_new_noise_is_frozen(new_camera, challenge, fps, noise):
    camera = new_camera(1, noise=noise)
    film, begin, frames = camera.film(fps), int(0.3 * fps), int(1.4 * fps)
    still = camera.picture(film[begin].t_ms)
    place = camera.place(film[begin].t_ms)
    for i in range(begin, begin + frames):
        film[i] = camera.observe(still, film[i].t_ms, i, place)
    assert "capture-frozen" in reasons(film, challenge)


def test_copies_of_one_frame_are_frozen(camera, challenge, retimed):
    film = camera.film()
    held = retimed(film[:20] + [film[20]] * 14 + film[34:], film)
    assert "capture-frozen" in reasons(held, challenge)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("fps", [8, 12, 25])
def test_a_movement_that_comes_again_is_a_loop(new_camera, challenge, fps, backwards):
    camera = new_camera(2)
    film = camera.film(fps)
    first, frames = int(1.2 * fps), int(1.5 * fps)
    again = int(3.4 * fps)
    for k in range(frames):
        former = film[first + (frames - 1 - k if backwards else k)]
        place = camera.place(former.t_ms)
        t_ms = film[again + k].t_ms
        film[again + k] = camera.observe(camera.picture(former.t_ms), t_ms, again + k, place)
    assert "capture-looped" in reasons(film, challenge)


def test_another_scene_is_a_cut_for_sure(new_camera, challenge, retimed):
    mine, other = new_camera(3), new_camera(4)
    other.phases = other.phases + 2
    there = other.film()
    film = retimed(mine.film()[:36] + there[36:], there)
    far = [replace(o, sighting=_moved(o.sighting, 40)) if i >= 36 else o
           for i, o in enumerate(film)]  # fmt: skip
    assert "capture-cut!" in reasons(far, challenge)


def test_a_second_cut_out_is_a_jump(new_camera, challenge, retimed):
    for seed in range(10):
        film = new_camera(seed, sway=0.3).film(12, 8000)
        jumped = retimed(film[:12] + film[23:], film)
        assert reasons(jumped, challenge) & {"capture-cut", "capture-cut!"}


def test_a_cut_hidden_by_a_lost_frame_is_never_sure(new_camera, challenge):
    mine, there = new_camera(3).film(), new_camera(4).film()
    late = [replace(o, t_ms=o.t_ms + 120) for o in there[36:]]
    found = reasons(mine[:36] + late, challenge)
    assert "capture-cut" in found
    assert "capture-cut!" not in found


def test_brightness_that_jumps_is_unclear_and_light_that_was_asked_for_is_not(camera, challenge):
    def jump(factor):
        return lambda t_ms: factor if t_ms > 3000 else 1.0

    film = camera.film(gain=jump(0.55))
    assert "capture-exposure-jump" in reasons(film, challenge)
    slowly = camera.film(gain=lambda t_ms: 1.0 - 0.45 * t_ms / 6000)
    assert "capture-exposure-jump" not in reasons(slowly, challenge)


@pytest.mark.parametrize("level", [0, 3, 252])
def test_black_and_white_frames_show_nothing(camera, challenge, level):
    film = camera.film()
    for i in (10, 11, 12):
        blank = np.full((48, 64), level, np.uint8)
        film[i] = replace(film[i], thumbnail=blank, sighting=None, fault="face-missing")
    assert "capture-blank" in reasons(film, challenge)


def test_noise_is_no_scene(camera, challenge):
    rng = np.random.default_rng(0)
    film = [
        replace(o, thumbnail=rng.integers(0, 256, (48, 64), dtype=np.uint8)) for o in camera.film()
    ]
    assert "capture-noise" in reasons(film, challenge)


def _moved(sighting, by_px):
    mesh = replace(sighting.mesh, points=sighting.mesh.points + np.float32([by_px, 0, 0]))
    return replace(sighting, mesh=mesh)


def altered(observation, index, t_ms):
    """The same picture again, with so little changed that only its digest tells."""
    digest = hashlib.sha256(str(index).encode()).digest()
    return replace(observation, index=index, t_ms=t_ms, pixel_sha256=digest)


def test_a_picture_whose_last_bits_change_stands_still(camera, challenge):
    film = camera.film(12)
    frozen = [altered(film[min(i, 20)] if i < 45 else o, i, o.t_ms) for i, o in enumerate(film)]
    assert "capture-frozen" in {reason.strip("!") for reason in reasons(frozen, challenge)}


def test_a_stretch_whose_last_bits_change_comes_again(camera, challenge):
    film = camera.film(12)
    looped = [altered(film[i - 30] if i >= 45 else o, i, o.t_ms) for i, o in enumerate(film)]
    assert "capture-looped" in {reason.strip("!") for reason in reasons(looped, challenge)}
    few_still = [altered(looped[i - i % 10 // 9], i, o.t_ms) for i, o in enumerate(film)]
    assert "capture-looped" in {reason.strip("!") for reason in reasons(few_still, challenge)}


def test_too_few_frames_that_differ_leave_cuts_unjudged(camera, challenge):
    film = camera.film(1.5)[:9]
    doubled = [x for o in film for x in (o, replace(o, t_ms=o.t_ms + 20))]
    assert "challenge-too-few-frames" in reasons(doubled, challenge)


@pytest.mark.parametrize("interval_ms", [1e-300, 1e-6, 0.5, 4.2, 1e9])
def test_any_frame_rate_is_judged_in_bounded_memory(camera, challenge, interval_ms):
    film = camera.film(12, 40_000)
    tracemalloc.start()
    reasons([replace(o, t_ms=i * interval_ms) for i, o in enumerate(film)], challenge)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 << 20
