"""The rig: a picture, a challenge and a species in, the frames of a capture out."""

from functools import lru_cache
from typing import Final

from biometrics.challenge import Challenge
from biometrics.detection import FaceDetector
from biometrics.landmarks import MeshEstimator
from biometrics.rig.camera import Camera
from biometrics.rig.casting import Scene, cast
from biometrics.rig.choreography import frame_times
from biometrics.rig.errors import RigSettingInvalidError
from biometrics.rig.person import Person, Place
from biometrics.rig.sitter import Sitter, seat
from biometrics.rig.species import Species, species_rng, variant_of
from biometrics.types import FrameSample

SITTERS_KEPT: Final = 8
MIN_FPS: Final = 1.0
MAX_FPS: Final = 120.0


class Rig:
    """A simulated camera with somebody, or something, before it."""

    def __init__(self, detector: FaceDetector, mesh_estimator: MeshEstimator) -> None:
        self._detector = detector
        self._mesh_estimator = mesh_estimator
        self._seat = lru_cache(maxsize=SITTERS_KEPT)(self._seat_anew)

    def perform(
        self,
        picture: bytes,
        challenge: Challenge,
        *,
        species: Species = Species.BONA_FIDE,
        fps: float = 12.0,
        seed: int = 0,
        accomplice: bytes | None = None,
        follow: bool = True,
        jpeg: bool = True,
    ) -> list[FrameSample]:
        """Return the frames of a capture, 640 x 480, from 0 ms to the challenge's end.

        Args:
            picture: one upright, near-frontal face; gray pictures get colours.
            challenge: what is asked for.
            species: who, or what, is before the camera.
            fps: frames a second.
            seed: draws the person, the place, the camera and the species' variant (`variant_of`);
                all arguments alike, the frames are.
            accomplice: another person's picture, for captures of two.
            follow: whether the challenge is followed as well as the species can; otherwise the
                person or the hand keeps still.
            jpeg: JPEG bytes as a browser sends them; otherwise pixels, which is quicker.

        Raises:
            RigSettingInvalidError: the frames a second or the seed make no sense.
            ImageError, FaceError: a picture cannot be used.
        """
        if not MIN_FPS <= fps <= MAX_FPS or seed < 0:
            raise RigSettingInvalidError(
                f"the rig takes {MIN_FPS:g} to {MAX_FPS:g} frames a second and seeds from 0 on"
            )
        rng = species_rng(species, seed)
        rng.random()
        person, place = Person.draw(rng), Place.draw(rng)
        camera = Camera(place, rng)
        times = frame_times(challenge.duration_ms, fps, place.frame_jitter, rng)
        act = cast(
            species,
            Scene(
                sitter=self._seat(picture),
                accomplice=self._seat(accomplice) if accomplice else None,
                challenge=challenge,
                follows=follow,
                variant=variant_of(species, seed),
                person=person,
                place=place,
                camera=camera,
                rng=rng,
            ),
        )
        frames = ((act.shoot(t_ms), t_ms) for t_ms in times)
        return [FrameSample(camera.encode(f) if jpeg else f, t_ms) for f, t_ms in frames]

    def blink_of(self, picture: bytes) -> float:
        """Return how open the mesh model sees the sitter's closed eyes, in parts of the open ones.

        Above about 0.65 their blinks may not be seen: glasses, narrow eyes, a poor picture.

        Raises:
            ImageError, FaceError: the picture cannot be used.
        """
        return self._seat(picture).blink

    def _seat_anew(self, picture: bytes) -> Sitter:
        return seat(picture, self._detector, self._mesh_estimator)
