"""The rig: a picture, a challenge and a species in, the frames of a capture out."""

from functools import lru_cache

import numpy as np

from biometrics.challenge import Challenge
from biometrics.detection import FaceDetector
from biometrics.landmarks import MeshEstimator
from biometrics.rig.camera import Camera
from biometrics.rig.choreography import follow, frame_times
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
        rng = np.random.default_rng(seed)
        sitter = self._seat(picture)
        person, place = Person.draw(rng), Place.draw(rng)
        camera = Camera(place, rng)
        take = Take(sitter, follow(challenge, person), place, challenge.light)
        frames = []
        times = frame_times(challenge.duration_ms, fps, place.frame_jitter, rng)
        gains = take.light.adapt(times)
        for t_ms, gain in zip(times, gains, strict=True):
            frame = take.shoot(t_ms, gain, camera)
            frames.append(FrameSample(camera.encode(frame) if jpeg else frame, t_ms))
        return frames

    def _seat_anew(self, picture: bytes) -> Sitter:
        return seat(picture, self._detector, self._mesh_estimator)
