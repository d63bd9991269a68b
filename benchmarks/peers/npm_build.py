"""Install the npm libraries beside their program, once for each state of it, outside the tree."""

import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from benchmarks.peers.errors import PeerFailedError, PeerUnavailableError
from biometrics.weights.cache import cache_folder

SOURCES = Path(__file__).resolve().parents[2] / "tests" / "interop" / "npm"
PROGRAM = "main.mjs"
NODE_RELEASE = 20

_INSTALLED = ("package.json", "package-lock.json", "*.mjs")
_INSTALL_TIMEOUT_S = 300
_OUT_OF_REACH = re.compile(
    r"ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ERR_SOCKET_TIMEOUT|ENOTCACHED|E40[13]|E5\d\d"
)


def program() -> Path:
    """Return the program with its libraries beside it; install them if they are new.

    Raises:
        PeerUnavailableError: node or npm is missing or old, or its registry is out of reach.
        PeerFailedError: the libraries are not those of the lock file.
    """
    node()
    installed = cache_folder() / "interop" / f"npm-{_digest()}"
    if not installed.is_dir():
        _install(installed)
    return installed / PROGRAM


def node() -> Path:
    """Return the JavaScript runtime.

    Raises:
        PeerUnavailableError: there is none, or it is older than Node.js 20.
    """
    found = shutil.which("node")
    if found is None:
        raise PeerUnavailableError("Node.js is not installed: version 20 is needed")
    release = _node_version(Path(found)).partition(".")[0]
    if not release.isdecimal() or int(release) < NODE_RELEASE:
        raise PeerUnavailableError("Node.js is older than version 20")
    return Path(found)


def versions() -> dict[str, str]:
    """Return the versions of the libraries, as they are pinned, and of Node.js."""
    pinned: dict[str, str] = json.loads((SOURCES / "package.json").read_text("utf-8"))[
        "dependencies"
    ]
    return pinned | {"node": _node_version(node())}


def _node_version(program: Path) -> str:
    banner = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    return banner.stdout.strip().removeprefix("v")


def _sources() -> list[Path]:
    return sorted(path for pattern in _INSTALLED for path in SOURCES.glob(pattern))


def _digest() -> str:
    sources = hashlib.sha256()
    for path in _sources():
        sources.update(path.name.encode() + b"\0" + path.read_bytes())
    return sources.hexdigest()[:16]


def _install(installed: Path) -> None:
    """Install in a temporary folder; two processes that install at once make the same."""
    npm = shutil.which("npm")
    if npm is None:
        raise PeerUnavailableError("npm is not installed")
    installed.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=installed.parent, prefix="install-") as folder:
        work = Path(folder) / "work"
        work.mkdir()
        for path in _sources():
            shutil.copy(path, work)
        # `ci` takes what the lock file says, by its digests; no package runs code of its own.
        command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        try:
            done = subprocess.run(
                command,
                cwd=work,
                capture_output=True,
                text=True,
                timeout=_INSTALL_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise PeerUnavailableError("npm did not end in time") from None
        if done.returncode != 0:
            if _OUT_OF_REACH.search(done.stderr):
                raise PeerUnavailableError("npm's registry cannot be reached")
            code = re.search(r"npm error code (\S+)", done.stderr)
            raise PeerFailedError(f"npm ci failed: {code.group(1) if code else done.returncode}")
        try:
            work.rename(installed)
        except OSError:
            if not installed.is_dir():
                raise
