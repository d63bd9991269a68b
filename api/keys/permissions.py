"""Whether the folder of keys is as private as it must be, where the system has modes to say so."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from api.keys.folder import ISSUING, KEY_SUFFIX, LISTS, ROOT_KEY, SIGNING


def is_exposed(path: Path) -> bool:
    """Return whether any account may read a private key of the folder, or write into it.

    A group may: it can be that of the service's account. False on Windows, where access lists are
    the administrator's, and for what this account may not look at.
    """
    if os.name != "posix":
        return False
    return any(_modes(path, Path(ROOT_KEY).parent.name, ISSUING, SIGNING, LISTS))


def _modes(path: Path, *below: str) -> Iterator[int]:
    """Yield, for each folder and file that others reach, the bits of its mode that they abuse."""
    with suppress(OSError):
        mode = path.stat().st_mode
        if not mode & stat.S_IXOTH:
            return
        yield mode & stat.S_IWOTH
        for file in path.iterdir():
            if file.name in below:
                yield from _modes(file)
            elif file.is_file():
                readable = stat.S_IROTH if file.name.endswith(KEY_SUFFIX) else 0
                yield file.stat().st_mode & (stat.S_IWOTH | readable)
