"""The rig: a picture, a challenge and a species in, the frames of a capture out."""

from functools import lru_cache

import numpy as np

from biometrics.challenge import Challenge
from biometrics.detection import FaceDetector
from biometrics.landmarks import MeshEstimator
from biometrics.rig.camera import Camera
from biometrics.rig.choreography import follow, frame_times
from biometrics.rig.lighting import Light
from biometrics.rig.person import Person, Place
from biometrics.rig.sitter import Sitter, seat
from biometrics.rig.species import Species
from biometrics.rig.take import Take
from biometrics.types import FrameSample


class Rig:
    """A simulated camera with somebody, or something, before it."""

    def __init__(self, detector: FaceDetector, mesh_estimator: MeshEstimator) -> None:
        self._detector = detector
        self._mesh_estimator = mesh_estimator
        self._seat = lru_cache(maxsize=4)(self._seat_anew)

    def blink_of(self, picture: bytes) -> float:
        """Return how open the mesh model sees the sitter's closed eyes, in parts of the open ones.

        Above about 0.65 their blinks may not be seen: glasses, narrow eyes, a poor picture.

        Raises:
            ImageError, FaceError: the picture cannot be used.
        """
        return self._seat(picture).blink

    def perform(
        self,
        picture: bytes,
        challenge: Challenge,
        *,
        species: Species = Species.BONA_FIDE,
        fps: float = 12.0,
        seed: int = 0,
        accomplice: bytes | None = None,
        jpeg: bool = True,
    ) -> list[FrameSample]:
        """Return the frames of a capture."""
        rng = np.random.default_rng(seed)
        sitter = self._seat(picture)
        person, place = Person.draw(rng), Place.draw(rng)
        camera = Camera(place, rng)
        light = Light(challenge.light, place, challenge.duration_ms)
        take = Take(sitter, follow(challenge, person), light, camera)
        frames = []
        times = frame_times(challenge.duration_ms, fps, place.frame_jitter, rng)
        for t_ms in times:
            frame = take.shoot(t_ms)
            frames.append(FrameSample(camera.encode(frame) if jpeg else frame, t_ms))
        return frames

    def _seat_anew(self, picture: bytes) -> Sitter:
        return seat(picture, self._detector, self._mesh_estimator)
