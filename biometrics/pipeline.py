"""The face from bytes to verdict: portrait, probes, liveness."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final

from biometrics.liveness.judge import ActiveChallengeJudge
from biometrics.alignment import align
from biometrics.liveness.capture import FrameObserver, Observation, decode_frame
from biometrics.challenge import Challenge
from biometrics.comparison import MAX_PROBES, Comparator, ProbeMissingError
from biometrics.liveness.findings import decide_outcome, distinct
from biometrics.detection import FaceDetector, FaceError
from biometrics.embedding import Embedder
from biometrics.errors import BiometricsError
from biometrics.image import ImageError, decode_image
from biometrics.landmarks import MeshEstimator
from biometrics.manifest import Manifest
from biometrics.onnx import open_model
from biometrics.liveness.passive import PassivePad
from biometrics.quality import (
    QualityVerdict,
    Role,
    assess_quality,
    load_requirements,
    measure_face_quality,
)
from biometrics.recognition import FaceEncoder
from biometrics.types import (
    ChallengeVerdict,
    CheckResult,
    ComparisonVerdict,
    Face,
    FaceTemplate,
    FrameSample,
    Image,
    Method,
    Outcome,
    PadVerdict,
)
from biometrics.weights.errors import ModelMissingError

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
class EncodedFace:
    """A face picture, ready to be compared."""

    template: FaceTemplate = field(repr=False)
    quality: QualityVerdict = field(repr=False)


@dataclass(frozen=True)
class FaceVerdict:
    """Everything that the assertion records about the face and its liveness."""

    outcome: Outcome
    reasons: tuple[str, ...]
    comparison: ComparisonVerdict | None
    """None if portrait or capture gave nothing to compare."""
    passive: PadVerdict
    active: ChallengeVerdict
    reference_quality: QualityVerdict | None = field(repr=False)
    probe_quality: QualityVerdict | None = field(repr=False)
    """Of the best probe."""
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

    def __init__(self, manifest: Manifest, comparison: str | None = None) -> None:
        """Load the models.

        Args:
            manifest: models and comparisons.
            comparison: name of the one to use; None: the first whose models are installed.

        Raises:
            ModelMissingError: a required model is not installed.
            DigestMismatchError, ModelUnusableError, ManifestInvalidError: it must not be used.
            ComparisonUncalibratedError, CalibrationInvalidError: no operating points to decide at.
        """
        self.detector = FaceDetector.open(manifest)
        self.mesh_estimator = MeshEstimator(open_model(manifest, "facemesh"))
        self.comparison, embedders = _open_embedders(manifest, comparison)
        self._encoder = FaceEncoder(self.detector, self.mesh_estimator, embedders)
        self._comparator = Comparator(manifest, manifest.comparison(self.comparison))
        self._requirements = load_requirements()
        self._observer = FrameObserver(self.detector, self.mesh_estimator)
        self._judge = ActiveChallengeJudge(manifest, Embedder(open_model(manifest, "sface")))
        self._passive = PassivePad.open(manifest)

    @property
    def passive_lack(self) -> str:
        """Return why passive detection is never performed here; empty if it is."""
        return self._passive.lack

    def enrol(self, portrait: bytes) -> EncodedFace:
        """Return the reference of a portrait (the chip's DG2 picture).

        Raises:
            PortraitUnusableError: it cannot be decoded or does not show one usable face.
        """
        try:
            image = decode_image(portrait)
            face = self.detector.find_upright(image)
        except (ImageError, FaceError) as error:
            raise PortraitUnusableError(error) from error
        return self._encode(image, face, Role.REFERENCE)

    def encode_probe(self, probe: bytes | Image) -> EncodedFace:
        """Return what a comparison needs of one live picture.

        Raises:
            ImageError, FaceError: it cannot be decoded or does not show one usable face.
        """
        image = decode_frame(FrameSample(probe, 0.0))
        return self._encode(image, self.detector.find_upright(image), Role.PROBE)

    def compare(self, reference: EncodedFace, probes: Sequence[bytes | Image]) -> ComparisonVerdict:
        """Compare the reference with the best `MAX_PROBES` pictures of the live face.

        Pictures of poor quality are left out. If no other is left, the outcome is INDETERMINATE
        with what must be done better; and a poor portrait's no match is not a no.

        Raises:
            ProbeMissingError: there is none.
            ImageError, FaceError: a probe cannot be decoded or does not show one usable face.
        """
        return self._compare(reference, [self.encode_probe(probe) for probe in probes])

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
        reference = comparison = None
        with _timed(times, "portrait"):
            try:
                reference = self.enrol(portrait)
            except PortraitUnusableError as error:
                reasons += [error.code, error.cause_code]
        with _timed(times, "frames"):
            observations = self._observer.observe_all(frames)
        with _timed(times, "active"):
            active, front = self._judge.judge(challenge, observations)
        chosen = front or _most_frontal(observations)[:MAX_PROBES]
        faces = [(frames[o.index], o.sighting.face) for o in chosen if o.sighting]
        pictures = [(decode_frame(frame), face) for frame, face in faces]
        with _timed(times, "comparison"):
            probes = [self._encode(image, face, Role.PROBE) for image, face in pictures]
            if not probes:
                reasons.append(ProbeMissingError.code)
            elif reference:
                comparison = self._compare(reference, probes)
        with _timed(times, "passive"):
            passive = self._passive.evaluate(pictures)
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
            probe_quality=_ranked(probes)[0].quality if probes else None,
            times_ms=times,
        )

    def _compare(self, reference: EncodedFace, probes: Sequence[EncodedFace]) -> ComparisonVerdict:
        ranked = _ranked(probes)
        good = [probe for probe in ranked if probe.quality.outcome is Outcome.PASSED]
        templates = [probe.template for probe in good or ranked]
        verdict = self._comparator.compare(reference.template, templates)
        if not good:
            reasons = ranked[0].quality.reasons
            return replace(verdict, outcome=Outcome.INDETERMINATE, reasons=reasons)
        poor_portrait = reference.quality.outcome is not Outcome.PASSED
        if poor_portrait and verdict.outcome is Outcome.FAILED:
            reasons = ("portrait-quality-low",)
            return replace(verdict, outcome=Outcome.INDETERMINATE, reasons=reasons)
        return verdict

    def _encode(self, image: Image, face: Face, role: Role) -> EncodedFace:
        mesh = self._encoder.estimate_mesh(image, face)
        measures = measure_face_quality(
            align(image, face.points), image.shape[1::-1], face, mesh, self._requirements
        )
        quality = assess_quality(measures, self._requirements, role)
        template = self._encoder.encode_face(image, mesh, weight=quality.weight)
        return EncodedFace(template, quality)

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


def _ranked(probes: Sequence[EncodedFace]) -> list[EncodedFace]:
    """Return the probes, those of good quality first, and the best of either first."""

    def rank(probe: EncodedFace) -> tuple[bool, float]:
        return probe.quality.outcome is Outcome.PASSED, probe.template.weight

    return sorted(probes, key=rank, reverse=True)


def _open_embedders(manifest: Manifest, name: str | None) -> tuple[str, list[Embedder]]:
    """Return a comparison's name and models: the one named, or the first that is installed."""
    names = [name] if name else list(manifest.comparisons)
    for candidate in names:
        models = manifest.comparison(candidate).embeddings
        try:
            return candidate, [Embedder(open_model(manifest, model)) for model in models]
        except ModelMissingError:
            if candidate == names[-1]:
                raise
    raise AssertionError("a manifest has a comparison")


@contextmanager
def _timed(times: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    times[stage] = (time.perf_counter() - start) * 1000
