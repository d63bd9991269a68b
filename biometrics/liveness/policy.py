"""How the signals are weighed: the file that `chinhchu calibrate-pad` writes.

Each signal's score becomes a natural-log likelihood ratio by a straight line, within `CLIP`; their
sum must reach the threshold. The file holds numbers and digests only, and says what they came from.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import (
    ConfigDict,
    Field,
    FiniteFloat,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    TypeAdapter,
    ValidationError,
)
from pydantic.dataclasses import dataclass

from biometrics.errors import BiometricsError
from biometrics.manifest import Manifest, Name, Sha256, Text, manifest_path
from biometrics.types import Method

MAX_POLICY_BYTES: Final = 1 << 18
SCHEMA: Final = "chinhchu-pad-policy-1"
CLIP: Final = 4.0
"""Nats, either way: no single signal may outvote what all others say."""

Rate = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)


class PadPolicyInvalidError(BiometricsError):
    """A policy file is malformed or contradicts itself."""

    code: ClassVar[str] = "pad-policy-invalid"


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class SignalWeight:
    """How one signal's score becomes a likelihood ratio."""

    version: Text
    """Of the method whose scores this was made with."""
    scale: PositiveFloat
    """Nats that one unit of the score adds."""
    offset: FiniteFloat
    bona_fide: PositiveInt
    """Captures that had a score, of living people and of attacks."""
    attacks: PositiveInt
    cllr: NonNegativeFloat
    """Cost of this signal's ratios on the calibration data, in bits; 1 says nothing."""

    def llr(self, score: float) -> float:
        """Return the natural-log likelihood ratio of a score, within `CLIP` either way.

        A score that is no finite number is the worst: it must not buy silence.
        """
        if not math.isfinite(score):
            return -CLIP
        return min(max(self.scale * score + self.offset, -CLIP), CLIP)


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class PolicyRun:
    """One evaluation whose scores were calibrated on."""

    report_sha256: Sha256
    """Digest of its report.json."""
    simulated: bool
    seeds: Text
    """Seeds of the rig, as `first-last`; `none` where nothing was rendered."""
    people: Text
    """Where the sitters came from: name and folds of the list, without folders."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class PolicyPoint:
    """What the threshold promises, and what was seen there on the calibration data."""

    apcer: Annotated[float, Field(gt=0, lt=1)]
    """The promise, for every species but the uncovered: the one-sided 95 % upper limit of its APCER
    under the whole rule lies at or below, where the data are enough to show it."""
    shown: bool
    """False where even an error-free run of so few captures would not show it."""
    worst_species: Name
    """Of those that are covered."""
    apcer_seen: Rate
    apcer_upper: Rate
    uncovered: Mapping[Name, Rate]
    """Species that no threshold refuses without refusing people, with the APCER seen: other
    measures must stand against them."""
    bpcer_seen: Rate
    """Part of the bona fide captures that the sum alone refuses."""
    bpcer_upper: Rate


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class PadPolicy:
    """A whole policy file."""

    schema: Literal["chinhchu-pad-policy-1"]
    created_by: Text
    """The command, without folders."""
    simulated: bool
    """Whether any capture was rendered: then the figures are no evidence about people."""
    runs: Annotated[tuple[PolicyRun, ...], Field(min_length=1, max_length=64)]
    bona_fide: PositiveInt
    """Captures of living people."""
    attacks: Mapping[Name, PositiveInt]
    """Captures of each species."""
    signals: Mapping[Name, SignalWeight]
    unweighed: Mapping[Name, Text]
    """Signals that add nothing, each with the reason."""
    threshold: FiniteFloat
    """Natural-log likelihood ratio that the sum must reach."""
    point: PolicyPoint

    def llr(self, method: str, score: float | None) -> float:
        """Return what a score adds to the sum, in nats, within `CLIP` either way.

        A signal that was not performed, or that the policy does not weigh, adds nothing.

        Args:
            method: id of the signal's method.
            score: its score.
        """
        weight = self.signals.get(method)
        return 0.0 if weight is None or score is None else weight.llr(score)

    def is_of_another_version(self, method: Method) -> bool:
        """Return whether the policy weighs scores of another version of a method: other scores."""
        weight = self.signals.get(method.id)
        return weight is not None and weight.version != method.version


def open_pad_policy(manifest: Manifest) -> PadPolicy:
    """Return the policy that the manifest names.

    Raises:
        PadPolicyInvalidError: it names none, or the file is missing, changed or malformed.
    """
    named = manifest.pad_policy
    if named is None:
        raise PadPolicyInvalidError(
            "the manifest names no PAD policy: make one with `chinhchu calibrate-pad`"
        )
    path = manifest_path().parent / "calibrations" / named.name
    try:
        with path.open("rb") as file:
            data = file.read(MAX_POLICY_BYTES + 1)
    except OSError as error:
        raise PadPolicyInvalidError(f"cannot read {path}: {error.strerror}") from None
    if hashlib.sha256(data).hexdigest() != named.sha256:
        raise PadPolicyInvalidError(f"{path} is not the file that the manifest names")
    return load_pad_policy(data)


def load_pad_policy(data: bytes) -> PadPolicy:
    """Parse and check the bytes of a policy file.

    Raises:
        PadPolicyInvalidError: too large, not JSON, a key twice, anything missing, unknown or out of
            range, or parts that contradict one another.
    """
    if len(data) > MAX_POLICY_BYTES:
        raise PadPolicyInvalidError(f"the PAD policy is larger than {MAX_POLICY_BYTES >> 10} KiB")
    try:
        # Parsed here first: pydantic's own parser takes the last of two equal keys in silence.
        json.loads(data, object_pairs_hook=_unique_keys)
        policy = TypeAdapter(PadPolicy).validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "its start"
        raise PadPolicyInvalidError(
            f"the PAD policy is invalid at {place}: {first['msg']}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise PadPolicyInvalidError("the PAD policy is not JSON") from error
    _check_consistency(policy)
    return policy


def dump_pad_policy(policy: PadPolicy) -> bytes:
    """Return the policy file: the same policy gives the same bytes.

    Raises:
        PadPolicyInvalidError: parts contradict one another.
    """
    _check_consistency(policy)
    record: dict[str, Any] = TypeAdapter(PadPolicy).dump_python(policy, mode="json")
    return (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode()


def _unique_keys(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise PadPolicyInvalidError("the PAD policy names a key twice")
    return record


def _check_consistency(policy: PadPolicy) -> None:
    """Check what no single field can say."""
    if not policy.signals:
        raise PadPolicyInvalidError("the PAD policy weighs no signal")
    both = policy.signals.keys() & policy.unweighed.keys()
    if both:
        raise PadPolicyInvalidError(f"the PAD policy both weighs {min(both)} and does not")
    point = policy.point
    if not {point.worst_species, *point.uncovered} <= policy.attacks.keys():
        raise PadPolicyInvalidError("the PAD policy speaks of a species that was not tried")
    if point.worst_species in point.uncovered and point.shown:
        raise PadPolicyInvalidError("the PAD policy promises a rate for no species")
    if point.shown and not point.apcer_seen <= point.apcer_upper <= point.apcer:
        raise PadPolicyInvalidError("the PAD policy promises a rate that its data do not show")
    if policy.simulated is not any(run.simulated for run in policy.runs):
        raise PadPolicyInvalidError("the PAD policy does not say rightly what was simulated")
    if not abs(policy.threshold) <= CLIP * len(policy.signals):
        raise PadPolicyInvalidError("the PAD policy's threshold is one that no capture can reach")
