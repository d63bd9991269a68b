"""The face from bytes to verdict: portrait, probes, liveness."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from biometrics.active import ActiveChallengeJudge
from biometrics.alignment import align
from biometrics.capture import FrameObserver, Observation, Sighting, decode_frame
from biometrics.challenge import Challenge
from biometrics.comparison import MAX_PROBES, Comparator
from biometrics.decision import decide_outcome, distinct
from biometrics.detection import FaceDetector, FaceError
from biometrics.embedding import Embedder
from biometrics.errors import BiometricsError
from biometrics.image import ImageError, decode_image
from biometrics.landmarks import MeshEstimator
from biometrics.manifest import Manifest
from biometrics.onnx import open_model
from biometrics.pad import PassivePad
from biometrics.quality import measure_quality
from biometrics.types import (
    ChallengeVerdict,
    CheckResult,
    ComparisonVerdict,
    Face,
    FloatArray,
    FrameSample,
    Image,
    Method,
    Outcome,
    PadVerdict,
    Quality,
)

EVIDENCE_LEVEL: Final = "self-tested"
"""No laboratory has tested this under ISO/IEC 30107-3."""


class PortraitUnusableError(BiometricsError):
    """The portrait does not show exactly one usable face, or cannot be decoded."""

    code: ClassVar[str] = "portrait-unusable"

    def __init__(self, cause: BiometricsError) -> None:
        self.cause_code = cause.code
        """Why: the code of the image or face error."""
        super().__init__(f"the portrait cannot be used: {cause}")


@dataclass(frozen=True)
class Reference:
    """The portrait's face."""

    embedding: FloatArray = field(repr=False)
    quality: Quality = field(repr=False)


@dataclass(frozen=True)
class FaceVerdict:
    """Everything that the assertion records about the face and its liveness."""

    outcome: Outcome
    reasons: tuple[str, ...]
    comparison: ComparisonVerdict | None
    """None if portrait or capture gave nothing to compare."""
    passive: PadVerdict
    active: ChallengeVerdict
    reference_quality: Quality | None = field(repr=False)
    probe_quality: Quality | None = field(repr=False)
    times_ms: dict[str, float] = field(repr=False)
    """Processing time by stage: portrait, frames, active, comparison, passive."""

    @property
    def face_result(self) -> CheckResult:
        """Return the comparison as the assertion's check."""
        if self.comparison is None:
            return CheckResult.NOT_PERFORMED
        return _RESULT_OF[self.comparison.outcome]

    @property
    def pad_result(self) -> CheckResult:
        """Return liveness as the assertion's check: the challenge must pass, nothing may refuse."""
        outcome = decide_outcome([self.active.outcome, _required_outcome(self.passive)])
        return _RESULT_OF[outcome]

    @property
    def pad_methods(self) -> tuple[Method, ...]:
        """Return the methods that were applied."""
        return (self.active.method, *self.passive.methods)

    def to_dict(self) -> dict[str, Any]:
        """Return the verdict for JSON, with the scores."""
        return {
            "outcome": self.outcome.value,
            "reasons": list(self.reasons),
            "face_result": self.face_result.value,
            "pad_result": self.pad_result.value,
            "evidence_level": EVIDENCE_LEVEL,
            "comparison": self.comparison.to_dict() if self.comparison else None,
            "passive": self.passive.to_dict(),
            "active": self.active.to_dict(),
            "reference_quality": self.reference_quality and self.reference_quality.to_dict(),
            "probe_quality": self.probe_quality and self.probe_quality.to_dict(),
            "times_ms": {stage: round(ms, 1) for stage, ms in self.times_ms.items()},
        }


_RESULT_OF: Final = {
    Outcome.PASSED: CheckResult.OK,
    Outcome.FAILED: CheckResult.FAILED,
    Outcome.INDETERMINATE: CheckResult.NOT_PERFORMED,
}


