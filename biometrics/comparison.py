"""Compare probe and reference at the operating points of the manifest."""

from collections.abc import Sequence
from typing import Final

from biometrics.embedding import average
from biometrics.errors import BiometricsError
from biometrics.manifest import ManifestInvalidError, ModelEntry
from biometrics.types import ComparisonVerdict, FloatArray, Outcome

MAX_PROBES: Final = 5
"""More probes than the best five add time, not accuracy. Source: models/sface.md."""


class ProbeMissingError(BiometricsError):
    """There is nothing to compare."""

    code = "probe-missing"
    retryable = True


class Comparator:
    """Cosine similarity and its two thresholds, `match` and `review`."""

    def __init__(self, entry: ModelEntry) -> None:
        """Read the operating points.

        Raises:
            ManifestInvalidError: one is missing, `review` lies above `match`, or `match` has no
                false match rate: an unsourced threshold decides nothing.
        """
        self._entry = entry
        self.match = entry.threshold("match")
        self.review = entry.threshold("review")
        fmr = entry.operating_points["match"].fmr
        if fmr is None or self.review > self.match:
            raise ManifestInvalidError(
                f"the operating points of {entry.name} need `review` below `match` and its fmr"
            )
        self.fmr_at_match = fmr

    def compare(self, reference: FloatArray, probes: Sequence[FloatArray]) -> ComparisonVerdict:
        """Compare unit embeddings: the reference with the mean of at most `MAX_PROBES` probes.

        Raises:
            ProbeMissingError: no probe was given.
        """
        if not probes:
            raise ProbeMissingError("there is no usable picture of the face to compare")
        used = probes[:MAX_PROBES]
        score = float(reference @ average(used))
        outcome, reasons = self.decide_match(score)
        return ComparisonVerdict(
            outcome=outcome,
            reasons=reasons,
            threshold=self.match,
            fmr_at_threshold=self.fmr_at_match,
            model_sha256=self._entry.files[0].sha256,
            probes_used=len(used),
            score=score,
        )

    def decide_match(self, score: float) -> tuple[Outcome, tuple[str, ...]]:
        """Return outcome and reasons of one similarity score; not a number is no match."""
        if score >= self.match:
            return Outcome.PASSED, ()
        if score >= self.review:
            return Outcome.INDETERMINATE, ("comparison-review",)
        return Outcome.FAILED, ("comparison-no-match",)
