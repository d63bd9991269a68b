"""Simulated captures as folders, DIR/SPECIES/NUMBER/NNNN.jpg, and what was asked for."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.frame_files import SIMULATED_MARK
from api.cli.output import read_input
from api.errors import InputUnusableError

if TYPE_CHECKING:
    from biometrics.challenge import Challenge
    from biometrics.rig import Rig, Species
    from biometrics.types import FrameSample

CAPTURE_FILE = "capture.json"
_JSON_BYTES = 1 << 20


def read_challenge(path: Path) -> "Challenge":
    """Read a challenge from a file: the challenge itself, or an object that holds one.

    The server's answer to the beginning of a capture has it as `challenge`, and so does a rendered
    capture; a session as `capture`.

    Raises:
        InputUnusableError: the file cannot be read or is no JSON.
        ChallengeInvalidError: it holds no challenge.
    """
    from biometrics.challenge import Challenge

    record = _read_json(path)
    for name in ("capture", "challenge"):
        if isinstance(record, dict) and isinstance(record.get(name), dict):
            record = record[name]
    return Challenge.from_dict(record)


def read_times(paths: Sequence[Path]) -> list[float] | None:
    """Return the times of a rendered capture's frames; None where nothing tells them.

    Raises:
        InputUnusableError: what tells them is malformed, or of other frames.
    """
    file = paths[0].parent / CAPTURE_FILE
    if not file.is_file():
        return None
    record = _read_json(file)
    times = record.get("t_ms") if isinstance(record, dict) else None
    if not isinstance(times, list) or len(times) != len(paths):
        raise InputUnusableError(f"{file} does not tell the times of these frames")
    if not all(type(time) in (int, float) and abs(time) < 1e9 for time in times):
        raise InputUnusableError(f"{file} does not tell the times of these frames")
    return [float(time) for time in times]


def render(
    rig: "Rig",
    picture: bytes,
    challenges: "Sequence[tuple[int, Challenge]]",
    species: "Sequence[Species]",
    out: Path,
    *,
    fps: float,
    accomplice: bytes | None = None,
    follow: bool = True,
) -> Iterator[dict[str, Any]]:
    """Write each species' capture for each seed and challenge, and yield what was written.

    Raises:
        InputUnusableError: a file cannot be written.
        ImageError, FaceError: a picture cannot be used.
    """
    from biometrics.rig import contact_sheet, variant_of

    for kind in species:
        for number, (seed, challenge) in enumerate(challenges, 1):
            frames = rig.perform(
                picture,
                challenge,
                species=kind,
                fps=fps,
                seed=seed,
                accomplice=accomplice,
                follow=follow,
            )
            record = {
                "simulated": True,
                "species": kind.value,
                "variant": variant_of(kind, seed),
                "follows": follow,
                "seed": seed,
                "fps": fps,
                "challenge": challenge.to_dict(),
                "t_ms": [frame.t_ms for frame in frames],
            }
            folder = out / kind.value / str(number)
            title = f"SIMULATED  {kind.value} {number}: {record['variant']}"
            sheet = contact_sheet(frames, title)
            try:
                _write(folder, frames, record, sheet)
            except OSError as error:
                reason = error.strerror or "cannot be written"
                raise InputUnusableError(f"{folder}: {reason}") from None
            yield record | {"folder": str(folder), "frames": len(frames)}


def _write(
    folder: Path, frames: "Sequence[FrameSample]", record: dict[str, Any], sheet: Any
) -> None:
    import cv2

    folder.mkdir(parents=True)
    for index, frame in enumerate(frames):
        (folder / f"{index:04d}.jpg").write_bytes(bytes(frame.picture))
    text = json.dumps(record, indent=2)
    (folder / CAPTURE_FILE).write_text(text, encoding="utf-8")
    (folder / SIMULATED_MARK).write_text(text, encoding="utf-8")
    overview = folder.parent.parent / f"{folder.parent.name}-{folder.name}.png"
    overview.write_bytes(cv2.imencode(".png", sheet)[1].tobytes())


def _read_json(path: Path) -> Any:
    try:
        return json.loads(read_input(path, _JSON_BYTES))
    except (ValueError, RecursionError):
        raise InputUnusableError(f"{path} is no JSON") from None
