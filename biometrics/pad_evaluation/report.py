"""What an evaluation found, as one record for JSON, for the table and for the plots.

Rates of ISO/IEC 30107-3:2023: of the attack presentations of one species, APCER is the part that
was accepted, APNRR the part that got no verdict (INDETERMINATE, which is not accepted either). Of
the bona fide presentations, BPCER is the part that was refused as an attack, BPNRR the part without
a verdict; `not_accepted` adds both: what a person meets in the first attempt.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from biometrics.evaluation.error_rates import det_curve, equal_error_rate
from biometrics.evaluation.intervals import Proportion, upper_limit
from biometrics.pad_evaluation.judged import (
    BONA_FIDE,
    JudgedCapture,
    JudgedCaptures,
    Provenance,
    Unit,
    species_of,
)

SCHEMA: Final = "chinhchu-pad-evaluation-1"
UNITS: Final[Mapping[Unit, str]] = {
    "liveness": "the whole judgement of a capture that answers a challenge",
    "passive": "the passive models, and continuity, on pictures and frames without a challenge, "
    "which are never accepted in operation",
}
SUM: Final = "fusion"
BINS: Final = 40
CURVE_POINTS: Final = 100


def build_report(judged: JudgedCaptures) -> dict[str, Any]:
    """Return everything that an evaluation found. It names no item."""
    units = {}
    for unit, meaning in UNITS.items():
        captures = [capture for capture in judged.captures if capture.unit == unit]
        if captures:
            units[unit] = {"meaning": meaning} | _rate(captures)
    return {
        "schema": SCHEMA,
        "simulated": judged.simulated,
        "provenance": TypeAdapter(Provenance).dump_python(judged.provenance, mode="json"),
        "units": units,
    }


def _rate(captures: Sequence[JudgedCapture]) -> dict[str, Any]:
    bona_fide = [capture for capture in captures if capture.is_bona_fide]
    by_species = {
        name: [capture for capture in captures if capture.species == name]
        for name in species_of(captures)
    }
    species = [_species(name, found) for name, found in by_species.items()]
    species.sort(key=lambda row: (-row["apcer"]["value"], -row["apnrr"]["value"], row["species"]))
    return {
        "bona_fide": _bona_fide(bona_fide) if bona_fide else None,
        "species": species,
        "worst": species[0]["species"] if species else None,
        "signals": _signals(captures),
        "scores": _scores(bona_fide, by_species),
    }


def _bona_fide(captures: Sequence[JudgedCapture]) -> dict[str, Any]:
    without_light = [capture for capture in captures if capture.without_light]
    return {
        "n": len(captures),
        "simulated": any(capture.simulated for capture in captures),
        "bpcer": _share(captures, "FAILED"),
        "bpnrr": _share(captures, "INDETERMINATE"),
        "not_accepted": _share(captures, "FAILED", "INDETERMINATE"),
        "not_accepted_without_light": _share(without_light, "FAILED", "INDETERMINATE"),
        "reasons": _reasons(captures),
    }


def _species(name: str, captures: Sequence[JudgedCapture]) -> dict[str, Any]:
    accepted = sum(capture.outcome == "PASSED" for capture in captures)
    return {
        "species": name,
        "n": len(captures),
        "simulated": any(capture.simulated for capture in captures),
        "apcer": _share(captures, "PASSED"),
        "apcer_upper": upper_limit(accepted, len(captures)),
        "apnrr": _share(captures, "INDETERMINATE"),
        "refused": _share(captures, "FAILED"),
        "reasons": _reasons(captures),
    }


def _share(captures: Sequence[JudgedCapture], *outcomes: str) -> dict[str, Any]:
    count = sum(capture.outcome in outcomes for capture in captures)
    return Proportion(count, len(captures)).to_dict()


def _reasons(captures: Sequence[JudgedCapture]) -> dict[str, int]:
    """Return how many captures have each reason, the most frequent first."""
    counts = Counter(reason for capture in captures for reason in capture.reasons)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _signals(captures: Sequence[JudgedCapture]) -> dict[str, Any]:
    """Return what each signal alone says about each species, and for which reasons."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys(s.method for capture in captures for s in capture.signals):
        by_species = {}
        for species in [BONA_FIDE, *species_of(captures)]:
            said = [
                signal
                for capture in captures
                if capture.species == species
                for signal in capture.signals
                if signal.method == name
            ]
            if not said:
                continue
            reasons = Counter(reason for signal in said for reason in signal.reasons)
            by_species[species] = {
                "failed": Proportion(sum(s.result == "failed" for s in said), len(said)).to_dict(),
                "not_performed": Proportion(
                    sum(s.result == "not_performed" for s in said), len(said)
                ).to_dict(),
                "alone": _caught_alone(captures, species, name),
                "reasons": dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
            }
        versions = {s.version for c in captures for s in c.signals if s.method == name}
        found[name] = {"versions": sorted(versions), "species": by_species}
    return found


