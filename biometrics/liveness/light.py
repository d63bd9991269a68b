"""Tell whether the face answers the coloured light of the screen.

What is compared is chromaticity, the logarithm of each channel without their mean, so that neither
exposure nor shadow counts; slot by slot, so that a slot is one sample however many frames show it.
Trends over time, with the head's turn and with its distance are taken out of light and face alike.
Where daylight or exposure hides the screen's light, nothing is judged.

Known limits: paper reflects the screen's light as skin does. Light that an attacker renders into
the face alone, from the challenge and in time, is not told from the real one.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from biometrics.challenge import Colour, LightPattern
from biometrics.liveness.capture import Observation, Sighting
from biometrics.liveness.findings import Finding, adverse, unclear
from biometrics.liveness.signal import Signal
from biometrics.types import Method

METHOD: Final = Method("screen-light", "1")

EMITTED_BGR: Final = {
    Colour.RED: (0.0, 0.0, 1.0),
    Colour.GREEN: (0.0, 1.0, 0.0),
    Colour.BLUE: (1.0, 0.0, 0.0),
    Colour.WHITE: (1.0, 1.0, 1.0),
}
CHROMA: Final = np.array([[1, -1, 0], [1, 1, -2]], dtype=np.float64).T / np.sqrt([2, 6])
"""3 x 2: two directions in which channels differ, at right angles to brightness."""

LAGS_MS: Final = tuple(range(0, 401, 50))
"""From the page's clock to the frame's: drawing, exposure, transport."""
SETTLING_MS: Final = 60
"""Frames so soon after a change of colour show both."""
MAX_CLIPPED: Final = 0.2
MAX_DARK: Final = 0.5
MIN_USABLE: Final = 0.7
"""So many of the frames must show a face well exposed, or nothing is judged."""
MIN_SLOTS: Final = 9
MIN_FRAMES_A_SLOT: Final = 2
TRENDS: Final = 5
"""Level, slope and bend over time, the head's turn, its distance."""
BACKGROUND_BGR: Final = (10.0, 245.0)
"""Outside, the logarithm of a background's colour follows noise or clipping."""

CONFIDENCE: Final = 1.645
"""Standard errors to a bound of 95 % on one side."""
FOLLOWS: Final = 0.3
"""The correlation's lower bound from which the face follows the light: sequences drawn anew, lag
searched, reach it in 1 of 100. Source: tests/unit/liveness_light (simulated)."""
OTHER: Final = 0.7
"""The upper bound below which a light that changes with the slots is another one than ours."""
MIN_MODULATION: Final = 0.03
"""Change of log chromaticity from slot to slot that is a light's, not noise or a shadow's."""
MAX_BLUR: Final = 0.1
"""Variance within slots, at their best phase by their worst, up to which colours change with the
slots, suddenly; a drifting or flickering ambient light has no such phase."""
BACKGROUND_SHARE: Final = 0.6
"""A wall at twice the distance gets a quarter of the light; a tint over the whole frame colours all
alike; and a tablet, which shines by itself, less than the wall behind it."""


@dataclass(frozen=True)
class _Track:
    """What the usable frames showed, F of them."""

    t_ms: NDArray[np.float64]
    face: NDArray[np.float64]
    """F x 2 log chromaticity."""
    background: NDArray[np.float64] | None
    """As `face`; None where too little is seen of it."""
    pose: NDArray[np.float64]
    """F x 2: the nose's offset and the logarithm of the face's size."""


@dataclass(frozen=True)
class _Fit:
    """How a track answers a pattern at one lag."""

    lag_ms: int
    correlation: float
    amplitude: float
    """Log chromaticity by the pattern's."""
    error: float
    """Standard error of `amplitude`."""
    freedom: int

    def bound(self, side: int) -> float:
        """Return the correlation's lower (-1) or upper (1) bound. Source: Fisher's z."""
        z = math.atanh(min(max(self.correlation, -0.999), 0.999))
        return math.tanh(z + side * CONFIDENCE / math.sqrt(max(self.freedom - 3, 1)))


def judge_light(pattern: LightPattern | None, observations: Sequence[Observation]) -> Signal:
    """Judge whether the face followed the light. The score is the correlation, -1 to 1.

    Args:
        pattern: what the screen showed; None where the person chose to go without.
        observations: the capture; its first frame is time 0 of the pattern.
    """
    track = _track(observations) if pattern is not None else None
    if pattern is None or track is None:
        return Signal(METHOD, (), False, None)
    fits = [fit for lag in LAGS_MS if (fit := _fit(pattern, track, track.face, lag))]
    if not fits:
        return Signal(METHOD, (), False, None)
    best = max(fits, key=lambda fit: fit.correlation)
    measurements = {
        "correlation": best.correlation,
        "amplitude": best.amplitude,
        "lag_ms": float(best.lag_ms),
    }
    if best.bound(-1) >= FOLLOWS:
        findings = tuple(_check_background(pattern, track, best, measurements))
        return Signal(METHOD, findings, True, best.correlation, measurements)
    measurements["modulation"] = _modulation(pattern, track)
    if measurements["modulation"] < MIN_MODULATION:
        return Signal(METHOD, (), False, None, measurements)
    of_another = best.bound(1) < OTHER
    finding = adverse("pad-light-mismatch") if of_another else unclear("pad-light-uncertain")
    return Signal(METHOD, (finding,), True, best.correlation, measurements)


