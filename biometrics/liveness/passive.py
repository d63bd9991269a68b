"""Passive presentation-attack detection: one signal, which never suffices to accept.

No model here supports a claim under ISO/IEC 30107-3: at the threshold where they miss one attack in
five they suspect one honest person in five (models/minifasnet-v2.md). So in a capture that answers
a challenge they are no veto: a suspicion weighs in the sum of the signals, and is not *ok*, without
which the published levels above `basic` are out of reach. Pictures alone they refuse.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Final

import cv2
import numpy as np

from biometrics.liveness.findings import Finding, unclear
from biometrics.liveness.signal import Signal
from biometrics.manifest import Manifest
from biometrics.onnx import Model, open_model
from biometrics.types import Box, CheckResult, Face, FloatArray, Image, Method, Outcome, PadVerdict
from biometrics.weights.errors import FETCH_COMMAND, ModelMissingError

MIN_FRAMES: Final = 5
"""So many frames of a capture are judged at least: a single score strays."""
MAX_FRAMES: Final = 24
"""More frames than this add time and no certainty."""
MIN_CONTEXT: Final = 2.0
"""The frame must hold this many face boxes in width and height. Source: models/minifasnet-v2.md."""
MIN_COLOUR: Final = 4.0
"""Mean spread of the colour channels, in gray levels, that a face in colour exceeds: skin by tens,
sensor noise on a colourless picture by less than one. Source: models/minifasnet-v2.md."""
LEAST_PROBABILITY: Final = 1e-3
"""Surer than this the models are of real people as well as of attacks; bounds the log-odds."""
BONA_FIDE: Final = "bona-fide"
METHOD: Final = "minifasnet"
DECIDING: Final = ("minifasnet-v2", "minifasnet-v1se")
"""fr-liveness is too weak to decide alone. Source: models/fr-liveness.md."""
MODEL_MISSING: Final = "pad-model-missing"


@dataclass(frozen=True)
class PadMethod:
    """Models whose scores are averaged to one PadScore."""

    id: str
    models: tuple[Model, ...]
    bona_fide_class: int
    logits: bool
    """True if the output needs a softmax."""

    @property
    def method(self) -> Method:
        """Return how the assertion names the method: its version is of the weights' digests."""
        digests = (model.entry.files[0].sha256[:12] for model in self.models)
        return Method(self.id, "+".join(digests))

    @property
    def threshold(self) -> float:
        """Return the PadScore below which an attack is suspected, the strictest of its models."""
        return max(model.entry.threshold(BONA_FIDE) for model in self.models)

    def score(self, image: Image, box: Box) -> float:
        """Return the PadScore of one face, 0-1, higher is more likely bona fide."""
        return fmean(self._probability(model, image, box) for model in self.models)

    def _probability(self, model: Model, image: Image, box: Box) -> float:
        contract = model.entry.input
        cut = crop_square if contract.crop == "square" else crop_with_context
        crop = cv2.resize(cut(image, box, contract.crop_scale), (contract.width, contract.height))
        tensor = np.asarray(crop, dtype=np.float32).transpose(2, 0, 1)[None]
        (output,) = model.run(tensor).values()
        values = _softmax(output[0]) if self.logits else output[0]
        return float(values[self.bona_fide_class])


@dataclass(frozen=True)
class FrameScores:
    """What the methods say of one frame."""

    scores: Mapping[str, float] = field(repr=False)
    """PadScore a method id; empty where the frame is none that they can judge."""
    unfit: str | None = None
    """Reason code of why they cannot."""


class PassivePad:
    """The methods whose weights are installed; the first decides. Shared between captures."""

    def __init__(self, methods: tuple[PadMethod, ...], lack: str = "") -> None:
        self.methods = methods
        self.lack = lack
        """Why the check is never performed here, and what to do about it; empty if it is."""

    @classmethod
    def open(cls, manifest: Manifest) -> "PassivePad":
        """Load what is installed; without the deciding weights the check is not performed.

        Raises:
            DigestMismatchError, ModelUnusableError: installed weights are not what they should be.
        """
        try:
            models = tuple(open_model(manifest, name) for name in DECIDING)
        except ModelMissingError:
            lack = (
                f"the optional models {' and '.join(DECIDING)} are not both installed, so nothing "
                f"looks for prints and screens; run: {FETCH_COMMAND} {' '.join(DECIDING)}"
            )
            return cls((), lack)
        methods = [PadMethod(METHOD, models, bona_fide_class=1, logits=False)]
        with suppress(ModelMissingError):  # it only adds a score
            models = (open_model(manifest, "fr-liveness"),)
            methods.append(PadMethod("fr-liveness", models, bona_fide_class=0, logits=True))
        return cls(tuple(methods))

    def score(self, image: Image, face: Face) -> FrameScores:
        """Return what the methods say of one face, if the frame is one that they know.

        Frames with too little around the face, and frames without colour, are not.
        """
        if not has_context(image, face.box):
            return FrameScores({}, "pad-context-missing")
        if not has_colour(image, face.box):
            return FrameScores({}, "pad-colour-missing")
        return FrameScores(self.raw_scores(image, face))

    def raw_scores(self, image: Image, face: Face) -> dict[str, float]:
        """Return each method's PadScore of a face, whether or not it knows such frames."""
        return {method.id: method.score(image, face.box) for method in self.methods}

    def evaluate(self, sightings: Iterable[tuple[Image, Face]]) -> PadVerdict:
        """Judge pictures of one face, be it one only.

        The median of the first method over the frames that it can judge decides, `frames_used` says
        how many they are; if there is none, the check is not performed.
        """
        if not self.methods:
            return _not_performed(MODEL_MISSING)
        frames = [self.score(image, face) for image, face in sightings]
        medians, used = _medians(frames)
        if not used:
            return _not_performed(_unfit(frames))
        decisive = self.methods[0]
        bona_fide = medians[decisive.id] >= decisive.threshold
        return PadVerdict(
            result=CheckResult.OK if bona_fide else CheckResult.FAILED,
            outcome=Outcome.PASSED if bona_fide else Outcome.FAILED,
            reasons=() if bona_fide else ("pad-attack-suspected",),
            methods=tuple(method.method for method in self.methods),
            frames_used=used,
            scores=medians,
        )


