"""Watch one capture while its frames arrive, and judge it.

What is seen of a frame is kept, its pixels are not; so memory stays small, and little is left to do
when the last frame is there.
"""

import math
from collections.abc import Sequence
from itertools import islice
from statistics import median
from typing import Final

from biometrics.challenge import Challenge
from biometrics.liveness.capture import CaptureObserver, Observation
from biometrics.liveness.fusion import LivenessVerdict
from biometrics.liveness.identity import IdentityWatch
from biometrics.liveness.judge import judge_liveness
from biometrics.liveness.passive import PassiveWatch
from biometrics.liveness.performance import Performance
from biometrics.liveness.policy import PadPolicy
from biometrics.types import FrameSample, Image

OPENING_FRAMES: Final = 3
FRONTAL_OFFSET: Final = 0.08
"""This near to the nose offset of the opening, a frame may show the face from the front."""
PASSIVE_INTERVAL_MS: Final = 500.0


class LivenessWatch:
    """All that looks at one capture. Not to be shared between threads."""

    def __init__(
        self,
        observer: CaptureObserver,
        identity: IdentityWatch,
        passive: PassiveWatch,
        policy: PadPolicy,
    ) -> None:
        self._observer = observer
        self._identity = identity
        self._passive = passive
        self._policy = policy
        self._observations: list[Observation] = []
        self._looked_ms = -math.inf

    @property
    def observations(self) -> Sequence[Observation]:
        """Return what each frame showed."""
        return self._observations

    @property
    def frames(self) -> int:
        """Return how many frames have been looked at."""
        return len(self._observations)

    @property
    def image(self) -> Image | None:
        """Return the pixels of the latest frame; None if they could not be decoded."""
        return self._observer.image

    def add(self, frame: FrameSample) -> Observation:
        """Look at the next frame."""
        observation = self._observer.observe(frame)
        self._observations.append(observation)
        self._identity.see(observation)
        is_due = observation.t_ms >= self._looked_ms + PASSIVE_INTERVAL_MS
        if is_due and self.is_frontal(observation):
            assert observation.sighting is not None
            self._looked_ms = observation.t_ms
            if self.image is not None:
                self._passive.see(self.image, observation.sighting.face)
        return observation

    def include(self, observation: Observation) -> None:
        """Let a frame whose picture is compared be one that must show the same person."""
        self._identity.include(observation)

    @property
    def one_person(self) -> frozenset[int]:
        """Return the positions of the frames that identity is judged by."""
        return frozenset(self._identity.compared)

    def judge(self, challenge: Challenge) -> tuple[LivenessVerdict, Performance]:
        """Judge what was seen."""
        return judge_liveness(
            challenge, self._observations, self._identity, self._passive, self._policy
        )

    def is_frontal(self, observation: Observation) -> bool:
        """Return whether a frame may show the face as it looked when the capture began."""
        if observation.sighting is None:
            return False
        seen = (o.sighting.nose_offset for o in self._observations if o.sighting)
        rest = median(islice(seen, OPENING_FRAMES))
        return abs(observation.sighting.nose_offset - rest) <= FRONTAL_OFFSET

    def most_frontal(self) -> list[int]:
        """Return the positions of all frames with a face, the most frontal first."""
        seen = [(abs(o.sighting.nose_offset), o.index) for o in self._observations if o.sighting]
        return [index for _, index in sorted(seen)]
