"""Find the pictures of a pair list, and let none lie outside its folder."""

from collections.abc import Sequence
from pathlib import Path, PureWindowsPath
from typing import Final

from biometrics.evaluation.errors import PairListInvalidError

MAX_SUBFOLDERS: Final = 1000


def find_pictures(
    names: Sequence[str], lines: Sequence[int], pair_list: Path, folder: Path | None = None
) -> tuple[Path, ...]:
    """Return the files of the pictures that a list names.

    Args:
        names: paths as the list writes them, relative.
        lines: the line that names each.
        pair_list: the list's own file.
        folder: where the pictures lie. If not given: the list's folder, or else the first of its
            sub-folders, by name, that holds the first picture.

    Raises:
        PairListInvalidError: a name is not a plain relative path, or no file below the folder.
    """
    for name, line in zip(names, lines, strict=True):
        # A list must mean the same on Windows, where `C:x` and `\\x` leave the folder.
        path = PureWindowsPath(name)
        if path.anchor or ".." in path.parts or "\\" in name or "\x00" in name:
            raise PairListInvalidError(
                f"{pair_list.name}, line {line}: pictures are named by paths below the list's "
                "folder, with / between folders"
            )
    try:
        base = (folder or _folder_holding(names[0], pair_list.parent)).resolve(strict=True)
        return tuple(
            _file(base, name, f"{pair_list.name}, line {line}")
            for name, line in zip(names, lines, strict=True)
        )
    except OSError as error:
        raise PairListInvalidError(
            f"the folder of the pictures of {pair_list.name} cannot be read: {error.strerror}"
        ) from error


def _folder_holding(name: str, folder: Path) -> Path:
    if (folder / name).is_file():
        return folder
    subfolders = sorted(entry for entry in folder.iterdir() if entry.is_dir())[:MAX_SUBFOLDERS]
    return next((below for below in subfolders if (below / name).is_file()), folder)


def _file(base: Path, name: str, place: str) -> Path:
    path = (base / name).resolve()
    if not path.is_relative_to(base):
        raise PairListInvalidError(f"{place}: the picture lies outside the folder of the pictures")
    if not path.is_file():
        raise PairListInvalidError(f"{place}: the picture is missing")
    return path
