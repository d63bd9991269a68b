"""Count what the requirements refuse: pictures as they are, and degraded on purpose."""

import math
import zlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np

from biometrics.alignment import align
from biometrics.detection import FaceDetector, FaceError
from biometrics.errors import BiometricsError
from biometrics.evaluation.intervals import Proportion
from biometrics.image import ImageError, decode_image
from biometrics.landmarks import MeshEstimator
from biometrics.manifest import Manifest
from biometrics.onnx import open_model
from biometrics.quality import (
    FaceQuality,
    QualityRequirements,
    QualityVerdict,
    Role,
    assess_quality,
    measure_face_quality,
)
from biometrics.quality_evaluation.catalogue import Degradation, catalogue
from biometrics.quality_evaluation.degradation import Portrayal, is_gray
from biometrics.types import Face, Image

UNTOUCHED: Final = "untouched"
LUMINANCE_GROUPS: Final = 5
COLOUR_ONLY: Final = ("coloured-light",)
SHARED_FATE: Final = frozenset({"quality-several-people", "several-faces"})
"""Reasons that an unrelated bystander in the original gives; they don't count against a cover that
may stay on."""


class EvaluationEmptyError(BiometricsError):
    """No picture could be used, so there is nothing to report."""

    code: ClassVar[str] = "quality-evaluation-empty"


@dataclass(frozen=True)
class Examiner:
    """What a picture goes through: detection, mesh, alignment, measures, verdict."""

    detector: FaceDetector
    mesh_estimator: MeshEstimator
    requirements: QualityRequirements

    @classmethod
    def open(cls, manifest: Manifest, requirements: QualityRequirements) -> "Examiner":
        """Load the models.

        Raises:
            ModelMissingError, DigestMismatchError, ModelUnusableError, ManifestInvalidError.
        """
        return cls(
            FaceDetector(open_model(manifest, "yunet")),
            MeshEstimator(open_model(manifest, "facemesh")),
            requirements,
        )

    def examine(self, image: Image, role: Role = Role.PROBE) -> QualityVerdict:
        """Return the verdict on the one face of a picture.

        Raises:
            FaceError: there isn't exactly one usable face.
        """
        return assess_quality(self.measure(image)[0], self.requirements, role)

    def measure(self, image: Image) -> tuple[FaceQuality, Portrayal]:
        """Return the measures of the one face of a picture, and what is needed to degrade it.

        Raises:
            FaceError: there isn't exactly one usable face.
        """
        face = self.detector.find_one(image)
        mesh = self.mesh_estimator.estimate(image, face.box)
        height, width = image.shape[:2]
        quality = measure_face_quality(
            align(image, face.points),
            (width, height),
            face,
            mesh,
            self.requirements,
            _others(self.detector.detect(image), face),
        )
        return quality, Portrayal(image, face.points, mesh.points, image)


@dataclass(frozen=True)
class Row:
    """What became of the pictures under one degradation."""

    name: str
    expected: tuple[str, ...]
    """Reasons that name the degradation rightly; empty where it must not be refused."""
    refused: Proportion
    """Pictures that the path refuses for any reason, those without a usable face among them."""
    named: Proportion | None
    """Pictures refused for an expected reason; None where there is none to expect."""
    newly_refused: Proportion | None
    """Of the pictures that pass untouched, those refused now; for what may stay on."""
    reasons: dict[str, int] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the row for JSON."""
        return {
            "name": self.name,
            "expected": list(self.expected),
            "refused": self.refused.to_dict(),
            "named": self.named.to_dict() if self.named else None,
            "newly_refused": self.newly_refused.to_dict() if self.newly_refused else None,
            "reasons": self.reasons,
        }


@dataclass(frozen=True)
class LuminanceGroup:
    """A fifth of the untouched pictures, by the face's mean level."""

    low: float
    high: float
    refused: Proportion

    def to_dict(self) -> dict[str, Any]:
        """Return the group for JSON."""
        bounds = {"low": round(self.low, 3), "high": round(self.high, 3)}
        return bounds | {"refused": self.refused.to_dict()}