class FacePipeline:
    """All models of the manifest, loaded once. Safe to share between threads."""

    def __init__(self, manifest: Manifest) -> None:
        """Load the models.

        Raises:
            ModelMissingError: a required model is not installed.
            DigestMismatchError, ModelUnusableError, ManifestInvalidError: it must not be used.
        """
        self.detector = FaceDetector(open_model(manifest, "yunet"))
        self.mesh_estimator = MeshEstimator(open_model(manifest, "facemesh"))
        self.embedder = Embedder(open_model(manifest, "sface"))
        self._observer = FrameObserver(self.detector, self.mesh_estimator)
        self._comparator = Comparator(manifest.model("sface"))
        self._judge = ActiveChallengeJudge(manifest, self.embedder)
        self._passive = PassivePad.open(manifest)

    @property
    def passive_lack(self) -> str:
        """Return why passive detection is never performed here; empty if it is."""
        return self._passive.lack

    def enrol(self, portrait: bytes) -> Reference:
        """Return the reference of a portrait (the chip's DG2 picture).

        Raises:
            PortraitUnusableError: it cannot be decoded or does not show one usable face.
        """
        try:
            image = decode_image(portrait)
            face = self.detector.find_upright(image)
        except (ImageError, FaceError) as error:
            raise PortraitUnusableError(error) from error
        aligned = align(image, face.points)
        return Reference(self.embedder.embed(aligned), measure_quality(aligned, face))

    def compare(self, reference: Reference, probes: Sequence[bytes | Image]) -> ComparisonVerdict:
        """Compare the reference with the first `MAX_PROBES` pictures of the live face.

        Raises:
            ProbeMissingError: there is none.
            ImageError, FaceError: a probe cannot be decoded or does not show one usable face.
        """
        embeddings = []
        for probe in probes[:MAX_PROBES]:
            image = decode_frame(FrameSample(probe, 0.0))
            face = self.detector.find_upright(image)
            embeddings.append(self.embedder.embed(align(image, face.points)))
        return self._comparator.compare(reference.embedding, embeddings)

    def passive_pad(self, pictures: Sequence[bytes | Image]) -> PadVerdict:
        """Look for signs of a print or a screen. Not performed where the models are missing.

        Raises:
            ImageError, FaceError: a picture cannot be decoded or does not show one usable face.
        """
        return self._passive.evaluate(self._sight(pictures))

    def active_challenge(
        self, challenge: Challenge, frames: Sequence[FrameSample]
    ) -> ChallengeVerdict:
        """Judge whether a live head followed the challenge in these frames."""
        return self._judge.judge(challenge, self._observer.observe_all(frames))[0]

    def verify_capture(
        self, portrait: bytes, frames: Sequence[FrameSample], challenge: Challenge
    ) -> FaceVerdict:
        """Compare portrait and capture, and judge liveness.

        Bad pictures are reasons in the verdict, not errors: `portrait-unusable`, `probe-missing`,
        and the challenge's own.
        """
        times: dict[str, float] = {}
        reasons: list[str] = []
        outcomes: list[Outcome] = []
        reference = comparison = probe_quality = None
        with _timed(times, "portrait"):
            try:
                reference = self.enrol(portrait)
            except PortraitUnusableError as error:
                reasons += [error.code, error.cause_code]
        with _timed(times, "frames"):
            observations = self._observer.observe_all(frames)
        with _timed(times, "active"):
            active, front = self._judge.judge(challenge, observations)
        probes = front or _most_frontal(observations)[:MAX_PROBES]
        with _timed(times, "comparison"):
            sightings = [o.sighting for o in probes if o.sighting]
            if sightings:
                probe_quality = _best_quality(sightings)
            else:
                reasons.append("probe-missing")
            if reference and sightings:
                embeddings = [self.embedder.embed(s.aligned) for s in sightings]
                comparison = self._comparator.compare(reference.embedding, embeddings)
        with _timed(times, "passive"):
            pictures = ((decode_frame(frames[o.index]), o.sighting) for o in probes)
            passive = self._passive.evaluate((i, s.face) for i, s in pictures if s)
        outcomes = [active.outcome, _required_outcome(passive)]
        outcomes.append(comparison.outcome if comparison else Outcome.INDETERMINATE)
        reasons += comparison.reasons if comparison else ()
        reasons += active.reasons
        reasons += passive.reasons if _required_outcome(passive) is not Outcome.PASSED else ()
        return FaceVerdict(
            outcome=decide_outcome(outcomes),
            reasons=distinct(reasons),
            comparison=comparison,
            passive=passive,
            active=active,
            reference_quality=reference.quality if reference else None,
            probe_quality=probe_quality,
            times_ms=times,
        )

    def _sight(self, pictures: Sequence[bytes | Image]) -> Iterator[tuple[Image, Face]]:
        for picture in pictures:
            image = decode_frame(FrameSample(picture, 0.0))
            yield image, self.detector.find_upright(image)


def _required_outcome(passive: PadVerdict) -> Outcome:
    """Return what the passive check contributes.

    Weights that the operator did not install leave the decision to the active challenge; a capture
    that keeps them from being applied does not.
    """
    missing = passive.reasons == ("pad-model-missing",)
    return Outcome.PASSED if missing else passive.outcome


def _most_frontal(observations: Sequence[Observation]) -> list[Observation]:
    seen = [(abs(o.sighting.face.points.nose_offset), o) for o in observations if o.sighting]
    return [o for _, o in sorted(seen, key=lambda pair: pair[0])]


def _best_quality(sightings: Sequence[Sighting]) -> Quality:
    """Return the measurements of the sharpest probe."""
    qualities = (measure_quality(s.aligned, s.face) for s in sightings)
    return max(qualities, key=lambda quality: quality.sharpness)


@contextmanager
def _timed(times: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    times[stage] = (time.perf_counter() - start) * 1000
