"""The colours of face and background in one frame."""

from dataclasses import dataclass, field

from biometrics.types import FloatArray


@dataclass(frozen=True)
class FrameColours:
    """What light reached face and background."""

    face_bgr: FloatArray = field(repr=False)
    """3 values, 0-255: mean of the skin between eyes and mouth (cheeks, nose bridge, forehead)."""
    background_bgr: FloatArray = field(repr=False)
    """3 values, 0-255: mean of the frame away from head and body; NaN where there is none."""
    clipped: float
    """Part of the face's pixels with a channel at 250 or above, 0-1."""
    dark: float
    """Part of the face's pixels with all channels at 20 or below, 0-1."""
