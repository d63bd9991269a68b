"""Frames of a capture as files of a folder, in the order of their names."""

from collections.abc import Sequence
from pathlib import Path

from api.cli.output import number_between, read_input
from api.errors import InputUnusableError

SIMULATED_MARK = "simulated.json"
"""Lies in a folder of rendered frames and says how they were made."""

DEFAULT_FPS = 12.0
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
_FRAME_BYTES = 8 << 20


def frame_paths(folder: Path) -> list[Path]:
    """Return the frames of a folder.

    Raises:
        InputUnusableError: it is no folder, or holds no frame.
    """
    if not folder.is_dir():
        raise InputUnusableError(f"{folder} is not a folder")
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES)
    if not found:
        raise InputUnusableError(f"{folder} holds no JPEG, PNG or WebP frame")
    return found


def read_frames(paths: Sequence[Path], fps: float) -> list[tuple[float, bytes]]:
    """Return each frame with its time in milliseconds since the first.

    Raises:
        InputUnusableError: there are too many, or one cannot be read or is too large.
    """
    from biometrics.liveness.capture import MAX_FRAMES

    if len(paths) > MAX_FRAMES:
        raise InputUnusableError(f"{len(paths)} frames are more than {MAX_FRAMES}")
    return [
        (index * 1000 / fps, read_input(path, _FRAME_BYTES)) for index, path in enumerate(paths)
    ]


def is_simulated(paths: Sequence[Path]) -> bool:
    """Tell whether a frame lies in a folder of rendered ones."""
    return any((path.parent / SIMULATED_MARK).is_file() for path in paths)


def frames_per_second(text: str) -> float:
    """Return the value of `--fps`."""
    return number_between(text, 1, 120)
