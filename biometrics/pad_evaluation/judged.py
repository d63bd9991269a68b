"""One capture as it was judged, and files of many."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, FiniteFloat, NonNegativeInt, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from biometrics.liveness.findings import distinct
from biometrics.liveness.fusion import LivenessVerdict
from biometrics.liveness.signal import Signal
from biometrics.manifest import Name, Text
from biometrics.pad_evaluation.errors import PadDataInvalidError
from biometrics.types import CheckResult

BONA_FIDE: Final = "bona-fide"
SCHEMA: Final = "chinhchu-pad-captures-1"
MAX_FILE_BYTES: Final = 256 << 20
SUSPECTED: Final = "pad-attack-suspected"
"""The fusion's own finding, besides that of the passive models."""
OF_THE_SUM: Final = frozenset({SUSPECTED, "pad-policy-outdated"})
"""Reasons that say nothing of a capture to whoever makes a new policy."""

_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)

OutcomeName = Literal["PASSED", "INDETERMINATE", "FAILED"]
ResultName = Literal["ok", "failed", "not_performed"]
Unit = Literal["liveness", "passive"]
"""What was tested: the whole judgement of a capture that answers a challenge, or the passive models
alone, on pictures and on frames without a challenge."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class JudgedSignal:
    """What one signal said."""

    method: Name
    version: Text
    result: ResultName
    reasons: tuple[Text, ...]
    score: FiniteFloat | None


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class JudgedCapture:
    """What was said about one presentation."""

    species: Name
    """A PAI species, or `bona-fide`."""
    item: Annotated[str, Field(max_length=1024)] = field(repr=False)
    """Where it lies below the evaluated folder, or the seed that it was rendered with."""
    unit: Unit
    simulated: bool
    outcome: OutcomeName
    reasons: tuple[Text, ...]
    signals: tuple[JudgedSignal, ...]
    score: FiniteFloat | None
    """Sum of the log-likelihood ratios (nats), where the whole judgement was made."""
    scores: Mapping[str, FiniteFloat]
    """PadScore of each passive model on whatever face there was, judged or not; 0-1."""
    frames: NonNegativeInt
    without_light: bool = False
    """The challenge had no coloured light."""

    @property
    def key(self) -> tuple[str, str]:
        """Return what no other capture of a run has."""
        return self.species, self.item

    @property
    def is_bona_fide(self) -> bool:
        """Return whether a living person was there."""
        return self.species == BONA_FIDE

    @property
    def passes_without_sum(self) -> bool:
        """Return whether all is well but, perhaps, the sum of the signals or its policy."""
        refused = any(signal.result == "failed" for signal in self.signals)
        return self.unit == "liveness" and not refused and set(self.reasons) <= OF_THE_SUM


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Provenance:
    """What was evaluated, on what."""

    software: Text
    manifest_sha256: Text
    """Digest of the manifest, with every operating point."""
    policy_sha256: Text
    """Digest of the file by which the signals were weighed."""
    models: Mapping[Name, Text]
    """SHA-256 of each model's first published file."""
    source: Text
    """Name of the folder, or the rig."""
    seeds: Text
    """First and last seed of rendered captures, or `none`."""
    people: Text
    """Where sitters come from, without a name."""
    date: Text
    """Day of the evaluation, ISO 8601."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class JudgedCaptures:
    """A file of judged captures."""

    schema: Literal["chinhchu-pad-captures-1"]
    simulated: bool
    provenance: Provenance
    captures: tuple[JudgedCapture, ...]


def signal_record(signal: Signal) -> JudgedSignal:
    """Return what a signal says, without its measurements."""
    return JudgedSignal(
        method=signal.method.id,
        version=signal.method.version,
        result=signal_result(signal.result),
        reasons=distinct(finding.reason for finding in signal.findings),
        score=_finite(signal.score),
    )


def signal_result(result: CheckResult) -> ResultName:
    """Return a check's result by name; a signal is always supported."""
    if result is CheckResult.OK:
        return "ok"
    return "failed" if result is CheckResult.FAILED else "not_performed"


def of_verdict(
    verdict: LivenessVerdict,
    *,
    species: str,
    item: str,
    simulated: bool,
    without_light: bool,
) -> JudgedCapture:
    """Return what a verdict says, without its measurements."""
    return JudgedCapture(
        species=species,
        item=item,
        unit="liveness",
        simulated=simulated,
        outcome=verdict.outcome.value,
        reasons=verdict.reasons,
        signals=tuple(signal_record(signal) for signal in verdict.signals),
        score=_finite(verdict.score),
        scores={},
        frames=verdict.frames,
        without_light=without_light,
    )


def dump_judged(judged: JudgedCaptures) -> bytes:
    """Return the file."""
    record: dict[str, Any] = TypeAdapter(JudgedCaptures).dump_python(judged, mode="json")
    captures = ",\n".join(
        "    " + json.dumps(capture, ensure_ascii=False) for capture in record.pop("captures")
    )
    head = json.dumps(record, indent=2, ensure_ascii=False).removesuffix("\n}")
    return f'{head},\n  "captures": [\n{captures}\n  ]\n}}\n'.encode()


def load_judged(data: bytes) -> JudgedCaptures:
    """Parse and check a file of judged captures.

    Raises:
        PadDataInvalidError: too large, not JSON, or anything missing, unknown or out of range.
    """
    if len(data) > MAX_FILE_BYTES:
        raise PadDataInvalidError(f"the file is larger than {MAX_FILE_BYTES >> 20} MiB")
    try:
        judged = TypeAdapter(JudgedCaptures).validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "its start"
        raise PadDataInvalidError(
            f"the judged captures are invalid at {place}: {first['msg']}"
        ) from error
    if judged.simulated is not any(capture.simulated for capture in judged.captures):
        raise PadDataInvalidError("the file does not say rightly what was simulated")
    return judged


def species_of(captures: Sequence[JudgedCapture]) -> list[str]:
    """Return the PAI species, by name."""
    return sorted({capture.species for capture in captures} - {BONA_FIDE})


def _finite(score: float | None) -> float | None:
    return None if score is None or not math.isfinite(score) else round(float(score), 6)