@dataclass(frozen=True)
class QualityReport:
    """The table."""

    pictures: int
    unusable: dict[str, int]
    """Pictures that couldn't be used at all, by reason."""
    requirements_sha256: str
    rows: tuple[Row, ...]
    by_luminance: tuple[LuminanceGroup, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the report for JSON: counts only, no picture is named."""
        return {
            "pictures": self.pictures,
            "unusable": self.unusable,
            "requirements_sha256": self.requirements_sha256,
            "rows": [row.to_dict() for row in self.rows],
            "by_luminance": [group.to_dict() for group in self.by_luminance],
        }


def evaluate_quality(
    examiner: Examiner,
    pictures: Sequence[Path],
    *,
    names: Sequence[str] | None = None,
    limit: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> QualityReport:
    """Examine pictures untouched, then degraded in every way.

    Args:
        examiner: the path.
        pictures: files of one face each.
        names: degradations to apply; all if not given.
        limit: degrade only this many of the usable pictures, spread evenly.
        seed: the same seed gives the same report.
        progress: called with how many looks are done, of how many.

    Raises:
        EvaluationEmptyError: no picture shows one usable face.
        KeyError: no degradation has that name.
    """
    known = catalogue(examiner.detector, examiner.mesh_estimator)
    chosen = {name: known[name] for name in (known if names is None else names)}
    untouched: dict[Path, tuple[tuple[str, ...], float]] = {}
    unusable: Counter[str] = Counter()
    for index, path in enumerate(pictures):
        progress(index, len(pictures))
        try:
            quality, _ = examiner.measure(decode_image(path.read_bytes()))
        except (ImageError, FaceError) as error:
            unusable[error.code] += 1
            continue
        reasons = assess_quality(quality, examiner.requirements).reasons
        untouched[path] = reasons, quality.luminance_mean
    if not untouched:
        raise EvaluationEmptyError("no picture shows one usable face: there is nothing to report")
    usable = list(untouched)
    count = min(limit or len(usable), len(usable))
    picked = [usable[i * len(usable) // count] for i in range(count)]
    seen: dict[str, list[tuple[Path, tuple[str, ...]]]] = {name: [] for name in chosen}
    for index, path in enumerate(picked):
        progress(index, len(picked))
        scene = _scene(examiner, path, picked[index - 1])
        for name, change in chosen.items():
            if name in COLOUR_ONLY and is_gray(scene.image):
                continue
            reasons_now = _degrade(
                examiner, scene, change, [seed, index, zlib.crc32(name.encode())]
            )
            if reasons_now is not None:
                seen[name].append((path, reasons_now))
    rows = [_untouched_row([reasons for reasons, _ in untouched.values()])]
    rows += [_row(name, chosen[name], seen[name], untouched) for name in chosen if seen[name]]
    return QualityReport(
        pictures=len(pictures),
        unusable=dict(unusable),
        requirements_sha256=examiner.requirements.sha256,
        rows=tuple(rows),
        by_luminance=tuple(_by_luminance(list(untouched.values()))),
    )


def _scene(examiner: Examiner, path: Path, other: Path) -> Portrayal:
    image = decode_image(path.read_bytes())
    scene = examiner.measure(image)[1]
    return Portrayal(image, scene.points, scene.mesh, decode_image(other.read_bytes()))


def _degrade(
    examiner: Examiner, scene: Portrayal, change: Degradation, seed: list[int]
) -> tuple[str, ...] | None:
    """Return the reasons given for the degraded picture; None if it can't be made."""
    try:
        image = change.apply(scene, np.random.default_rng(seed))
    except (ImageError, FaceError):
        return None
    try:
        return examiner.examine(image).reasons
    except FaceError as error:
        return (error.code,)


def _untouched_row(verdicts: Sequence[tuple[str, ...]]) -> Row:
    refused = sum(bool(reasons) for reasons in verdicts)
    counts = Counter(reason for reasons in verdicts for reason in reasons)
    return Row(
        UNTOUCHED, (), Proportion(refused, len(verdicts)), None, None, dict(counts.most_common())
    )


def _row(
    name: str,
    change: Degradation,
    seen: Sequence[tuple[Path, tuple[str, ...]]],
    untouched: dict[Path, tuple[tuple[str, ...], float]],
) -> Row:
    refused = Proportion(sum(bool(reasons) for _, reasons in seen), len(seen))
    counts = dict(Counter(reason for _, reasons in seen for reason in reasons).most_common())
    if change.reasons:
        hits = sum(bool(set(reasons) & set(change.reasons)) for _, reasons in seen)
        return Row(name, change.reasons, refused, Proportion(hits, len(seen)), None, counts)
    clean = [reasons for path, reasons in seen if not untouched[path][0]]
    newly = sum(bool(set(reasons) - SHARED_FATE) for reasons in clean)
    return Row(name, (), refused, None, Proportion(newly, len(clean)), counts)


def _by_luminance(untouched: Sequence[tuple[tuple[str, ...], float]]) -> list[LuminanceGroup]:
    ordered = sorted(untouched, key=lambda entry: entry[1])
    groups = min(LUMINANCE_GROUPS, len(ordered))
    parts = [
        ordered[i * len(ordered) // groups : (i + 1) * len(ordered) // groups]
        for i in range(groups)
    ]
    return [
        LuminanceGroup(
            part[0][1],
            part[-1][1],
            Proportion(sum(bool(set(r) - SHARED_FATE) for r, _ in part), len(part)),
        )
        for part in parts
    ]


def _others(found: Sequence[Face], face: Face) -> list[Face]:
    """Return the found faces without the one that is examined: the nearest to it."""
    if not found:
        return []
    nearest = min(found, key=lambda other: math.dist(other.box.center, face.box.center))
    return [other for other in found if other is not nearest]