def _track(observations: Sequence[Observation]) -> _Track | None:
    """Return what the well exposed frames show; None if they are too few."""
    seen = [(o.t_ms, s) for o in observations if (s := o.sighting)]
    usable = [(t_ms, s) for t_ms, s in seen if math.isfinite(t_ms) and _is_well_exposed(s)]
    if len(usable) < MIN_SLOTS * MIN_FRAMES_A_SLOT or len(usable) < MIN_USABLE * len(observations):
        return None
    behind = np.array([s.colours.background_bgr for _, s in usable], dtype=np.float64)
    low, high = BACKGROUND_BGR
    judged = (behind >= low).all(axis=1) & (behind <= high).all(axis=1)
    return _Track(
        t_ms=np.array([t_ms for t_ms, _ in usable]) - observations[0].t_ms,
        face=_chroma(np.array([s.colours.face_bgr for _, s in usable], dtype=np.float64)),
        background=_chroma(behind) if judged.all() else None,
        pose=np.array([(s.nose_offset, math.log(s.mesh.eye_corner_px)) for _, s in usable]),
    )


def _is_well_exposed(sighting: Sighting) -> bool:
    colours, size_px = sighting.colours, sighting.mesh.eye_corner_px
    return (
        colours.clipped <= MAX_CLIPPED
        and colours.dark <= MAX_DARK
        and bool(((colours.face_bgr >= 1) & (colours.face_bgr <= 255)).all())
        and math.isfinite(sighting.nose_offset)
        and 0 < size_px < math.inf
    )


def _chroma(bgr: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.log(np.maximum(bgr, 1.0)) @ CHROMA)


def _slots(pattern: LightPattern, t_ms: NDArray[np.float64], lag_ms: int) -> NDArray[np.intp]:
    """Return each frame's place in the pattern, -1 where it lies outside or is settling."""
    slot, phase = np.divmod(t_ms - lag_ms, pattern.slot_ms)
    inside = (slot >= 0) & (slot < len(pattern.colours)) & (phase >= SETTLING_MS)
    return np.where(inside, slot, -1).astype(np.intp)


def _by_slot(
    values: NDArray[np.float64], slots: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Return which slots have frames enough, and the means of their F x N values."""
    kept = np.flatnonzero(np.bincount(slots[slots >= 0]) >= MIN_FRAMES_A_SLOT)
    return kept, np.array([values[slots == k].mean(axis=0) for k in kept])


def _fit(
    pattern: LightPattern, track: _Track, values: NDArray[np.float64], lag_ms: int
) -> _Fit | None:
    """Return how the F x 2 values answer the pattern; None if too few slots are seen."""
    columns = np.column_stack([values, track.t_ms, track.pose])
    kept, means = _by_slot(columns, _slots(pattern, track.t_ms, lag_ms))
    if len(kept) < MIN_SLOTS:
        return None
    light = np.array([EMITTED_BGR[pattern.colours[k]] for k in kept]) @ CHROMA
    trends = _trends(means[:, 2], means[:, 3:])
    x, y = _without(trends, light).ravel(), _without(trends, means[:, :2]).ravel()
    freedom = 2 * (len(kept) - TRENDS) - 1
    power, answer = float(x @ x), float(y @ y)
    if power <= 0 or answer <= 0:
        return None
    amplitude = float(x @ y) / power
    rest = max(answer - amplitude**2 * power, 0.0)
    error = math.sqrt(rest / freedom / power)
    return _Fit(lag_ms, float(x @ y) / math.sqrt(power * answer), amplitude, error, freedom)


def _trends(t_ms: NDArray[np.float64], pose: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an orthonormal basis of what may change colours slowly, or with the head."""
    t = (t_ms - t_ms.mean()) / max(float(np.ptp(t_ms)), 1.0)
    columns = np.column_stack([np.ones_like(t), t, t * t, pose - pose.mean(axis=0)])
    basis, weights, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(basis[:, weights > 1e-6 * weights[0]])


def _without(basis: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(values - basis @ (basis.T @ values))


def _modulation(pattern: LightPattern, track: _Track) -> float:
    """Return the change from slot to slot of a light that changes with slots of this length.

    Whatever its sequence and phase; 0 for one that does not keep to such slots. Half of the slots
    must show it, so that one lamp switched on is none.
    """
    within, between = [], []
    for phase_ms in range(0, pattern.slot_ms, 50):
        slots = _slots(pattern, track.t_ms, phase_ms)
        kept, means = _by_slot(track.face, slots)
        if len(kept) < MIN_SLOTS:
            return 0.0
        own = [track.face[slots == k] - mean for k, mean in zip(kept, means, strict=True)]
        spread = sum(float((part**2).sum()) for part in own)
        within.append(spread / sum(len(part) - 1 for part in own))
        steps = np.linalg.norm(np.diff(means, axis=0), axis=1)
        between.append(float(np.median(steps)))
    best = int(np.argmin(within))
    return between[best] if within[best] <= MAX_BLUR * max(within) else 0.0


def _check_background(
    pattern: LightPattern, track: _Track, face: _Fit, measurements: dict[str, float]
) -> Iterator[Finding]:
    """Find a light that colours what is behind the person as much as the person."""
    if track.background is None:
        return
    behind = _fit(pattern, track, track.background, face.lag_ms)
    if behind is None:
        return
    share = measurements["background_share"] = behind.amplitude / face.amplitude
    if share >= BACKGROUND_SHARE and behind.amplitude > CONFIDENCE * behind.error:
        yield unclear("pad-light-on-background")
