"""What an evaluation found, as one record for JSON, for the table and for the plots."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from biometrics.calibration import Calibration
from biometrics.evaluation.bootstrap import eer_interval, rate_intervals
from biometrics.evaluation.degradation import Degradation
from biometrics.evaluation.error_rates import (
    DetCurve,
    cross_validate,
    det_curve,
    equal_error_rate,
    fnmr_at_fmr,
)
from biometrics.evaluation.errors import ScoresInvalidError
from biometrics.evaluation.faces import (
    EncodedPictures,
    PairCosines,
    fold_sha256,
    pictures_sha256,
)
from biometrics.evaluation.fitting import people_pairs
from biometrics.evaluation.intervals import Proportion
from biometrics.evaluation.llr_cost import cllr, cllr_min
from biometrics.evaluation.pairs import PairList
from biometrics.evaluation.subjects import SubjectRule

BoolArray = npt.NDArray[np.bool_]
Float64Array = npt.NDArray[np.float64]

SCHEMA: Final = "chinhchu-face-evaluation-1"
LOOKS: Final = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
"""False match rates at which the scores are looked at, as far as the pairs reach."""
CURVE_POINTS: Final = 200
BINS: Final = 80


@dataclass(frozen=True, eq=False)
class Evaluated:
    """An evaluation's pictures and comparisons."""

    pairs: PairList
    encoded: EncodedPictures
    listed: PairCosines
    crossed: PairCosines | None
    """Every cross pair, where that was asked for."""
    calibration: Calibration
    degradation: Degradation | None
    subjects: SubjectRule


@dataclass(frozen=True, eq=False)
class _Rated:
    """Pairs and their log-likelihood ratios."""

    llr: Float64Array = field(repr=False)
    """Minus infinity where a picture gave no template: never a match."""
    cosines: PairCosines
    pairs: PairList
    by_people: bool
    """Whether pairs share people so much that intervals must be drawn by people."""

    def where(self, rows: BoolArray) -> "_Rated":
        cosines = self.cosines
        chosen = PairCosines(
            cosines.cosines[rows],
            cosines.acquired[rows],
            cosines.mated[rows],
            cosines.reference[rows],
            cosines.probe[rows],
            cosines.fold[rows],
            cosines.group[rows],
        )
        return _Rated(self.llr[rows], chosen, self.pairs, self.by_people)

    def people(self, rows: BoolArray) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
        people = self.pairs.people
        return people[self.cosines.reference[rows]], people[self.cosines.probe[rows]]

    @property
    def people_range(self) -> int:
        return int(self.pairs.people.max()) + 1

    @property
    def compared(self) -> tuple[BoolArray, BoolArray]:
        """Return which pairs are mated, and which non-mated, of those that have a score."""
        acquired, mated = self.cosines.acquired, self.cosines.mated
        return acquired & mated, acquired & ~mated


def build_report(found: Evaluated) -> dict[str, Any]:
    """Return everything that an evaluation found, for JSON. Nothing in it is personal.

    Raises:
        ScoresInvalidError: no mated or no non-mated pair could be compared.
    """
    pairs, calibration = found.pairs, found.calibration
    used = used_folds(pairs, found.encoded, calibration)
    listed = _rate(found.listed, found, by_people=False)
    main = _rate(found.crossed, found, by_people=True) if found.crossed else listed
    held_out, is_held_out = _held_out(main, used)
    mated, nonmated = main.compared
    curve = det_curve(main.llr[mated], main.llr[nonmated])
    return {
        "schema": SCHEMA,
        "comparison": calibration.comparison,
        "models": [{"name": m.name, "sha256": m.sha256} for m in calibration.models],
        "path_version": calibration.path_version,
        "calibration": {
            "file": calibration.data.file,
            "folds": [fold.name for fold in calibration.data.folds],
            "degradation": calibration.data.degradation,
            "folds_seen_here": used,
        },
        "data": _describe(pairs, found.encoded, used, crossed=found.crossed is not None),
        "degradation": found.degradation
        and {
            "name": found.degradation.name,
            "side": found.degradation.side,
            "meaning": found.degradation.meaning,
        },
        "subjects": found.subjects,
        "fta": Proportion(sum(found.encoded.failures.values()), found.encoded.attempts).to_dict()
        | {"reasons": dict(found.encoded.failures)},
        "pairs": _count(main),
        "accuracy": _accuracy(listed),
        "accuracy_of_compared": _accuracy(listed.where(listed.cosines.acquired)),
        "eer": _eer(main, curve),
        "fnmr_at_fmr": _looks(curve, int(np.count_nonzero(nonmated))),
        "operating_points": {
            "held_out": is_held_out,
            "pairs": _count(held_out),
            "llr_cost": _llr_cost(held_out),
            "points": _points(held_out, calibration),
            "unsupported": dict(calibration.unsupported),
        },
        "groups": _groups(held_out, calibration),
        "det": _points_of(curve),
        "histogram": _histogram(main),
    }


