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


@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"the guide needs {', '.join(TOOLS)}")
def test_every_block_runs(manifest: Manifest, tmp_path: Path) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```$", GUIDE.read_text("utf-8"), re.M | re.S)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    command = tmp_path / "bin/chinhchu"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m api.cli "$@"\n', "utf-8")
    command.chmod(0o755)
    lines = (
        "set -euo pipefail",
        "trap 'kill $(jobs -p)' EXIT",
        'PATH="$PWD/bin:$PATH"',
        *(block.replace("8080", port) for block in blocks),
    )
    done = subprocess.run(
        ["bash", "-c", "\n".join(lines)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"outcome": "PASSED"' in done.stdout
    assert "PASSED, level basic" in done.stdout
    assert '"code": "procedure-unknown"' in done.stdout
    assert "simulated frames: no camera took them" in done.stderr
    assert (tmp_path / "second.txt").read_text("ascii").count("~") > 1
