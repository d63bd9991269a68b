"""Operating-point files: how cosines become a log-likelihood ratio, and which ratio is a match.

`chinhchu calibrate` writes such a file (`biometrics.evaluation.calibrating`); comparison reads it.
A file names the models, the data and the folds that made it, so that no threshold is without a
source. It holds numbers and digests only: no name of a person, of a picture, or of a folder.
"""

import json
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import (
    ConfigDict,
    Field,
    FiniteFloat,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    TypeAdapter,
    ValidationError,
)
from pydantic.dataclasses import dataclass

from biometrics.errors import BiometricsError
from biometrics.manifest import Name, Sha256, Text
from biometrics.types import FloatArray

Float64Array = npt.NDArray[np.float64]
_NUMBERS = re.compile(r"\[[-0-9.,e\s]+\]")
"""A list of numbers, which takes one line of the file."""

MAX_CALIBRATION_BYTES: Final = 1 << 20
SCHEMA: Final = "chinhchu-calibration-1"

Rate = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
FoldName = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{0,64}$")]
ListName = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f/\\]{1,255}$")]

Coordinate = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]

_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)


class CalibrationInvalidError(BiometricsError):
    """An operating-point file is malformed, contradicts itself, or lacks what is asked of it."""

    code: ClassVar[str] = "calibration-invalid"


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class CalibratedModel:
    """One embedding model and its part in the log-likelihood ratio."""

    name: Name
    sha256: Sha256
    """Digest of the model's first published file, as verdicts name it: rewriting a graph at
    installation does not change what it computes."""
    weight: PositiveFloat
    """What one unit of this model's cosine adds to the natural log-likelihood ratio."""
    centre: Annotated[tuple[Coordinate, ...], Field(min_length=1, max_length=4096)]
    """Mean of the calibration's unit vectors: what all faces share says nothing about whose one
    is, so cosines are taken as seen from here."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class CalibrationFold:
    """One fold that was calibrated on."""

    name: FoldName
    """Empty where the pair list has no folds."""
    pictures: PositiveInt
    pictures_sha256: Sha256
    """Digest of the sorted digests of the fold's picture files."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class CalibrationData:
    """What a calibration was made on."""

    file: ListName
    """Name of the pair list, without its folder."""
    sha256: Sha256
    """Digest of the pair list."""
    pictures_sha256: Sha256
    """Digest of the sorted digests of all picture files of the folds used."""
    folds: Annotated[tuple[CalibrationFold, ...], Field(min_length=1)]
    pairs: Literal["all", "listed"]
    """`all`: every cross pair of the pictures; `listed`: the rows of the list alone."""
    degradation: Name | None
    """What was done to one side of every pair; None: nothing."""
    subjects: Literal["only", "middle"]
    """`middle`: where a picture showed several faces, the one nearest to its middle counted;
    `only`: that was a failure to acquire."""
    people: PositiveInt
    pictures: PositiveInt
    failures_to_acquire: NonNegativeInt
    """Encodings that failed; their pairs are not in the counts below."""
    mated_pairs: PositiveInt
    nonmated_pairs: PositiveInt
    nonmated_people_pairs: PositiveInt
    """Different pairs of people among the non-mated pairs: what the bounds are computed with."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class CalibratedPoint:
    """A threshold on the log-likelihood ratio and what was seen there on the calibration data."""

    threshold: FiniteFloat
    """At or above: a match at this operating point."""
    fmr: Annotated[float, Field(gt=0, lt=1)]
    """The false match rate that the point promises: the one-sided 95 % upper limit lies below."""
    threshold_interval: tuple[FiniteFloat, FiniteFloat]
    """95 % of the thresholds that the same rule chose when the people were drawn again."""
    false_matches: NonNegativeInt
    """Non-mated calibration pairs at or above the threshold."""
    fmr_seen: Rate
    fmr_upper: Rate
    """Upper limit of the false match rate, one-sided 95 %."""
    fnmr_seen: Rate
    """Part of the mated calibration pairs below the threshold; too low for other data."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Calibration:
    """A whole operating-point file."""

    schema: Literal["chinhchu-calibration-1"]
    created_by: Text
    """The command, without folders."""
    comparison: Name
    path_version: Text
    """Version of the path from picture to embedding that the cosines came from."""
    data: CalibrationData
    prior: Annotated[float, Field(gt=0, lt=1)]
    """Weight of the mated pairs in the fit; it is taken out of the ratio again."""
    offset: FiniteFloat
    models: Annotated[tuple[CalibratedModel, ...], Field(min_length=1, max_length=8)]
    cllr: NonNegativeFloat
    """Cost of the ratios on the calibration data, in bits; 0 is perfect, 1 says nothing."""
    cllr_min: NonNegativeFloat
    """The same after the best monotone map of the ratios: what the models lose by themselves."""
    operating_points: Mapping[Name, CalibratedPoint]
    unsupported: Mapping[Name, Text]
    """Operating points that the data cannot support, each with the reason."""

    @property
    def model_names(self) -> tuple[str, ...]:
        """Return the embedding models in the order of the columns of `llr`."""
        return tuple(model.name for model in self.models)

    @property
    def centres(self) -> dict[str, FloatArray]:
        """Return each model's centre, in the order of the columns of `llr`."""
        return {model.name: np.array(model.centre, dtype=np.float32) for model in self.models}

    def llr(self, cosines: npt.ArrayLike) -> Float64Array:
        """Return the natural log-likelihood ratio of each pair: positive speaks for one person.

        Args:
            cosines: ... x k, one column a model in the order of `models`. Not a number stays so.

        Raises:
            CalibrationInvalidError: the number of columns is not the number of models.
        """
        values = np.asarray(cosines, dtype=np.float64)
        if values.ndim == 0 or values.shape[-1] != len(self.models):
            raise CalibrationInvalidError(
                f"the calibration of {self.comparison} weighs {len(self.models)} models, "
                f"not cosines of shape {values.shape}"
            )
        weights = np.array([model.weight for model in self.models])
        return np.asarray(values @ weights + self.offset)

    def check_fits(self, models: Sequence[tuple[str, str]], path_version: str) -> None:
        """Refuse to judge cosines that come from anything else than this was made for.

        Args:
            models: name and digest of the first published file of each, in any order.
            path_version: version of the path from picture to embedding.

        Raises:
            CalibrationInvalidError: other models, or another version of the path.
        """
        if {(model.name, model.sha256) for model in self.models} != set(models):
            raise CalibrationInvalidError(
                f"the calibration of {self.comparison} is for other models: "
                f"{', '.join(self.model_names)}"
            )
        if self.path_version != path_version:
            raise CalibrationInvalidError(
                f"the calibration of {self.comparison} is for version {self.path_version} of the "
                f"path from picture to embedding, which is now {path_version}: calibrate again"
            )

    def point(self, name: str) -> CalibratedPoint:
        """Return an operating point.

        Raises:
            CalibrationInvalidError: the file has none of that name.
        """
        point = self.operating_points.get(name)
        if point is None:
            reason = self.unsupported.get(name, "it is not in the file")
            raise CalibrationInvalidError(
                f"the calibration of {self.comparison} has no operating point {name!r}: {reason}"
            )
        return point