def used_folds(pairs: PairList, encoded: EncodedPictures, calibration: Calibration) -> list[str]:
    """Return the folds whose pictures the calibration was made on.

    They are found by the digest of their pictures, whatever the list or the fold is called. A fold
    that shares only some pictures with the calibration is not found.
    """
    known = {fold.pictures_sha256 for fold in calibration.data.folds}
    return [fold for fold in pairs.folds if fold_sha256(pairs, encoded, fold) in known]


def _rate(cosines: PairCosines, found: Evaluated, *, by_people: bool) -> _Rated:
    llr = np.where(
        cosines.acquired, found.calibration.llr(np.nan_to_num(cosines.cosines, nan=0.0)), -np.inf
    )
    if np.isnan(cosines.cosines[cosines.acquired]).any():
        raise ScoresInvalidError("a similarity is not a number")
    return _Rated(llr, cosines, found.pairs, by_people)


def _held_out(rated: _Rated, used: Sequence[str]) -> tuple[_Rated, bool]:
    """Return the pairs of which no picture was calibrated on, and whether there are any."""
    if not used:
        return rated, True
    seen = rated.pairs.pictures_of_folds(used)
    rows = ~(seen[rated.cosines.reference] | seen[rated.cosines.probe])
    rest = rated.where(rows)
    mated, nonmated = rest.compared
    return (rest, True) if mated.any() and nonmated.any() else (rated, False)


def _describe(
    pairs: PairList, encoded: EncodedPictures, used: Sequence[str], *, crossed: bool
) -> dict[str, Any]:
    folds = []
    met: dict[int, int] = {}
    for index, name in enumerate(pairs.folds):
        named = pairs.pictures_of_folds([name])
        rows = pairs.fold == index
        people = np.unique(pairs.people[named]).tolist()
        for person in people:
            met[person] = met.get(person, 0) + 1
        folds.append(
            {
                "name": name,
                "listed_pairs": int(np.count_nonzero(rows)),
                "mated": int(np.count_nonzero(rows & pairs.mated)),
                "people": len(people),
                "pictures": int(np.count_nonzero(named)),
                "pictures_sha256": fold_sha256(pairs, encoded, name),
                "used_by_calibration": name in used,
            }
        )
    return {
        "file": pairs.file,
        "sha256": pairs.sha256,
        "pictures_sha256": pictures_sha256(encoded.digests),
        "pairs": "all" if crossed else "listed",
        "people": pairs.people_count,
        "people_are_known": pairs.people_are_known,
        "people_in_several_folds": sum(times > 1 for times in met.values()),
        "pictures": len(pairs.paths),
        "identical_pictures": len(encoded.digests) - len(set(encoded.digests)),
        "folds": folds,
    }


def _count(rated: _Rated) -> dict[str, int]:
    mated, nonmated = rated.compared
    lost = ~rated.cosines.acquired
    return {
        "mated": int(np.count_nonzero(mated)),
        "nonmated": int(np.count_nonzero(nonmated)),
        "mated_lost": int(np.count_nonzero(lost & rated.cosines.mated)),
        "nonmated_lost": int(np.count_nonzero(lost & ~rated.cosines.mated)),
        "people": len(np.unique(np.concatenate(rated.people(np.ones(len(rated.llr), bool))))),
    }


def _accuracy(rated: _Rated) -> dict[str, Any]:
    """Return the accuracy over the folds; a pair without a score is judged as no match."""
    try:
        validated = cross_validate(
            rated.llr, rated.cosines.mated, rated.cosines.fold, rated.pairs.folds
        )
    except ScoresInvalidError as error:
        return {"not_computed": str(error)}
    return {
        "value": validated.mean,
        "standard_error": validated.standard_error,
        **{k: v for k, v in validated.correct.to_dict().items() if k != "value"},
        "folds": [
            {"name": fold.fold, "threshold": fold.threshold, **fold.correct.to_dict()}
            for fold in validated.folds
        ],
    }


def _eer(rated: _Rated, curve: DetCurve) -> dict[str, Any]:
    mated, nonmated = rated.compared
    value, threshold = equal_error_rate(curve)
    low, high = eer_interval(
        rated.llr[mated],
        rated.people(mated)[0],
        rated.llr[nonmated],
        rated.people(nonmated),
        rated.people_range,
        value,
    )
    if value == 0:  # drawing again from no error gives none
        trials = min(people_pairs(rated.people(mated)), people_pairs(rated.people(nonmated)))
        low, high = Proportion(0, trials).interval
    return {
        "value": value,
        "interval": [min(low, value), max(high, value)],
        "interval_by": "people",
        "threshold": threshold,
        "n": int(np.count_nonzero(mated | nonmated)),
    }


