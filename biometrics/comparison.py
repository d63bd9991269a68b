"""Compare probe and reference at the operating points of a calibration."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from biometrics.calibration import (
    MAX_CALIBRATION_BYTES,
    Calibration,
    CalibrationInvalidError,
    load_calibration,
)
from biometrics.embedding import average, recentre
from biometrics.errors import BiometricsError
from biometrics.manifest import Comparison, Manifest
from biometrics.recognition import PATH_VERSION
from biometrics.types import ComparisonVerdict, FaceTemplate, Outcome

MAX_PROBES: Final = 5
"""More probes than the best five add time, not accuracy. Source: models/sface.md."""
CALIBRATIONS: Final = "calibrations"


class ProbeMissingError(BiometricsError):
    """There is nothing to compare."""

    code: ClassVar[str] = "probe-missing"
    retryable: ClassVar[bool] = True


class ComparisonUncalibratedError(BiometricsError):
    """A comparison without operating points decides nothing."""

    code: ClassVar[str] = "comparison-uncalibrated"


class Comparator:
    """A comparison of the manifest: cosines to a log-likelihood ratio, and its two thresholds."""

    def __init__(self, manifest: Manifest, comparison: Comparison) -> None:
        """Read the calibration.

        Raises:
            ComparisonUncalibratedError: the comparison has none.
            CalibrationInvalidError: it is missing, changed, malformed, made for other models or
                another path, or its `review` lies above `match`.
        """
        self._calibration = calibration_of(manifest, comparison)
        self._centres = self._calibration.centres
        match = self._calibration.point(comparison.match)
        self.match = match.threshold
        self.fmr_at_match = match.fmr
        self.review = self._calibration.point(comparison.review).threshold
        if self.review > self.match:
            raise CalibrationInvalidError(
                f"the comparison {comparison.name} has its `review` above its `match`"
            )
        self._model_sha256 = _joint_digest(
            [digest for _, digest in models_of(manifest, comparison)]
        )

    def compare(self, reference: FaceTemplate, probes: Sequence[FaceTemplate]) -> ComparisonVerdict:
        """Compare the reference with the weighted mean of at most `MAX_PROBES` probes.

        Raises:
            ProbeMissingError: no probe was given.
        """
        if not probes:
            raise ProbeMissingError("there is no usable picture of the face to compare")
        used = probes[:MAX_PROBES]
        weights = [probe.weight for probe in used]
        cosines = []
        for name, centre in self._centres.items():
            probe = average([recentre(t.embeddings[name], centre) for t in used], weights)
            cosines.append(float(recentre(reference.embeddings[name], centre) @ probe))
        score = float(self._calibration.llr(cosines))
        outcome, reasons = self.decide_match(score)
        return ComparisonVerdict(
            outcome=outcome,
            reasons=reasons,
            threshold=self.match,
            fmr_at_threshold=self.fmr_at_match,
            model_sha256=self._model_sha256,
            probes_used=len(used),
            score=score,
        )

    def decide_match(self, score: float) -> tuple[Outcome, tuple[str, ...]]:
        """Return outcome and reasons of a log-likelihood ratio; not a number is no match."""
        if score >= self.match:
            return Outcome.PASSED, ()
        if score >= self.review:
            return Outcome.INDETERMINATE, ("comparison-review",)
        return Outcome.FAILED, ("comparison-no-match",)


def models_of(manifest: Manifest, comparison: Comparison) -> list[tuple[str, str]]:
    """Return name and digest of the first published file of each embedding model, in order."""
    entries = (manifest.model(name) for name in comparison.embeddings)
    return [(entry.name, entry.files[0].sha256) for entry in entries]


def calibration_of(manifest: Manifest, comparison: Comparison) -> Calibration:
    """Return a comparison's calibration, if it is the manifest's and made for these models.

    Raises:
        ComparisonUncalibratedError: the manifest names none.
        CalibrationInvalidError: it is missing, changed, malformed, or for other models or another
            path.
    """
    named = comparison.calibration
    if named is None:
        raise ComparisonUncalibratedError(
            f"the comparison {comparison.name} has no operating points: make them with "
            "`chinhchu calibrate` and name the file in the manifest"
        )
    path = Path(comparison.folder) / CALIBRATIONS / named.name
    try:
        with path.open("rb") as file:
            data = file.read(MAX_CALIBRATION_BYTES + 1)
    except OSError as error:
        raise CalibrationInvalidError(f"cannot read {path}: {error.strerror}") from None
    if hashlib.sha256(data).hexdigest() != named.sha256:
        raise CalibrationInvalidError(f"{path} is not the file that the manifest names")
    calibration = load_calibration(data)
    calibration.check_fits(models_of(manifest, comparison), PATH_VERSION)
    for model in calibration.models:
        if len(model.centre) != manifest.model(model.name).dimensions:
            raise CalibrationInvalidError(
                f"the calibration of {comparison.name} has a centre for {model.name} of "
                f"{len(model.centre)} dimensions, which is not the model's number"
            )
    return calibration


def _joint_digest(digests: Sequence[str]) -> str:
    """Return the digest of one model, or the SHA-256 of the digests of several, in order."""
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256(b"".join(bytes.fromhex(digest) for digest in digests)).hexdigest()