def load_calibration(data: bytes) -> Calibration:
    """Parse and check the bytes of an operating-point file.

    Raises:
        CalibrationInvalidError: too large, not JSON, a key twice, anything missing, unknown or out
            of range, or points that contradict one another.
    """
    if len(data) > MAX_CALIBRATION_BYTES:
        raise CalibrationInvalidError(
            f"the calibration is larger than {MAX_CALIBRATION_BYTES >> 20} MiB"
        )
    try:
        # Parsed here first: pydantic's own parser takes the last of two equal keys in silence.
        json.loads(data, object_pairs_hook=_unique_keys)
        calibration = TypeAdapter(Calibration).validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "its start"
        raise CalibrationInvalidError(
            f"the calibration is invalid at {place}: {first['msg']}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise CalibrationInvalidError("the calibration is not JSON") from error
    _check_consistency(calibration)
    return calibration


def dump_calibration(calibration: Calibration) -> bytes:
    """Return the operating-point file: the same calibration gives the same bytes."""
    _check_consistency(calibration)
    record: dict[str, Any] = TypeAdapter(Calibration).dump_python(calibration, mode="json")
    text = json.dumps(record, indent=2, ensure_ascii=False)
    return (_NUMBERS.sub(lambda found: " ".join(found[0].split()), text) + "\n").encode()


def _unique_keys(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise CalibrationInvalidError("the calibration names a key twice")
    return record


def _check_consistency(calibration: Calibration) -> None:
    """Check what no single field can say."""
    if len(set(calibration.model_names)) != len(calibration.models):
        raise CalibrationInvalidError("the calibration names a model twice")
    if not calibration.operating_points:
        raise CalibrationInvalidError("the calibration has no operating point")
    both = calibration.operating_points.keys() & calibration.unsupported.keys()
    if both:
        raise CalibrationInvalidError(f"{min(both)} is an operating point and unsupported")
    points = sorted(calibration.operating_points.items(), key=lambda item: -item[1].fmr)
    for name, point in points:
        low, high = point.threshold_interval
        if not low <= high:
            raise CalibrationInvalidError(f"the interval of {name} is upside down")
        if not point.fmr_seen <= point.fmr_upper <= point.fmr:
            raise CalibrationInvalidError(f"{name} promises a rate that its data does not show")
    for (wide, above), (strict, below) in pairwise(points):
        if above.fmr == below.fmr or above.threshold > below.threshold:
            raise CalibrationInvalidError(f"{strict} must be stricter than {wide}")
