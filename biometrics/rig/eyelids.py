"""Close the eyes of a picture: the upper lid's skin is drawn over the eye."""

from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np

from biometrics.landmarks import LEFT_EYE, RIGHT_EYE
from biometrics.types import FloatArray, Image

CREASE: Final = 1.0
"""How far above the upper rim the skin begins to stretch, in heights of the open eye."""
LOWER_LID: Final = 0.12
"""How far the lower lid rises when the eye closes, in the same."""
MARGIN_PX: Final = 10


@dataclass(frozen=True)
class Eyelids:
    """One eye's rims in the scene, column by column."""

    left: int
    top: int
    upper: FloatArray = field(repr=False)
    """Height of the upper rim in each column of the patch, in the scene's pixels."""
    lower: FloatArray = field(repr=False)
    bottom: int

    @classmethod
    def of_both(cls, points: FloatArray) -> "tuple[Eyelids, Eyelids]":
        """Return the right eye's and the left eye's, from a mesh in the scene's pixels."""
        return cls._of(points[list(RIGHT_EYE), :2]), cls._of(points[list(LEFT_EYE), :2])

    @classmethod
    def _of(cls, rim: FloatArray) -> "Eyelids":
        upper, lower = rim[:9], np.vstack([rim[8:], rim[:1]])
        columns = np.arange(np.floor(rim[:, 0].min()), np.ceil(rim[:, 0].max()) + 1)
        rims = []
        for side in (upper, lower):
            ordered = side[np.argsort(side[:, 0])]
            rims.append(np.interp(columns, ordered[:, 0], ordered[:, 1]).astype(np.float32))
        height = float((rims[1] - rims[0]).max())
        return cls(
            left=int(columns[0]),
            top=int(rims[0].min() - CREASE * height) - MARGIN_PX,
            upper=np.minimum(*rims),
            lower=np.maximum(*rims),
            bottom=int(rims[1].max()) + MARGIN_PX,
        )

    @property
    def place(self) -> tuple[slice, slice]:
        """Return rows and columns of the patch in the scene."""
        return slice(self.top, self.bottom), slice(self.left, self.left + len(self.upper))

    def close(self, scene: Image, openness: float) -> Image:
        """Return the patch with the eye as open as said, 0-1."""
        rows, columns = np.mgrid[self.place].astype(np.float32)
        height = self.lower - self.upper
        tallest = max(float(height.max()), 1.0)
        shut = np.float32(1 - openness)
        crease = self.upper - CREASE * tallest
        rim = self.upper + shut * height * (1 - LOWER_LID * shut)
        lower = self.lower - shut * LOWER_LID * height
        on_lid = (rows > crease) & (rows <= rim)
        stretched = crease + (rows - crease) * (self.upper - crease) / (rim - crease)
        end = self.lower + tallest
        below = (rows > np.maximum(lower, rim)) & (rows < end)
        risen = end - (end - rows) * (end - self.lower) / (end - lower)
        source = np.where(on_lid, stretched, np.where(below, risen, rows))
        return np.asarray(
            cv2.remap(scene, columns, source.astype(np.float32), cv2.INTER_LINEAR), dtype=np.uint8
        )
