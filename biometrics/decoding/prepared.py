"""A picture file as the decoder gets it."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class PreparedFile:
    """A file whose structure was checked."""

    data: bytes = field(repr=False)
    """What the decoder needs: the file without its metadata."""
    orientation: int = 1
    """EXIF orientation, 1-8; 1 where there is none or it cannot be read."""
    streamed: bool = False
    """True if the decoder holds a few rows at a time, and so may be given a larger picture."""
