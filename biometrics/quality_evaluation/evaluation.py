"""Count what the requirements refuse: pictures as they are, and degraded on purpose."""

import itertools
import math
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
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
    assess_quality,
    measure_face_quality,
)
from biometrics.quality_evaluation.catalogue import Degradation, catalogue
from biometrics.quality_evaluation.degradation import Portrayal, is_gray
from biometrics.recognition import FaceEncoder
from biometrics.types import Face, Image

UNTOUCHED: Final = "untouched"
LUMINANCE_GROUPS: Final = 5
COLOUR_ONLY: Final = ("coloured-light",)


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
            FaceDetector.open(manifest),
            MeshEstimator(open_model(manifest, "facemesh")),
            requirements,
        )

    def measure(self, image: Image) -> tuple[FaceQuality, Portrayal]:
        """Return the measures of the one face of a picture, and what is needed to degrade it.

        Raises:
            FaceError: there isn't exactly one usable face.
        """
        face = self.detector.find_one(image)
        # As the pipeline does it, for the same figures.
        mesh = FaceEncoder(self.detector, self.mesh_estimator, ()).estimate_mesh(image, face)
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
class Look:
    """What was seen of one picture."""

    path: Path = field(repr=False)
    """Of the picture before it was degraded."""
    quality: FaceQuality | None
    """None if it can't be decoded or doesn't show one usable face; the reason says which."""
    reasons: tuple[str, ...]


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
    looks = look_at_all(examiner, pictures, names=names, limit=limit, seed=seed, progress=progress)
    untouched = {look.path: look for look in looks[UNTOUCHED] if look.quality}
    lost = Counter(look.reasons[0] for look in looks[UNTOUCHED] if not look.quality)
    rows = [_untouched_row(list(untouched.values()))]
    known = catalogue(examiner.detector, examiner.mesh_estimator)
    degraded = ((name, seen) for name, seen in looks.items() if name != UNTOUCHED and seen)
    rows += [_row(name, known[name], seen, untouched) for name, seen in degraded]
    return QualityReport(
        pictures=len(pictures),
        unusable=dict(lost.most_common()),
        requirements_sha256=examiner.requirements.sha256,
        rows=tuple(rows),
        by_luminance=tuple(_by_luminance(list(untouched.values()))),
    )


def look_at_all(
    examiner: Examiner,
    pictures: Sequence[Path],
    *,
    names: Sequence[str] | None = None,
    limit: int | None = None,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, list[Look]]:
    """Return what was seen of the pictures, `untouched` and by degradation.

    Arguments and errors are those of `evaluate_quality`.
    """
    known = catalogue(examiner.detector, examiner.mesh_estimator)
    chosen = {name: known[name] for name in (known if names is None else names)}
    looks: dict[str, list[Look]] = {UNTOUCHED: []}
    for index, path in enumerate(pictures):
        progress(index, len(pictures))
        looks[UNTOUCHED].append(_look_at_file(examiner, path))
    usable = [look.path for look in looks[UNTOUCHED] if look.quality]
    if not usable:
        raise EvaluationEmptyError("no picture shows one usable face: there is nothing to report")
    count = min(limit or len(usable), len(usable))
    picked = [usable[i * len(usable) // count] for i in range(count)]
    for index, path in enumerate(picked):
        progress(index, len(picked))
        scene = _scene(examiner, path, picked[index - 1])
        for name, change in chosen.items():
            seen = looks.setdefault(name, [])
            if name in COLOUR_ONLY and is_gray(scene.image):
                continue
            rng = np.random.default_rng([seed, index, zlib.crc32(name.encode())])
            try:
                image = change.apply(scene, rng)
            except FaceError:
                continue  # the rig found no face to turn: there is nothing to look at
            seen.append(_look(examiner, path, image))
    return looks


def _scene(examiner: Examiner, path: Path, other: Path) -> Portrayal:
    image = decode_image(path.read_bytes())
    scene = examiner.measure(image)[1]
    return Portrayal(image, scene.points, scene.mesh, decode_image(other.read_bytes()))


def _look_at_file(examiner: Examiner, path: Path) -> Look:
    try:
        return _look(examiner, path, decode_image(path.read_bytes()))
    except ImageError as error:
        return Look(path, None, (error.code,))


def _look(examiner: Examiner, path: Path, image: Image) -> Look:
    try:
        quality = examiner.measure(image)[0]
    except FaceError as error:
        return Look(path, None, (error.code,))
    return Look(path, quality, assess_quality(quality, examiner.requirements).reasons)


def _untouched_row(looks: Sequence[Look]) -> Row:
    refused = sum(bool(look.reasons) for look in looks)
    return Row(UNTOUCHED, (), Proportion(refused, len(looks)), None, None, _count(looks))


def _row(
    name: str, change: Degradation, seen: Sequence[Look], untouched: Mapping[Path, Look]
) -> Row:
    refused = Proportion(sum(bool(look.reasons) for look in seen), len(seen))
    if change.reasons:
        hits = sum(bool(set(look.reasons) & set(change.reasons)) for look in seen)
        return Row(name, change.reasons, refused, Proportion(hits, len(seen)), None, _count(seen))
    clean = [look for look in seen if not untouched[look.path].reasons]
    newly = Proportion(sum(bool(look.reasons) for look in clean), len(clean))
    return Row(name, (), refused, None, newly, _count(seen))


def _count(looks: Sequence[Look]) -> dict[str, int]:
    return dict(Counter(reason for look in looks for reason in look.reasons).most_common())


def _by_luminance(untouched: Sequence[Look]) -> list[LuminanceGroup]:
    levels = [
        (look.quality.luminance_mean, bool(look.reasons)) for look in untouched if look.quality
    ]
    levels.sort()
    groups = min(LUMINANCE_GROUPS, len(levels))
    bounds = [i * len(levels) // groups for i in range(groups + 1)]
    parts = [levels[start:end] for start, end in itertools.pairwise(bounds)]
    return [
        LuminanceGroup(
            part[0][0], part[-1][0], Proportion(sum(refused for _, refused in part), len(part))
        )
        for part in parts
    ]


def _others(found: Sequence[Face], face: Face) -> list[Face]:
    """Return the found faces without the one that is examined: the nearest to it."""
    if not found:
        return []
    nearest = min(found, key=lambda other: math.dist(other.box.center, face.box.center))
    return [other for other in found if other is not nearest]
