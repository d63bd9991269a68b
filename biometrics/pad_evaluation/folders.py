"""Find the captures of a folder: one folder a species, pictures or folders of frames in it."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from biometrics.challenge import Challenge, ChallengeInvalidError
from biometrics.liveness.capture import MAX_FRAMES
from biometrics.pad_evaluation.errors import PadDataInvalidError
from biometrics.pad_evaluation.judged import BONA_FIDE

BONA_FIDE_NAMES: Final = frozenset({BONA_FIDE, "bona_fide", "bonafide", "real", "live", "genuine"})
ATTACK_NAMES: Final = frozenset({"spoof", "spoofs", "attack", "attacks", "fake", "pai"})
"""Folders that only gather species, or are a species of their own where they hold items."""
SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp", ".jp2"})
CAPTURE_FILE: Final = "capture.json"
SIMULATED_MARK: Final = "simulated.json"
MAX_ITEMS: Final = 100_000
MAX_DEPTH: Final = 4
MAX_CAPTURE_BYTES: Final = 1 << 20


@dataclass(frozen=True)
class FolderItem:
    """One presentation: a picture, or the frames of a capture."""

    species: str
    item: str = field(repr=False)
    """Path below the evaluated folder, with / between folders."""
    paths: tuple[Path, ...] = field(repr=False)
    is_sequence: bool
    folder: Path = field(repr=False)

    @property
    def key(self) -> tuple[str, str]:
        """Return what no other presentation of a run has."""
        return self.species, self.item


@dataclass(frozen=True)
class CaptureNotes:
    """What lies beside the frames of a capture."""

    challenge: Challenge | None
    times_ms: tuple[float, ...] | None
    """None where the frames' times are not known."""
    simulated: bool


def find_items(root: Path) -> list[FolderItem]:
    """Return the presentations below a folder, by species and name.

    `bona-fide`, `real`, `live` or `genuine` holds living people; every other folder is a PAI
    species, `spoof/<species>` too. A folder within is one capture, a picture beside it another
    presentation. A data set's own folder may lie between, as in `set/real` and `set/spoof`: its
    name then goes before the species'.

    Raises:
        PadDataInvalidError: it cannot be read, or holds no presentation or too many.
    """
    try:
        base = root.resolve(strict=True)
        if not base.is_dir():
            raise PadDataInvalidError(f"{root} is not a folder")
        found = []
        for item in _walk(base, base, (), 0):
            found.append(item)
            if len(found) > MAX_ITEMS:
                raise PadDataInvalidError(f"{root} holds more than {MAX_ITEMS} presentations")
    except OSError as error:
        raise PadDataInvalidError(f"{root} cannot be read: {error.strerror}") from error
    if not found:
        raise PadDataInvalidError(
            f"{root} holds no presentation: it must have a folder a species, bona-fide for living "
            "people, with pictures or folders of frames"
        )
    return sorted(found, key=lambda item: (item.species, item.item))


def read_notes(item: FolderItem) -> CaptureNotes:
    """Read what is beside a capture's frames.

    Raises:
        PadDataInvalidError: `capture.json` is malformed, or tells the times of other frames.
    """
    simulated = (item.folder / SIMULATED_MARK).is_file()
    file = item.folder / CAPTURE_FILE
    if not item.is_sequence or not file.is_file():
        return CaptureNotes(None, None, simulated)
    try:
        record = json.loads(_read(file, MAX_CAPTURE_BYTES))
        challenge = Challenge.from_dict(record["challenge"]) if record.get("challenge") else None
        times = tuple(_time(value) for value in record["t_ms"])
        simulated = simulated or record.get("simulated", False) is not False
    except ChallengeInvalidError as error:
        raise PadDataInvalidError(f"{item.item}/{CAPTURE_FILE}: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PadDataInvalidError(f"{item.item}/{CAPTURE_FILE} is malformed") from error
    if len(times) != len(item.paths):
        raise PadDataInvalidError(
            f"{item.item}/{CAPTURE_FILE} has times of {len(times)} frames, but {len(item.paths)} "
            "lie there"
        )
    return CaptureNotes(challenge, times, simulated)


def read_picture(path: Path, limit: int = 32 << 20) -> bytes:
    """Return a picture's bytes.

    Raises:
        PadDataInvalidError: it cannot be read or is too large.
    """
    return _read(path, limit)


def _walk(base: Path, folder: Path, prefix: tuple[str, ...], depth: int) -> Iterator[FolderItem]:
    """Yield the presentations of the species below a folder."""
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or not entry.is_dir():
            continue
        name = _name(entry.name)
        if name in BONA_FIDE_NAMES:
            yield from _items(base, entry, BONA_FIDE)
        elif depth < MAX_DEPTH and _gathers(entry, name):
            inner = prefix if name in ATTACK_NAMES else (*prefix, name)
            yield from _walk(base, entry, inner, depth + 1)
        else:
            yield from _items(base, entry, "-".join((*prefix, name))[:64].strip("-"))


def _gathers(folder: Path, name: str) -> bool:
    """Return whether a folder holds species rather than the presentations of one."""
    below = [path for path in folder.iterdir() if path.is_dir()]
    if not below or _frames(folder):
        return False
    if name in ATTACK_NAMES:
        return not all(_is_capture(path) for path in below)
    return any(_name(path.name) in BONA_FIDE_NAMES | ATTACK_NAMES for path in below)


def _items(base: Path, folder: Path, species: str) -> Iterator[FolderItem]:
    for path in _frames(folder):
        yield FolderItem(species, path.relative_to(base).as_posix(), (path,), False, folder)
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or not entry.is_dir():
            continue
        if paths := _frames(entry):
            name = entry.relative_to(base).as_posix()
            yield FolderItem(species, name, tuple(paths[: MAX_FRAMES + 1]), True, entry)


def _is_capture(folder: Path) -> bool:
    """Return whether a folder of attacks is one capture, not a species: by its notes or number."""
    return folder.name.isdecimal() or (folder / CAPTURE_FILE).is_file()


def _frames(folder: Path) -> Sequence[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )


def _name(name: str) -> str:
    """Return a folder's name as a species is named: lower case, hyphens."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    if not plain:
        raise PadDataInvalidError("a folder's name has no letter or digit to name a species by")
    return plain


def _time(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("a time is a number")
    return float(value)


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise PadDataInvalidError(f"{path.name} cannot be read: {error.strerror}") from error
    if len(data) > limit:
        raise PadDataInvalidError(f"{path.name} is larger than {limit >> 20} MiB")
    return data
