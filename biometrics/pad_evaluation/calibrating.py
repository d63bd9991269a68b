"""Make the policy by which signals are weighed from captures that were judged.

Each signal's map from score to log-likelihood ratio is fitted by itself, on bona fide captures and
on all species together, leaving out what the signal itself refuses: the sum is for captures that no
rule refuses. The threshold of the sum is the lowest at which the whole rule (every mandatory signal
ok, none adverse, the sum) shows the promised APCER a species, looked for from 0 nats up, or from
what `MAX_BPCER` of the people stay below where that is less. A species for which it would have to
refuse more than that of the people is not covered, and the file says so. Captures that
other rules refuse stay in the denominators.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from biometrics.evaluation.errors import CalibrationRefusedError, ScoresInvalidError
from biometrics.evaluation.fitting import fit_llr
from biometrics.evaluation.intervals import largest_count, upper_limit
from biometrics.evaluation.llr_cost import cllr
from biometrics.liveness.policy import (
    CLIP,
    SCHEMA,
    PadPolicy,
    PolicyPoint,
    PolicyRun,
    SignalWeight,
)
from biometrics.pad_evaluation.errors import PadCalibrationRefusedError
from biometrics.pad_evaluation.judged import (
    JudgedCapture,
    JudgedCaptures,
    load_judged,
    species_of,
)

TARGET_APCER: Final = 0.01
MAX_BPCER: Final = 0.01
"""Of the bona fide captures that all other rules accept, what the sum may refuse: a fifth of the
5 % that the whole judgement may."""
MIN_BONA_FIDE: Final = 10
MIN_SCORES: Final = 10
"""Fewer scores of a class than this carry no map."""
STEP: Final = 0.01
"""The threshold is rounded up to this many nats."""

Float64Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Sums:
    """Sums of the fitted ratios, and whether nothing but the sum could refuse a capture."""

    bona_fide: Float64Array
    """Of those bona fide captures that no other rule refuses."""
    acceptable: dict[str, Float64Array]
    """Of each species: the sums of those captures that no other rule refuses."""
    totals: dict[str, int]


def make_policy(
    files: Sequence[bytes], *, created_by: str, apcer: float = TARGET_APCER
) -> PadPolicy:
    """Fit the signals' maps and choose the threshold.

    Args:
        files: judged captures, as `chinhchu evaluate pad --out` writes them.
        created_by: the command, without folders.
        apcer: what the threshold promises.

    Raises:
        PadDataInvalidError: a file is malformed.
        PadCalibrationRefusedError: too few captures, one of them twice, no bona fide or no attack,
            signals of two versions, or no signal whose score helps.
    """
    runs = [load_judged(data) for data in files]
    _check_distinct(runs)
    captures = [c for run in runs for c in run.captures if c.unit == "liveness"]
    honest = [capture for capture in captures if capture.is_bona_fide]
    species = species_of(captures)
    if len(honest) < MIN_BONA_FIDE or not species:
        raise PadCalibrationRefusedError(
            f"{len(honest)} bona fide captures and {len(species)} species of attacks that answer a "
            f"challenge: at least {MIN_BONA_FIDE} and 1 are needed"
        )
    signals, unweighed = _fit(captures)
    if not signals:
        raise PadCalibrationRefusedError("; ".join(f"{k}: {v}" for k, v in unweighed.items()))
    sums = _sum(captures, signals)
    threshold, uncovered = _choose(sums, apcer)
    return PadPolicy(
        schema=SCHEMA,
        created_by=created_by,
        simulated=any(run.simulated for run in runs),
        runs=tuple(_run(run, data) for run, data in zip(runs, files, strict=True)),
        bona_fide=len(honest),
        attacks=dict(sums.totals),
        signals=signals,
        unweighed=unweighed,
        threshold=threshold,
        point=_point(sums, threshold, apcer, uncovered),
    )


def _check_distinct(runs: Sequence[JudgedCaptures]) -> None:
    """Refuse captures that would count twice: they make limits look surer than they are.

    A run's first seed orders its sitters: a seed names one capture in all runs that begin alike.
    """
    seen = set[tuple[str, ...]]()
    for run in runs:
        source, first_seed = run.provenance.source, run.provenance.seeds.partition("-")[0]
        people = run.provenance.people.rpartition(": ")[0]  # without how many
        for capture in run.captures:
            key = (source, first_seed, people, *capture.key)
            if key in seen:
                raise PadCalibrationRefusedError(f"a capture of {capture.species} is there twice")
            seen.add(key)


def _run(run: JudgedCaptures, data: bytes) -> PolicyRun:
    provenance = run.provenance
    return PolicyRun(
        report_sha256=hashlib.sha256(data).hexdigest(),
        simulated=run.simulated,
        seeds=provenance.seeds,
        people=provenance.people,
    )


def _fit(captures: Sequence[JudgedCapture]) -> tuple[dict[str, SignalWeight], dict[str, str]]:
    weighed, unweighed = {}, {}
    for name in dict.fromkeys(s.method for capture in captures for s in capture.signals):
        versions = {
            s.version
            for capture in captures
            for s in capture.signals
            if s.method == name and s.score is not None
        }
        if len(versions) > 1:
            raise PadCalibrationRefusedError(f"the scores of {name} are of several versions")
        genuine = _scores(captures, name, bona_fide=True)
        attacks = _scores(captures, name, bona_fide=False)
        if min(genuine.size, attacks.size) < MIN_SCORES:
            unweighed[name] = f"{genuine.size} bona fide and {attacks.size} attack scores only"
            continue
        try:
            fitted = fit_llr(genuine, attacks, names=(name,))
        except CalibrationRefusedError:
            unweighed[name] = "in these captures a higher score is no sign of a living person"
            continue
        except ScoresInvalidError as error:
            raise PadCalibrationRefusedError(f"{name}: {error}") from error
        ratios = [
            np.clip(values * fitted.weights[0] + fitted.offset, -CLIP, CLIP)
            for values in (genuine, attacks)
        ]
        weighed[name] = SignalWeight(
            version=versions.pop(),
            scale=fitted.weights[0],
            offset=fitted.offset,
            bona_fide=genuine.size,
            attacks=attacks.size,
            cllr=round(cllr(*ratios), 6),
        )
    return weighed, unweighed


def _scores(captures: Sequence[JudgedCapture], name: str, *, bona_fide: bool) -> Float64Array:
    return np.array(
        [
            signal.score
            for capture in captures
            if capture.is_bona_fide is bona_fide
            for signal in capture.signals
            if signal.method == name and signal.score is not None and signal.result != "failed"
        ],
        dtype=np.float64,
    )


def _sum(captures: Sequence[JudgedCapture], signals: dict[str, SignalWeight]) -> _Sums:
    def total(capture: JudgedCapture) -> float:
        return sum(
            weight.llr(signal.score)
            for signal in capture.signals
            if (weight := signals.get(signal.method)) and signal.score is not None
        )

    honest = np.array([total(c) for c in captures if c.is_bona_fide and c.passes_without_sum])
    if not honest.size:
        raise PadCalibrationRefusedError("no bona fide capture passes the other rules")
    acceptable, totals = {}, {}
    for name in species_of(captures):
        found = [capture for capture in captures if capture.species == name]
        totals[name] = len(found)
        acceptable[name] = np.array([total(c) for c in found if c.passes_without_sum])
    return _Sums(honest, acceptable, totals)


def _choose(sums: _Sums, apcer: float) -> tuple[float, set[str]]:
    """Return the lowest threshold that keeps the promise, and for whom none does.

    It is looked for from 0 up, or from what `MAX_BPCER` of the people stay below if that is less.

    Of a species of too few captures to show the rate even without an error, none may be accepted.
    """
    honest = np.sort(sums.bona_fide)
    highest = float(honest[math.floor(MAX_BPCER * honest.size)])
    threshold, uncovered = min(0.0, _down(highest)), set()
    for name, values in sums.acceptable.items():
        allowed = largest_count(sums.totals[name], apcer) or 0
        descending = np.sort(values)[::-1]
        if descending.size <= allowed:
            continue
        needed = _down(float(descending[allowed])) + STEP
        if needed > highest:
            uncovered.add(name)
        else:
            threshold = max(threshold, round(needed, 6))
    return threshold, uncovered


def _down(value: float) -> float:
    return round(math.floor(value / STEP) * STEP, 6)


def _point(sums: _Sums, threshold: float, apcer: float, uncovered: set[str]) -> PolicyPoint:
    accepted = {n: int(np.count_nonzero(v >= threshold)) for n, v in sums.acceptable.items()}
    upper = {n: upper_limit(accepted[n], total) for n, total in sums.totals.items()}
    covered = {n: rate for n, rate in upper.items() if n not in uncovered}
    worst = max(covered or upper, key=lambda name: (upper[name], name))
    refused = int(np.count_nonzero(sums.bona_fide < threshold))
    honest = sums.bona_fide.size
    return PolicyPoint(
        apcer=apcer,
        shown=bool(covered) and upper[worst] <= apcer,
        worst_species=worst,
        apcer_seen=accepted[worst] / sums.totals[worst],
        apcer_upper=upper[worst],
        uncovered={n: accepted[n] / sums.totals[n] for n in sorted(uncovered)},
        bpcer_seen=refused / honest,
        bpcer_upper=upper_limit(refused, honest),
    )
