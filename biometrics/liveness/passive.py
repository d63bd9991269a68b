"""Passive presentation-attack detection: one signal, which can refuse but never accept.

Neither model supports a claim under ISO/IEC 30107-3; see models/minifasnet-v2.md.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from statistics import fmean, median
from typing import Final

import cv2
import numpy as np

from biometrics.manifest import Manifest
from biometrics.onnx import Model, open_model
from biometrics.types import Box, CheckResult, Face, FloatArray, Image, Method, Outcome, PadVerdict
from biometrics.weights.errors import FETCH_COMMAND, ModelMissingError

MIN_CONTEXT: Final = 2.0
"""The frame must hold this many face boxes in width and height. Source: models/minifasnet-v2.md."""
MIN_COLOUR: Final = 4.0
"""Mean spread of the colour channels, in gray levels, that a face in colour exceeds: skin by tens,
sensor noise on a colourless picture by less than one. Source: models/minifasnet-v2.md."""
BONA_FIDE: Final = "bona-fide"
DECIDING: Final = ("minifasnet-v2", "minifasnet-v1se")
"""fr-liveness is too weak to decide alone. Source: models/fr-liveness.md."""


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
        crop = crop_with_context(image, box, contract.crop_scale)
        crop = np.asarray(cv2.resize(crop, (contract.width, contract.height)), dtype=np.uint8)
        (output,) = model.run(crop.transpose(2, 0, 1)[None].astype(np.float32)).values()
        values = _softmax(output[0]) if self.logits else output[0]
        return float(values[self.bona_fide_class])


class PassivePad:
    """The methods whose weights are installed; the first decides."""

    def __init__(self, methods: tuple[PadMethod, ...], lack: str = "") -> None:
        self._methods = methods
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
        methods = [PadMethod("minifasnet", models, bona_fide_class=1, logits=False)]
        with suppress(ModelMissingError):  # it only adds a score
            models = (open_model(manifest, "fr-liveness"),)
            methods.append(PadMethod("fr-liveness", models, bona_fide_class=0, logits=True))
        return cls(tuple(methods))

    def evaluate(self, sightings: Iterable[tuple[Image, Face]]) -> PadVerdict:
        """Judge pictures of one face.

        Frames with too little around the face, and frames without colour, are outside what the
        models know and are left out; if none remains, the check is not performed. The median over
        the frames of the first method decides.
        """
        if not self._methods:
            return _not_performed("pad-model-missing")
        scores: dict[str, list[float]] = {method.id: [] for method in self._methods}
        frames, unfit = 0, "pad-context-missing"
        for image, face in sightings:
            if not has_context(image, face.box):
                continue
            if not has_colour(image, face.box):
                unfit = "pad-colour-missing"
                continue
            frames += 1
            for method in self._methods:
                scores[method.id].append(method.score(image, face.box))
        if not frames:
            return _not_performed(unfit)
        medians = {name: median(values) for name, values in scores.items()}
        decisive = self._methods[0]
        bona_fide = medians[decisive.id] >= decisive.threshold
        return PadVerdict(
            result=CheckResult.OK if bona_fide else CheckResult.FAILED,
            outcome=Outcome.PASSED if bona_fide else Outcome.FAILED,
            reasons=() if bona_fide else ("pad-attack-suspected",),
            methods=tuple(method.method for method in self._methods),
            frames_used=frames,
            scores=medians,
        )


def has_context(image: Image, box: Box) -> bool:
    """Return whether the frame shows enough around the face for these models."""
    height, width = image.shape[:2]
    return bool(width >= MIN_CONTEXT * box.width and height >= MIN_CONTEXT * box.height)


def has_colour(image: Image, box: Box) -> bool:
    """Return whether the face is in colour: black-and-white and infrared cameras show gray."""
    patches = cv2.resize(crop_with_context(image, box, 1.0), (16, 16), interpolation=cv2.INTER_AREA)
    return float(np.ptp(patches, axis=2).mean()) >= MIN_COLOUR


def crop_with_context(image: Image, box: Box, scale: float) -> Image:
    """Return the square of `scale` x the face box, made smaller and moved to stay in the frame."""
    height, width = image.shape[:2]
    side = min(box.side * scale, width, height)
    cx, cy = box.center
    x = round(min(max(cx - side / 2, 0), width - side))
    y = round(min(max(cy - side / 2, 0), height - side))
    return image[y : y + max(1, int(side)), x : x + max(1, int(side))]


def _not_performed(reason: str) -> PadVerdict:
    return PadVerdict(CheckResult.NOT_PERFORMED, Outcome.INDETERMINATE, (reason,), (), 0, {})


def _softmax(logits: FloatArray) -> FloatArray:
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum(), dtype=np.float32)
