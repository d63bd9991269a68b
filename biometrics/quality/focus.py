"""Sharpness of the face as the comparison sees it: in the aligned crop, whatever its source."""

from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from biometrics.quality.view import FaceView
from biometrics.types import FloatArray

AnyArray: TypeAlias = NDArray[Any]

BLUR_PX: Final = 9


def sharpness(view: FaceView) -> float:
    """Return how much of the face's detail a further blur takes away, 0-1; higher is sharper.

    What blurring along an axis no longer changes was blurred along it before, by focus, motion or
    enlargement; the worse axis counts. It is a ratio, so neither contrast nor skin matters.

    ISO/IEC 29794-5:2025, 7.3.8, prescribes a trained forest on filter responses; this is Crété-
    Roffet's measure instead, which needs no training.
    Source: Crété et al., "The blur effect", SPIE 6492, 2007.
    """
    gray = view.gray.astype(np.float32)
    inside = view.face_mask[:-1, :-1].astype(np.float32)
    along_y = _detail_lost(gray, cv2.blur(gray, (1, BLUR_PX)), inside, down=True)
    along_x = _detail_lost(gray, cv2.blur(gray, (BLUR_PX, 1)), inside, down=False)
    return min(along_y, along_x)


def _detail_lost(gray: AnyArray, blurred: AnyArray, inside: FloatArray, *, down: bool) -> float:
    before, after = (_steps(picture, down=down) for picture in (gray, blurred))
    lost = np.maximum(before - after, 0)
    return float(np.vdot(lost, inside) / max(float(np.vdot(before, inside)), 1.0))


def _steps(picture: AnyArray, *, down: bool) -> AnyArray:
    """Return the steps between neighbours, without the last row and column."""
    neighbour = picture[1:, :-1] if down else picture[:-1, 1:]
    steps: AnyArray = np.abs(neighbour - picture[:-1, :-1])
    return steps