def _looks(curve: DetCurve, nonmated: int) -> list[dict[str, float]]:
    """Return FNMR at given FMRs on the very same scores, as far as there are pairs enough."""
    looks = []
    for fmr in LOOKS:
        if nonmated * fmr >= 1:
            fnmr, threshold = fnmr_at_fmr(curve, fmr)
            looks.append({"fmr": fmr, "fnmr": fnmr, "threshold": threshold})
    return looks


def _llr_cost(rated: _Rated) -> dict[str, float]:
    mated, nonmated = rated.compared
    scores = rated.llr[mated], rated.llr[nonmated]
    return {"cllr": cllr(*scores), "cllr_min": cllr_min(*scores)}


def _points(rated: _Rated, calibration: Calibration) -> dict[str, Any]:
    """Return the rates at every operating point; a class without pairs has none."""
    points = calibration.operating_points
    thresholds = [point.threshold for point in points.values()]
    mated, nonmated = rated.compared
    wanted = rated.cosines.mated
    matches = _proportions(rated, nonmated, thresholds)
    accepted = _proportions(rated, mated, thresholds)
    accepted_of_all = _proportions(rated, wanted, thresholds)
    return {
        name: {
            "threshold": point.threshold,
            "fmr_promised": point.fmr,
            "fmr": fmr,
            "fnmr": _complement(hits),
            "generalised_fnmr": _complement(hits_of_all),
        }
        for (name, point), fmr, hits, hits_of_all in zip(
            points.items(), matches, accepted, accepted_of_all, strict=True
        )
    }


def _proportions(
    rated: _Rated, rows: BoolArray, thresholds: Sequence[float]
) -> list[dict[str, Any]]:
    """Return the part of some pairs at or above each threshold, with its interval."""
    scores = rated.llr[rows]
    parts = [Proportion(int((scores >= t).sum()), scores.size) for t in thresholds]
    records = [part.to_dict() | {"interval_by": "pairs"} for part in parts]
    if not rated.by_people or not scores.size:
        return records
    people = rated.people(rows)
    trials = people_pairs(people)
    for record, part, drawn in zip(
        records,
        parts,
        rate_intervals(scores, people, rated.people_range, thresholds),
        strict=True,
    ):
        # Drawn again, no error gives none and one error few: never surer than the rule of three.
        none, every = Proportion(0, trials).interval[1], Proportion(trials, trials).interval[0]
        low, high = min(drawn[0], every), max(drawn[1], none)
        value = part.count / part.total
        record |= {"interval": [min(low, value), max(high, value)], "interval_by": "people"}
    return records


def _complement(record: dict[str, Any]) -> dict[str, Any]:
    value, interval = record["value"], record["interval"]
    return record | {
        "value": None if value is None else (record["n"] - record["count"]) / record["n"],
        "interval": None if interval is None else [1 - interval[1], 1 - interval[0]],
        "count": record["n"] - record["count"],
    }


def _groups(rated: _Rated, calibration: Calibration) -> dict[str, Any]:
    """Return counts and rates by group; cross pairs between two groups are in none."""
    found = {}
    for index, name in enumerate(rated.pairs.groups):
        inside = rated.where(rated.cosines.group == index)
        if len(inside.llr):
            found[name] = {"pairs": _count(inside), "points": _points(inside, calibration)}
    return found


def _points_of(curve: DetCurve) -> dict[str, list[float]]:
    """Return the curve at no more than `CURVE_POINTS` false match rates, evenly on a log scale."""
    lowest = float(curve.fmr[curve.fmr > 0].min())
    rates = np.concatenate([[0.0], np.geomspace(lowest, 1.0, CURVE_POINTS - 1)])
    # The first threshold at which the rate is at most this one.
    places = np.unique(np.searchsorted(-curve.fmr, -rates * (1 + 1e-12), side="left"))
    return {"fmr": curve.fmr[places].tolist(), "fnmr": curve.fnmr[places].tolist()}


def _histogram(rated: _Rated) -> dict[str, Any]:
    mated, nonmated = rated.compared
    scores = rated.llr[mated | nonmated]
    edges = np.linspace(scores.min(), scores.max(), BINS + 1)
    if not edges[0] < edges[-1]:
        edges = np.array([edges[0] - 0.5, edges[0] + 0.5])
    return {
        "edges": edges.tolist(),
        "mated": np.histogram(rated.llr[mated], edges)[0].tolist(),
        "nonmated": np.histogram(rated.llr[nonmated], edges)[0].tolist(),
    }
