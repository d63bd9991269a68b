"""The command `chinhchu verify` as a process: from its start to its verdict."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from api.assertions.sd_jwt import issue
from api.cli.build_verifier import build
from api.keys import keys
from benchmarks.assertion import specimen

_SELF_TIME = re.compile(r"^import time:\s+(\d+) \|", re.MULTILINE)


@dataclass(frozen=True)
class VerifyCommand:
    """What a relying party has: the assertion, its document and the pinned root, as files."""

    arguments: tuple[str, ...]
    verifier: Path
    """The verifier as one file."""

    @classmethod
    def prepare(cls, folder: Path) -> "VerifyCommand":
        """Write the files."""
        key = keys.init(folder / "keys", password=None)
        (folder / "assertion.txt").write_text(issue(specimen.claims(), key), "ascii")
        (folder / "document.pdf").write_bytes(specimen.DOCUMENT)
        verifier = folder / "chinhchu-verify.pyz"
        build(verifier)
        return cls(
            arguments=(
                str(folder / "assertion.txt"),
                "--json",
                *("--document", str(folder / "document.pdf")),
                *("--root", str(folder / "keys" / keys.ROOT)),
                *("--audience", specimen.AUDIENCE),
                *("--nonce", specimen.NONCE),
            ),
            verifier=verifier,
        )

    def run(self) -> None:
        """Verify in a new interpreter; anything but PASSED raises CalledProcessError."""
        run_python("-m", "api.cli", "verify", *self.arguments)

    def run_file(self) -> None:
        """Verify in a new interpreter by the one file (raises what `run` raises)."""
        run_python(str(self.verifier), *self.arguments)

    def import_ms(self) -> float:
        """Return what a new interpreter says that the imports of a verification took."""
        return import_ms("-m", "api.cli", "verify", *self.arguments)


def run_python(*arguments: str) -> str:
    """Run a new interpreter and return its standard error."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stderr


def import_ms(*arguments: str) -> float:
    """Return the time of all imports of a new interpreter, as `-X importtime` says."""
    report = run_python("-X", "importtime", *arguments)
    return sum(int(microseconds) for microseconds in _SELF_TIME.findall(report)) / 1000
