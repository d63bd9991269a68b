"""Confidence intervals of proportions, and how many errors a promised rate leaves room for."""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Final

CONFIDENCE: Final = 0.95


@dataclass(frozen=True)
class Proportion:
    """`count` of `total` trials, with its two-sided 95 % interval."""

    count: int
    total: int

    def __post_init__(self) -> None:
        if not 0 <= self.count <= self.total:
            raise ValueError(f"{self.count} of {self.total} is no proportion")

    @property
    def value(self) -> float | None:
        """Return the proportion; None without a trial: no trial is no rate."""
        return self.count / self.total if self.total else None

    @property
    def interval(self) -> tuple[float, float]:
        """Return the 95 % interval: Wilson's, or by the rule of three where nothing was seen.

        Source: ISO/IEC 19795-1:2021, annex B (rule of 3); Wilson, 1927.
        """
        if not self.total:
            return 0.0, 1.0
        if self.count in (0, self.total):
            reach = min(1.0, 3 / self.total)
            return (0.0, reach) if self.count == 0 else (1 - reach, 1.0)
        return wilson_interval(self.count, self.total)

    def to_dict(self) -> dict[str, Any]:
        """Return value, interval and counts for JSON."""
        return {
            "value": self.value,
            "interval": list(self.interval) if self.total else None,
            "count": self.count,
            "n": self.total,
        }


def wilson_interval(count: int, total: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the two-sided score interval of a proportion of independent trials.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    p, z2 = count / total, z * z
    center = (p + z2 / (2 * total)) / (1 + z2 / total)
    reach = z / (1 + z2 / total) * math.sqrt(p * (1 - p) / total + z2 / (4 * total * total))
    return max(0.0, center - reach), min(1.0, center + reach)


def upper_limit(count: int, total: int, confidence: float = CONFIDENCE) -> float:
    """Return the exact one-sided upper limit of a proportion: the rate at which so few are rare.

    Source: Clopper and Pearson, 1934. With no error it is 1 - 0.05**(1/n), the rule of three.
    """
    if count >= total:
        return 1.0
    low, high = count / total, 1.0
    for _ in range(200):  # halved until the two ends are neighbouring numbers
        rate = (low + high) / 2
        if not low < rate < high:
            break
        if _chance_of_at_most(count, total, rate) > 1 - confidence:
            low = rate
        else:
            high = rate
    return high


def largest_count(total: int, rate: float, confidence: float = CONFIDENCE) -> int | None:
    """Return how many errors in `total` trials still show, one-sided, a rate of at most `rate`.

    None where not even an error-free run shows it: the rule of three asks for about 3 / rate
    trials. Source: ISO/IEC 19795-1:2021, annex B.
    """
    if total < 1 or _chance_of_at_most(0, total, rate) > 1 - confidence:
        return None
    low, high = 0, total
    while high - low > 1:
        middle = (low + high) // 2
        if _chance_of_at_most(middle, total, rate) <= 1 - confidence:
            low = middle
        else:
            high = middle
    return low


def _chance_of_at_most(count: int, total: int, rate: float) -> float:
    """Return the binomial distribution function, summed from its largest term downwards."""
    if rate <= 0 or count >= total:
        return 1.0
    if rate >= 1:
        return 0.0
    odds = (1 - rate) / rate
    start = min(count, math.floor((total + 1) * rate))  # the mode, or the nearest term to it
    log_term = (
        math.lgamma(total + 1)
        - math.lgamma(start + 1)
        - math.lgamma(total - start + 1)
        + start * math.log(rate)
        + (total - start) * math.log1p(-rate)
    )
    largest = math.exp(log_term)
    chance = term = largest
    for k in range(start, 0, -1):
        term *= k / (total - k + 1) * odds
        chance += term
        if term <= largest * 1e-17:
            break
    term = largest
    for k in range(start, count):
        term *= (total - k) / (k + 1) / odds
        chance += term
        if term <= largest * 1e-17:
            break
    return min(1.0, chance)
