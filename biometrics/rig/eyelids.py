"""Close the eyes of a picture: the skin above is drawn over the eye, which leaves a line of lashes.

The mesh model tells closed eyes from open ones by more than their rims, and not in every face; so
there are several ways to close them, from natural to screwed up, and each sitter gets the first
that the model sees well.
"""

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np

from biometrics.landmarks import LEFT_EYE, RIGHT_EYE
from biometrics.types import FloatArray, Image

SMOOTH_PX: Final = 1.5
PAINT_SHADE: Final = 0.95
PAINT_FROM: Final = 0.9
"""The lid's colour is found so far below the eye, in heights of it."""


@dataclass(frozen=True)
class LidStyle:
    """How somebody's eyes look when they are closed; lengths in heights of the open eye."""

    line_at: float
    """Where the lids meet, from the upper lashes (0) to the lower (1)."""
    line: float
    """Thickness of what is left of the eye, in parts of it."""
    lashes: float
    """Height of the upper lashes; the lower are half as high."""
    above: float
    """From where on the skin is drawn down."""
    below: float
    """From where on it is drawn up."""
    paint: float
    """How much the lid has the colour of the skin below the eye, 0-1."""
    shadow: float
    """How dark the line is, 0-1."""
    blur: float
    """Half its width."""
    beside: float
    """How far beside the eye the skin moves along, in its widths."""


STYLES: Final = (
    LidStyle(1.05, 0.13, 0.44, 1.96, 1.24, 0.3, 0.73, 0.28, 0.5),
    LidStyle(0.92, 0.17, 0.44, 1.93, 1.02, 0.6, 0.8, 0.15, 0.3),
    LidStyle(1.48, 0.08, 0.44, 2.83, 2.35, 0.6, 0.74, 0.29, 0.5),
    LidStyle(1.5, 0.09, 0.42, 1.84, 1.81, 0.9, 0.36, 0.12, 0.3),
    LidStyle(1.46, 0.16, 0.31, 1.44, 2.47, 0.9, 0.83, 0.22, 0.5),
    LidStyle(1.16, 0.12, 0.42, 2.52, 2.29, 0.6, 0.35, 0.21, 0.3),
)
"""Two natural ones, then tighter ones, chosen one after another from 1,615 random ones: the least
openness by the mesh is 0.64 in the mean of fifteen pictures of LFW's fold 1 and the five samples,
and below 0.65 in 13 of these 20."""


@dataclass(frozen=True)
class Eyelids:
    """One eye's rims in the scene, column by column, and how its lids close."""

    left: int
    upper: FloatArray = field(repr=False)
    """Height of the upper rim in each column of the patch, in the scene's pixels."""
    lower: FloatArray = field(repr=False)
    moves: FloatArray = field(repr=False)
    """How much each column takes part, 0-1."""
    style: LidStyle

    @classmethod
    def of_both(cls, points: FloatArray, style: LidStyle) -> "tuple[Eyelids, Eyelids]":
        """Return the right eye's and the left eye's, from a mesh in the scene's pixels."""
        right, left = (points[list(rim), :2] for rim in (RIGHT_EYE, LEFT_EYE))
        return cls._of(right, style), cls._of(left, style)

    @classmethod
    def _of(cls, rim: FloatArray, style: LidStyle) -> "Eyelids":
        low, high = np.floor(rim[:, 0].min()), np.ceil(rim[:, 0].max())
        beside = np.round(style.beside * (high - low))
        columns = np.arange(low - beside, high + beside + 1)
        rims = []
        for side in (rim[:9], np.vstack([rim[8:], rim[:1]])):
            ordered = side[np.argsort(side[:, 0])]
            rims.append(np.interp(columns, ordered[:, 0], ordered[:, 1]).astype(np.float32))
        inwards = np.minimum(columns - columns[0], columns[-1] - columns)
        return cls(
            left=int(columns[0]),
            upper=np.minimum(*rims),
            lower=np.maximum(*rims),
            moves=np.clip(inwards / max(beside, 1), 0, 1).astype(np.float32),
            style=style,
        )

    @property
    def _height(self) -> float:
        return max(float((self.lower - self.upper).max()), 1.0)

    @property
    def place(self) -> tuple[slice, slice]:
        """Return rows and columns of the patch in the scene."""
        reach = (1 + self.style.lashes + max(self.style.above, self.style.below)) * self._height
        rows = slice(int(self.upper.min() - reach) - 2, int(self.lower.max() + reach) + 3)
        return rows, slice(self.left, self.left + len(self.upper))

    def close(self, scene: Image, openness: float) -> Image:
        """Return the patch with the eye as open as said, 0-1."""
        style, height = self.style, self._height
        rows, columns = np.mgrid[self.place].astype(np.float32)
        shut = np.float32(1 - openness)
        eye = self.upper - style.lashes * height
        end = self.lower + style.lashes / 2 * height
        line = eye + (end - eye) * style.line_at
        half = (end - eye) * style.line / 2
        shut_eye, shut_end = eye + shut * (line - half - eye), end + shut * (line + half - end)
        top, bottom = eye - style.above * height, end + style.below * height
        source = np.where(
            rows <= shut_eye,
            top + (rows - top) * (eye - top) / (shut_eye - top),
            np.where(
                rows < shut_end,
                eye + (rows - shut_eye) * (end - eye) / (shut_end - shut_eye),
                bottom - (bottom - rows) * (bottom - end) / (bottom - shut_end),
            ),
        )
        source = np.where((rows < top) | (rows > bottom), rows, source)
        source = (source * self.moves + rows * (1 - self.moves)).astype(np.float32)
        patch = cv2.remap(scene, columns, source, cv2.INTER_LINEAR).astype(np.float32)
        inner = np.clip((self.lower - self.upper) / height * 1.5, 0, 1) * shut
        lid = ((rows > eye) & (rows < shut_eye)).astype(np.float32)
        lid = cv2.GaussianBlur(lid, (0, 0), SMOOTH_PX) * style.paint * inner
        middle = eye + shut * (line - eye)
        shadow = style.shadow * np.exp(-(((rows - middle) / (style.blur * height)) ** 2)) * inner
        patch = patch * (1 - lid[..., None]) + self._skin(scene) * lid[..., None]
        return np.asarray((patch * (1 - shadow[..., None])).clip(0, 255), dtype=np.uint8)

    def _skin(self, scene: Image) -> FloatArray:
        row = int(self.lower.max() + PAINT_FROM * self._height)
        skin = scene[row - 3 : row + 4, self.place[1]].reshape(-1, 3).mean(axis=0)
        return np.asarray(skin * PAINT_SHADE, np.float32)
