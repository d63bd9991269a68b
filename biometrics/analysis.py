"""One capture, looked at while its frames arrive: liveness, and the pictures to compare."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Protocol

from biometrics.challenge import Challenge, Colour
from biometrics.comparison import MAX_PROBES, ProbeMissingError
from biometrics.detection import FaceError
from biometrics.errors import BiometricsError
from biometrics.liveness.capture import MAX_FRAMES, Observation, decode_frame
from biometrics.liveness.findings import decide_outcome, distinct
from biometrics.liveness.fusion import LivenessVerdict
from biometrics.liveness.watch import LivenessWatch
from biometrics.quality import QualityVerdict
from biometrics.types import (
    Box,
    CheckResult,
    ComparisonVerdict,
    FaceTemplate,
    FrameSample,
    Image,
    Outcome,
)

EVIDENCE_LEVEL: Final = "self-tested"
"""No laboratory has tested this under ISO/IEC 30107-3."""

MIN_PROBES: Final = 3
"""So many pictures of the live face are compared where the capture has them, at most MAX_PROBES."""
PROBE_INTERVAL_MS: Final = 400.0


class PortraitUnusableError(BiometricsError):
    """The portrait does not show exactly one usable face, or cannot be decoded."""

    code: ClassVar[str] = "portrait-unusable"

    def __init__(self, cause: BiometricsError) -> None:
        self.cause_code = cause.code
        """Why: the code of the image or face error."""
        super().__init__(f"the portrait cannot be used: {cause}")


@dataclass(frozen=True)
class EncodedFace:
    """A face picture, ready to be compared."""

    template: FaceTemplate = field(repr=False)
    quality: QualityVerdict = field(repr=False)


@dataclass(frozen=True)
class FaceVerdict:
    """Everything that is known about the face and its liveness."""

    outcome: Outcome
    reasons: tuple[str, ...]
    comparison: ComparisonVerdict | None
    """None if portrait or capture gave nothing to compare."""
    liveness: LivenessVerdict
    reference_quality: QualityVerdict | None = field(repr=False)
    probe_quality: QualityVerdict | None = field(repr=False)
    """Of the best probe."""
    times_ms: Mapping[str, float] = field(repr=False)
    """Processing time by stage: portrait, frames, verdict."""

    @property
    def face_result(self) -> CheckResult:
        """Return the comparison as the assertion's check."""
        if self.comparison is None:
            return CheckResult.NOT_PERFORMED
        return RESULT_OF[self.comparison.outcome]

    @property
    def pad_result(self) -> CheckResult:
        """Return liveness as the assertion's check."""
        return RESULT_OF[self.liveness.outcome]

    @property
    def may_retry(self) -> bool:
        """Whether a new challenge is fair: nothing speaks for an attack or another person."""
        is_other = self.comparison is not None and self.comparison.outcome is Outcome.FAILED
        if self.outcome is Outcome.PASSED or is_other or self.reference_quality is None:
            return False
        return self.liveness.may_retry or self.liveness.outcome is Outcome.PASSED

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict for the evidence, with the scores."""
        return {
            "outcome": self.outcome.value,
            "reasons": list(self.reasons),
            "face_result": self.face_result.value,
            "pad_result": self.pad_result.value,
            "evidence_level": EVIDENCE_LEVEL,
            "comparison": self.comparison.to_dict() if self.comparison else None,
            "liveness": self.liveness.to_dict(),
            "reference_quality": self.reference_quality and self.reference_quality.to_dict(),
            "probe_quality": self.probe_quality and self.probe_quality.to_dict(),
            "times_ms": {stage: round(ms, 1) for stage, ms in self.times_ms.items()},
        }


RESULT_OF: Final = {
    Outcome.PASSED: CheckResult.OK,
    Outcome.FAILED: CheckResult.FAILED,
    Outcome.INDETERMINATE: CheckResult.NOT_PERFORMED,
}


class FaceComparison(Protocol):
    """What an analysis needs for the comparison: the pipeline has it."""

    def encode_probe(self, probe: Image, followed: Box) -> EncodedFace:
        """Return what a comparison needs of a live picture.

        Raises:
            FaceError: it does not show one usable face, or another than the one at `followed`.
        """
        ...

    def compare_encoded(
        self, reference: EncodedFace, probes: Sequence[EncodedFace]
    ) -> ComparisonVerdict:
        """Compare the reference with the best of the probes."""
        ...


class CaptureAnalysis:
    """One capture of one session. Not to be shared between threads."""

    def __init__(
        self,
        challenge: Challenge,
        watch: LivenessWatch,
        comparison: FaceComparison,
        reference: EncodedFace | PortraitUnusableError,
    ) -> None:
        """Begin.

        Args:
            challenge: what was asked.
            watch: looks at frames for liveness.
            comparison: encodes and compares.
            reference: the portrait, or why it cannot be used.
        """
        self._challenge = challenge
        self._watch = watch
        self._comparison = comparison
        self._reference = reference
        self._encoded: dict[int, EncodedFace] = {}
        self._last_encoded_ms = -math.inf
        self._times = {"frames": 0.0, "verdict": 0.0}

    @property
    def frames(self) -> int:
        """Return how many frames have been looked at."""
        return self._watch.frames

    def add(self, frame: FrameSample) -> None:
        """Look at the next frame."""
        with self._timed("frames"):
            observation = self._watch.add(frame)
            if self._watch.image is not None and self._is_worth_comparing(observation):
                self._last_encoded_ms = observation.t_ms
                self._watch.include(observation)
                self._encode(observation, self._watch.image)

    def conclude(self, frames: Sequence[FrameSample]) -> FaceVerdict:
        """Look at the frames that `add` has not seen, and judge.

        Bad pictures are reasons in the verdict, not errors.

        Args:
            frames: all of the capture, in order.
        """
        for frame in frames[self.frames : MAX_FRAMES + 1]:
            self.add(frame)
        with self._timed("verdict"):
            liveness, performance = self._watch.judge(self._challenge)
            probes = self._probes(frames, performance.rest)
            return self._decide(liveness, probes)

    def _decide(self, liveness: LivenessVerdict, probes: Sequence[EncodedFace]) -> FaceVerdict:
        reasons: list[str] = []
        comparison, reference = None, None
        if isinstance(self._reference, PortraitUnusableError):
            reasons += [self._reference.code, self._reference.cause_code]
        else:
            reference = self._reference
        best = max(probes, key=_rank, default=None)
        if best is None:
            reasons.append(ProbeMissingError.code)
        elif reference is not None:
            comparison = self._comparison.compare_encoded(reference, probes)
        if best is not None and best.quality.outcome is not Outcome.PASSED:
            liveness = liveness.of_poor_pictures()
        reasons += comparison.reasons if comparison else ()
        reasons += liveness.reasons
        compared = comparison.outcome if comparison else Outcome.INDETERMINATE
        return FaceVerdict(
            outcome=decide_outcome([liveness.outcome, compared]),
            reasons=distinct(reasons),
            comparison=comparison,
            liveness=liveness,
            reference_quality=reference.quality if reference else None,
            probe_quality=best.quality if best else None,
            times_ms=self._times,
        )

    def _is_worth_comparing(self, observation: Observation) -> bool:
        """Choose pictures of the face ahead, in white light first, some time apart."""
        if isinstance(self._reference, PortraitUnusableError) or not self._watch.is_frontal(
            observation
        ):
            return False
        light = self._challenge.light
        t_ms = observation.t_ms - self._watch.observations[0].t_ms
        is_white = light is None or light.colour_at(t_ms) is Colour.WHITE
        wanted = MAX_PROBES if is_white else MIN_PROBES
        is_due = observation.t_ms >= self._last_encoded_ms + PROBE_INTERVAL_MS
        return is_due and len(self._encoded) < wanted

    def _probes(self, frames: Sequence[FrameSample], rest: Sequence[int]) -> list[EncodedFace]:
        """Return the pictures to compare: of the face at rest, prepared ones first.

        Only of frames that identity is judged by, and only of the face that was followed in them:
        who is compared is who did the steps.
        """
        known = self._watch.one_person
        candidates = [i for i in rest or self._watch.most_frontal() if i in known]
        for i in candidates:
            if sum(j in self._encoded for j in candidates) >= MIN_PROBES:
                break
            if i not in self._encoded:
                self._encode(self._watch.observations[i], decode_frame(frames[i]))
        return [self._encoded[i] for i in candidates if i in self._encoded][:MAX_PROBES]

    def _encode(self, observation: Observation, image: Image) -> None:
        assert observation.sighting is not None
        followed = observation.sighting.face.box
        with suppress(FaceError):
            self._encoded[observation.index] = self._comparison.encode_probe(image, followed)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self._times[stage] += (time.perf_counter() - start) * 1000


def _rank(probe: EncodedFace) -> tuple[bool, float]:
    return probe.quality.outcome is Outcome.PASSED, probe.template.weight


def ranked(probes: Sequence[EncodedFace]) -> list[EncodedFace]:
    """Return the probes, those of good quality first, and the best of either first."""
    return sorted(probes, key=_rank, reverse=True)
