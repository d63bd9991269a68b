"""The developer's guide, run as it is printed."""

import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from biometrics.manifest import Manifest

GUIDE = Path(__file__).resolve().parents[3] / "docs/guides/developer.md"
TOOLS = ("bash", "curl", "jq", "openssl")


AGAIN = ('"outcome": null', "The capture has to be taken again")
"""What the page says of a capture whose steps went wrong."""
RUNS = 3
"""The server draws its challenges, and a rendered sitter, like a person, gets one in a few dozen
wrong: then, and only then, the page is followed from the top again."""


@pytest.mark.timeout(400)
@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"the guide needs {', '.join(TOOLS)}")
def test_every_block_runs(manifest: Manifest, tmp_path: Path) -> None:
    for run in range(RUNS):
        folder = tmp_path / str(run)
        done = _follow(folder)
        if not any(said in done.stdout for said in AGAIN):
            break
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"outcome": "PASSED"' in done.stdout
    assert "PASSED, level basic" in done.stdout
    assert '"code": "procedure-unknown"' in done.stdout
    assert "simulated frames: no camera took them" in done.stderr
    assert (folder / "second.txt").read_text("ascii").count("~") > 1


def _follow(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run all blocks of the page in a new folder."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", GUIDE.read_text("utf-8"), re.M | re.S)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    command = folder / "bin/chinhchu"
    command.parent.mkdir(parents=True)
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m api.cli "$@"\n', "utf-8")
    command.chmod(0o755)
    lines = (
        "set -euo pipefail",
        "trap 'kill $(jobs -p)' EXIT",
        'PATH="$PWD/bin:$PATH"',
        *(block.replace("8080", port) for block in blocks),
    )
    return subprocess.run(
        ["bash", "-c", "\n".join(lines)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
