"""Run a command again and again, killed before each change it makes to the file system.

Usage: killed.py BASE RESULTS ARGUMENTS...  with {} in them for the folder. Each run has a copy of
BASE in RESULTS/NUMBER, and the last one was not killed. Prints how many were.

The interpreter says before each change what it is about to do (PEP 578), so that every state
between two changes is left behind by a real SIGKILL once. SQLite changes files by itself: it is
killed before each statement.
"""

import os
import shutil
import signal
import sqlite3
import sys
from pathlib import Path
from typing import Any

CHANGES = {"os.rename", "os.mkdir", "os.remove", "os.link", "os.chmod", "os.truncate", "os.rmdir"}


def kill_before(number: int, folder: Path) -> None:
    """Kill this process before its change of that number, counted from 0."""
    left = number

    def count(_: Any = None) -> None:
        nonlocal left
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in CHANGES or (event == "open" and _writes(arguments)):
            path = arguments[0]
            if isinstance(path, str | os.PathLike) and Path(path).is_relative_to(folder):
                count()

    def connect(*arguments: Any, **more: Any) -> sqlite3.Connection:
        connection = sqlite3.Connection(*arguments, **more)
        connection.set_trace_callback(count)
        return connection

    sys.addaudithook(hook)
    for module in (sqlite3, sqlite3.dbapi2):
        setattr(module, "connect", connect)  # noqa: B010 - what a type checker refuses


def _writes(arguments: tuple[Any, ...]) -> bool:
    return bool(arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def main(base: Path, results: Path, arguments: list[str]) -> int:
    """Kill until a run ends by itself."""
    from api.cli import main as chinhchu
    from api.keys import keys, publication, revocation  # noqa: F401 - imported once, for all runs
    from api.status import publishing, register  # noqa: F401

    number = 0
    while True:
        folder = results / str(number)
        if base.exists():
            shutil.copytree(base, folder)
        else:
            folder.mkdir(parents=True)
        child = os.fork()
        if child == 0:
            os.environ["CHINHCHU_HOME"] = str(folder)
            with Path(os.devnull).open("w") as nothing:
                os.dup2(nothing.fileno(), 1)
            kill_before(number, folder)
            os._exit(chinhchu([word.replace("{}", str(folder)) for word in arguments]))
        status = os.waitpid(child, 0)[1]
        if not os.WIFSIGNALED(status):
            print(number)
            return os.waitstatus_to_exitcode(status)
        number += 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
