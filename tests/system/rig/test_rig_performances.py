"""Simulated captures as the project's own observer sees them."""

import itertools
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest

from biometrics.challenge import Action, Challenge, Colour, Extent, LightPattern, Side, Step
from biometrics.image import decode_image
from biometrics.liveness.capture import FrameObserver, Observation
from biometrics.liveness.motion import eye_openness, face_size
from biometrics.rig import Rig, RigSettingInvalidError, Species, variant_of
from biometrics.types import FrameSample

STEPS = (
    Step(Action.TURN, 500, 1350, 2100, Side.LEFT, Extent.FULL),
    Step(Action.BLINK, 2300, 3150, 3200, count=1),
    Step(Action.NEARER, 3400, 4250, 5000),
    Step(Action.TURN, 5200, 6050, 6500, Side.RIGHT, Extent.HALF),
)
COLOURS = LightPattern((Colour.RED, Colour.GREEN, Colour.BLUE, Colour.WHITE) * 4)
CHALLENGE = Challenge("0" * 32, STEPS, 6800, COLOURS)


def within(seen: Sequence[Observation], step: Step) -> list[Observation]:
    return [o for o in seen if step.at_ms <= o.t_ms <= step.until_ms and o.sighting]


def pixels(frames: Sequence[FrameSample]) -> list[np.ndarray]:
    return [decode_image(f.picture) if isinstance(f.picture, bytes) else f.picture for f in frames]


@pytest.mark.parametrize("name", ["obama3", "biden", "astronaut"])
def test_a_person_is_seen_to_follow(
    rig: Rig, observer: FrameObserver, picture: Callable[[str], bytes], name: str
) -> None:
    frames = rig.perform(picture(name), CHALLENGE, seed=3)
    seen = observer.observe_all(frames)
    assert all(o.sighting and o.size == (640, 480) for o in seen)
    rest = [o.sighting for o in seen[:5] if o.sighting]
    offset = float(np.median([s.nose_offset for s in rest]))
    size = float(np.median([face_size(s.mesh) for s in rest]))
    eyes = float(np.median([np.mean(eye_openness(s.mesh)) for s in rest]))
    full, blink, nearer, half = (
        [o.sighting for o in within(seen, step) if o.sighting] for step in STEPS
    )
    assert 0.25 < max(s.nose_offset for s in full) - offset < 0.6
    assert 0.1 < offset - min(s.nose_offset for s in half) < 0.25
    assert min(np.mean(eye_openness(s.mesh)) for s in blink) < 0.7 * eyes
    assert 1.2 < max(face_size(s.mesh) for s in nearer) / size < 1.8


def test_a_flat_photograph_cannot_turn_its_nose_nor_blink(
    rig: Rig, observer: FrameObserver, picture: Callable[[str], bytes]
) -> None:
    seen = observer.observe_all(
        rig.perform(picture("obama3"), CHALLENGE, species=Species.PRINT, seed=3, jpeg=False)
    )
    sightings = [o.sighting for o in seen if o.sighting]
    assert len(sightings) > 0.8 * len(seen)
    offsets = [s.nose_offset for s in sightings]
    assert max(offsets) - min(offsets) < 0.25
    sizes = [face_size(s.mesh) for s in sightings]
    assert max(sizes) / np.median(sizes[:5]) > 1.2


@pytest.mark.parametrize("species", list(Species), ids=str)
def test_the_same_seed_gives_the_same_frames(
    rig: Rig, picture: Callable[[str], bytes], species: Species
) -> None:
    short = Challenge("0" * 32, STEPS[:1], 2400, None)
    made = [
        rig.perform(
            picture("obama3"),
            short,
            species=species,
            seed=seed,
            accomplice=picture("biden"),
            fps=8,
            jpeg=jpeg,
        )
        for seed, jpeg in ((5, False), (5, False), (6, False), (5, True))
    ]
    first, again, other, encoded = (pixels(frames) for frames in made)
    assert [f.t_ms for f in made[0]] == [f.t_ms for f in made[1]]
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert any((a != b).any() for a, b in zip(first, other, strict=False))
    assert all(frame.shape == (480, 640, 3) for frame in first)
    assert np.mean([cv2.PSNR(a, b) for a, b in zip(first, encoded, strict=True)]) > 28
    assert variant_of(species, 5) == variant_of(species, 5)


def test_what_does_not_follow_keeps_still(
    rig: Rig, observer: FrameObserver, picture: Callable[[str], bytes]
) -> None:
    seen = observer.observe_all(
        rig.perform(picture("obama3"), CHALLENGE, seed=4, follow=False, jpeg=False)
    )
    offsets = [o.sighting.nose_offset for o in seen if o.sighting]
    assert max(offsets) - min(offsets) < 0.15


def test_repeated_frames_are_the_very_same(rig: Rig, picture: Callable[[str], bytes]) -> None:
    seeds = (s for s in range(100) if variant_of(Species.FROZEN, s) == "repeated")
    frames = rig.perform(
        picture("obama3"), CHALLENGE, species=Species.FROZEN, seed=next(seeds), jpeg=False
    )
    shown = pixels(frames)
    repeats = sum((a == b).all() for a, b in itertools.pairwise(shown))
    assert 4 <= repeats < len(shown) / 2


def test_an_accomplice_is_seen(rig: Rig, picture: Callable[[str], bytes]) -> None:
    seeds = (s for s in range(100) if variant_of(Species.SPLICED, s) == "two-people")
    seed = next(seeds)
    alone, helped = (
        pixels(
            rig.perform(
                picture("obama3"),
                CHALLENGE,
                species=Species.SPLICED,
                seed=seed,
                accomplice=accomplice,
                jpeg=False,
            )
        )
        for accomplice in (None, picture("biden"))
    )
    apart = [float(np.abs(a.astype(int) - b).mean()) for a, b in zip(alone, helped, strict=True)]
    assert min(apart) == 0
    assert max(apart) > 10


def test_gray_pictures_get_colours_and_a_wall(
    rig: Rig, observer: FrameObserver, picture: Callable[[str], bytes]
) -> None:
    image = decode_image(picture("astronaut"))
    gray = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    encoded = cv2.imencode(".png", gray)[1].tobytes()
    short = Challenge("0" * 32, STEPS[:1], 2400, None)
    seen = observer.observe_all(rig.perform(encoded, short, seed=1, jpeg=False))
    blue, _, red = np.median([o.sighting.colours.face_bgr for o in seen if o.sighting], axis=0)
    assert red > 1.1 * blue


@pytest.mark.parametrize("setting", [{"fps": 0.0}, {"fps": float("nan")}, {"seed": -1}])
def test_settings_that_no_camera_has_are_refused(
    rig: Rig, picture: Callable[[str], bytes], setting: dict[str, float]
) -> None:
    with pytest.raises(RigSettingInvalidError):
        rig.perform(picture("obama3"), CHALLENGE, **setting)  # type: ignore[arg-type]


def test_the_lids_of_the_samples_close_for_the_mesh(
    rig: Rig, picture: Callable[[str], bytes]
) -> None:
    names = ["obama", "obama2", "obama3", "biden", "astronaut"]
    assert max(rig.blink_of(picture(name)) for name in names) < 0.66