def _caught_alone(captures: Sequence[JudgedCapture], species: str, name: str) -> int:
    """Return how many captures of a species this signal refused, and no other signal."""
    return sum(
        {signal.method for signal in capture.signals if signal.result == "failed"} == {name}
        for capture in captures
        if capture.species == species
    )


def _scores(
    bona_fide: Sequence[JudgedCapture], by_species: Mapping[str, Sequence[JudgedCapture]]
) -> dict[str, Any]:
    """Return how each score tells bona fide from attack, over all species and a species each."""
    every = [*bona_fide, *(capture for found in by_species.values() for capture in found)]
    names = dict.fromkeys(name for capture in every for name in scores_of(capture))
    compared = {}
    for name in names:
        genuine = _values(bona_fide, name)
        attacks = {species: _values(found, name) for species, found in by_species.items()}
        attacks = {species: values for species, values in attacks.items() if values.size}
        if not genuine.size or not attacks:
            continue
        pooled = np.concatenate(list(attacks.values()))
        edges = _edges(np.concatenate([genuine, pooled]))
        compared[name] = _separation(genuine, pooled) | {
            "n_bona_fide": int(genuine.size),
            "n_attacks": int(pooled.size),
            "species": {
                species: _separation(genuine, values) | {"n": int(values.size)}
                for species, values in attacks.items()
            },
            "det": _det(genuine, pooled),
            "histogram": {
                "edges": edges.tolist(),
                BONA_FIDE: np.histogram(genuine, edges)[0].tolist(),
                **{s: np.histogram(v, edges)[0].tolist() for s, v in attacks.items()},
            },
        }
    return compared


def scores_of(capture: JudgedCapture) -> dict[str, float]:
    """Return the scores of a capture by name: the sum, the signals', and the passive models'."""
    if capture.unit == "passive":
        return dict(capture.scores)
    scores = {s.method: s.score for s in capture.signals if s.score is not None}
    return scores if capture.score is None else {SUM: capture.score, **scores}


def _values(captures: Sequence[JudgedCapture], name: str) -> npt.NDArray[np.float64]:
    found = [scores_of(capture).get(name) for capture in captures]
    return np.array([score for score in found if score is not None], dtype=np.float64)


def _separation(
    genuine: npt.NDArray[np.float64], attacks: npt.NDArray[np.float64]
) -> dict[str, float]:
    """Return the area under the ROC curve (ties count half) and the equal error rate."""
    order = np.sort(attacks)
    below = np.searchsorted(order, genuine, side="left")
    not_above = np.searchsorted(order, genuine, side="right")
    auc = float((below + not_above).mean() / 2 / attacks.size)
    eer, _ = equal_error_rate(det_curve(genuine, attacks))
    return {"auc": auc, "eer": eer}


def _det(
    genuine: npt.NDArray[np.float64], attacks: npt.NDArray[np.float64]
) -> dict[str, list[float]]:
    curve = det_curve(genuine, attacks)
    places = np.unique(np.linspace(0, len(curve.fmr) - 1, CURVE_POINTS).round().astype(int))
    return {"apcer": curve.fmr[places].tolist(), "bpcer": curve.fnmr[places].tolist()}


def _edges(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    low, high = float(values.min()), float(values.max())
    if not low < high:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, BINS + 1)