class PassiveWatch:
    """Scores some frames of one capture while they arrive. Not to be shared between threads."""

    def __init__(self, pad: PassivePad) -> None:
        self._pad = pad
        self._frames: list[FrameScores] = []

    def see(self, image: Image, face: Face) -> None:
        """Score one frame; those beyond `MAX_FRAMES` are not looked at."""
        if self._pad.methods and len(self._frames) < MAX_FRAMES:
            self._frames.append(self._pad.score(image, face))

    def judge(self) -> Signal:
        """Judge the frames seen so far."""
        return judge_passive(self._pad.methods, self._frames)


def judge_passive(methods: Sequence[PadMethod], frames: Sequence[FrameScores]) -> Signal:
    """Judge a capture by the median PadScore of at least `MIN_FRAMES` frames.

    Args:
        methods: the first decides, the others are measured only.
        frames: what they say of frames of one capture.

    Returns:
        A signal whose score is the log-odds (nats) of the first method's median PadScore, at most
        log(1/`LEAST_PROBABILITY` - 1) either way; inconclusive below its operating point. Unclear
        are `pad-too-few-frames` and, where that is why there are too few, `pad-context-missing` and
        `pad-colour-missing`. No finding where no model is installed: that is the operator's choice,
        not the capture's fault.
    """
    if not methods:
        return _signal(Method(METHOD, "not-installed"), performed=False)
    medians, used = _medians(frames)
    measurements = {"frames": float(used), "frames_unfit": float(len(frames) - used)} | medians
    method = methods[0]
    if used < MIN_FRAMES:
        lack = _unfit(frames) if len(frames) >= MIN_FRAMES else "pad-too-few-frames"
        finding = (unclear(lack),)
        return _signal(method.method, finding, performed=False, measurements=measurements)
    probability = medians[method.id]
    return _signal(
        method.method,
        score=_log_odds(probability),
        measurements=measurements,
        is_conclusive=probability >= method.threshold,
    )


def has_context(image: Image, box: Box) -> bool:
    """Return whether the frame shows enough around the face for these models."""
    height, width = image.shape[:2]
    return bool(width >= MIN_CONTEXT * box.width and height >= MIN_CONTEXT * box.height)


def has_colour(image: Image, box: Box) -> bool:
    """Return whether the face is in colour: black-and-white and infrared cameras show gray."""
    patches = cv2.resize(crop_square(image, box, 1.0), (16, 16), interpolation=cv2.INTER_AREA)
    return float(np.ptp(patches, axis=2).mean()) >= MIN_COLOUR


def crop_square(image: Image, box: Box, scale: float) -> Image:
    """Return the square of `scale` x the face box, made smaller and moved to stay in the frame."""
    height, width = image.shape[:2]
    side = min(box.side * scale, width, height)
    return _crop(image, box, side, side)


def crop_with_context(image: Image, box: Box, scale: float) -> Image:
    """Return `scale` x the face box in its own shape, made smaller and moved to stay in the frame.

    Source: `CropImage` of minivision-ai/Silent-Face-Anti-Spoofing, which the models learned from.
    """
    height, width = image.shape[:2]
    scale = min(scale, width / max(box.width, 1.0), height / max(box.height, 1.0))
    return _crop(image, box, box.width * scale, box.height * scale)


def _crop(image: Image, box: Box, crop_width: float, crop_height: float) -> Image:
    height, width = image.shape[:2]
    cx, cy = box.center
    x = round(min(max(cx - crop_width / 2, 0), width - crop_width))
    y = round(min(max(cy - crop_height / 2, 0), height - crop_height))
    return image[y : y + max(1, int(crop_height)), x : x + max(1, int(crop_width))]


def _medians(frames: Sequence[FrameScores]) -> tuple[dict[str, float], int]:
    """Return each method's median, and over how many frames."""
    judged = [frame.scores for frame in frames if frame.scores]
    names = judged[0] if judged else {}
    return {name: median(scores[name] for scores in judged) for name in names}, len(judged)


def _unfit(frames: Sequence[FrameScores]) -> str:
    """Return why most of the frames that cannot be judged cannot."""
    reasons = [frame.unfit for frame in frames if frame.unfit]
    return max(reasons, key=reasons.count) if reasons else "pad-too-few-frames"


def _signal(
    method: Method,
    findings: tuple[Finding, ...] = (),
    *,
    performed: bool = True,
    score: float | None = None,
    measurements: Mapping[str, float] | None = None,
    is_conclusive: bool = True,
) -> Signal:
    return Signal(
        method=method,
        findings=findings,
        performed=performed,
        score=score,
        measurements=measurements or {},
        is_passive=True,
        is_conclusive=is_conclusive,
    )


def _not_performed(reason: str) -> PadVerdict:
    return PadVerdict(CheckResult.NOT_PERFORMED, Outcome.INDETERMINATE, (reason,), (), 0, {})


def _log_odds(probability: float) -> float:
    if not probability >= 0:  # no number is the worst
        probability = 0.0
    bounded = min(max(probability, LEAST_PROBABILITY), 1 - LEAST_PROBABILITY)
    return math.log(bounded / (1 - bounded))


def _softmax(logits: FloatArray) -> FloatArray:
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum(), dtype=np.float32)
