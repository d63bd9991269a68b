"""The face from bytes to verdict: portrait, probes, liveness."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from biometrics.alignment import align
from biometrics.analysis import (
    CaptureAnalysis,
    EncodedFace,
    FaceVerdict,
    PortraitUnusableError,
    ranked,
)
from biometrics.challenge import Challenge
from biometrics.comparison import Comparator
from biometrics.detection import FaceDetector, FaceError, SeveralFacesError
from biometrics.embedding import Embedder
from biometrics.image import ImageError, decode_image
from biometrics.landmarks import MeshEstimator
from biometrics.liveness.capture import MAX_FRAMES, FrameObserver, decode_frame
from biometrics.liveness.fusion import LivenessVerdict
from biometrics.liveness.identity import IdentityWatch
from biometrics.liveness.passive import PassivePad, PassiveWatch
from biometrics.liveness.policy import open_pad_policy
from biometrics.liveness.tracking import is_same_face
from biometrics.liveness.watch import LivenessWatch
from biometrics.manifest import Manifest
from biometrics.onnx import open_model
from biometrics.quality import Role, assess_quality, load_requirements, measure_face_quality
from biometrics.recognition import FaceEncoder
from biometrics.types import Box, ComparisonVerdict, Face, FrameSample, Image, Outcome, PadVerdict
from biometrics.weights.errors import ModelMissingError


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
        self._manifest = manifest
        self._sface = Embedder(open_model(manifest, "sface"))
        self._passive = PassivePad.open(manifest)
        self._policy = open_pad_policy(manifest)

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

    def encode_probe(self, probe: bytes | Image, followed: Box | None = None) -> EncodedFace:
        """Return what a comparison needs of one live picture.

        Args:
            probe: the picture.
            followed: where liveness follows the face, if it does: no other face counts then.

        Raises:
            ImageError, FaceError: it cannot be decoded or does not show one usable face.
        """
        image = decode_frame(FrameSample(probe, 0.0))
        face = self.detector.find_upright(image)
        if followed is not None and not is_same_face(face.box, followed):
            raise SeveralFacesError("the picture shows another face than the one followed")
        return self._encode(image, face, Role.PROBE)

    def compare(self, reference: EncodedFace, probes: Sequence[bytes | Image]) -> ComparisonVerdict:
        """Compare the reference with the best `MAX_PROBES` pictures of the live face.

        Pictures of poor quality are left out. If no other is left, the outcome is INDETERMINATE
        with what must be done better; and a poor portrait's no match is not a no.

        Raises:
            ProbeMissingError: there is none.
            ImageError, FaceError: a probe cannot be decoded or does not show one usable face.
        """
        return self.compare_encoded(reference, [self.encode_probe(probe) for probe in probes])

    def passive_pad(self, pictures: Sequence[bytes | Image]) -> PadVerdict:
        """Look for signs of a print or a screen. Not performed where the models are missing.

        Raises:
            ImageError, FaceError: a picture cannot be decoded or does not show one usable face.
        """
        return self._passive.evaluate(self._sight(pictures))

    def begin_capture(self, portrait: bytes, challenge: Challenge) -> CaptureAnalysis:
        """Return an analysis that takes the frames of one capture as they arrive.

        A portrait that cannot be used is a reason in its verdict, not an error.
        """
        try:
            reference: EncodedFace | PortraitUnusableError = self.enrol(portrait)
        except PortraitUnusableError as error:
            reference = error
        return CaptureAnalysis(challenge, self.watch(), self, reference)

    def verify_capture(
        self, portrait: bytes, frames: Sequence[FrameSample], challenge: Challenge
    ) -> FaceVerdict:
        """Compare portrait and capture, and judge liveness."""
        return self.begin_capture(portrait, challenge).conclude(frames)

    def active_challenge(
        self, challenge: Challenge, frames: Sequence[FrameSample]
    ) -> LivenessVerdict:
        """Judge whether a live head followed the challenge in these frames."""
        watch = self.watch()
        for frame in frames[: MAX_FRAMES + 1]:
            watch.add(frame)
        return watch.judge(challenge)[0]

    def watch(self) -> LivenessWatch:
        """Return what looks at the frames of one capture."""
        return LivenessWatch(
            self._observer.open(),
            IdentityWatch(self._sface, self._manifest.model("sface")),
            PassiveWatch(self._passive),
            self._policy,
        )

    def compare_encoded(
        self, reference: EncodedFace, probes: Sequence[EncodedFace]
    ) -> ComparisonVerdict:
        """Compare as `compare` does, with pictures that are encoded already.

        Raises:
            ProbeMissingError: there is none.
        """
        best_first = ranked(probes)
        good = [probe for probe in best_first if probe.quality.outcome is Outcome.PASSED]
        templates = [probe.template for probe in good or best_first]
        verdict = self._comparator.compare(reference.template, templates)
        if not good:
            reasons = best_first[0].quality.reasons
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
