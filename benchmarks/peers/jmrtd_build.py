"""Build the Java program around JMRTD, once for each state of its sources, outside the tree."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from benchmarks.peers.errors import PeerFailedError, PeerUnavailableError
from biometrics.weights.cache import cache_folder

SOURCES = Path(__file__).resolve().parents[2] / "tests" / "interop" / "jmrtd"
JAVA_RELEASE = 17

_PROGRAM, _LIBRARIES = "interop-jmrtd.jar", "lib"
_BUILD_TIMEOUT_S = 300
_OUT_OF_REACH = re.compile(r"Could not (transfer|resolve|find) |Unknown host|offline mode", re.I)
_OLD_JDK = re.compile(r"release version \S+ not supported|No compiler is provided", re.I)


def class_path() -> str:
    """Return the class path of the built program; build it if its sources are new.

    Raises:
        PeerUnavailableError: Java or Maven is missing, or Maven Central is out of reach.
        PeerFailedError: the program does not compile.
    """
    java()
    built = cache_folder() / "interop" / _digest()
    if not built.is_dir():
        _build(built)
    return os.pathsep.join((str(built / _PROGRAM), str(built / _LIBRARIES / "*")))


def java() -> Path:
    """Return the Java virtual machine.

    Raises:
        PeerUnavailableError: there is none, or it is older than Java 17.
    """
    found = shutil.which("java")
    if found is None:
        raise PeerUnavailableError("Java is not installed: a JDK of version 17 is needed")
    release = _java_version(Path(found)).partition(".")[0]
    if not release or int(release) < JAVA_RELEASE:
        raise PeerUnavailableError("Java is older than version 17")
    return Path(found)


def versions() -> dict[str, str]:
    """Return the versions of JMRTD, as the build pins it, and of Java."""
    pinned = re.search(r"<jmrtd.version>(.+?)<", (SOURCES / "pom.xml").read_text("utf-8"))
    assert pinned is not None
    return {"jmrtd": pinned.group(1), "java": _java_version(java())}


def _java_version(program: Path) -> str:
    """Return `17.0.15` of `openjdk 17.0.15 2025-04-15`, or nothing."""
    banner = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"\S+ (\d[\d.]*)", banner.stdout)
    return found.group(1) if found else ""


def _digest() -> str:
    sources = hashlib.sha256()
    for path in sorted(path for path in SOURCES.rglob("*") if path.is_file()):
        sources.update(path.relative_to(SOURCES).as_posix().encode() + b"\0" + path.read_bytes())
    return sources.hexdigest()[:16]


def _build(built: Path) -> None:
    """Build in a temporary folder; two processes that build at once make the same."""
    maven = shutil.which("mvn")
    if maven is None:
        raise PeerUnavailableError("Maven (mvn) is not installed")
    built.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=built.parent, prefix="build-") as folder:
        work = Path(folder) / "work"
        shutil.copytree(SOURCES, work)
        command = [maven, "--batch-mode", "--quiet", "--no-transfer-progress", "package"]
        try:
            done = subprocess.run(
                command,
                cwd=work,
                capture_output=True,
                text=True,
                timeout=_BUILD_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise PeerUnavailableError("Maven did not end in time") from None
        if done.returncode != 0:
            if _OUT_OF_REACH.search(done.stdout):
                raise PeerUnavailableError("Maven Central cannot be reached")
            if _OLD_JDK.search(done.stdout):
                raise PeerUnavailableError("Maven runs on no JDK of version 17 (JAVA_HOME)")
            errors = [line for line in done.stdout.splitlines() if line.startswith("[ERROR]")]
            raise PeerFailedError("JMRTD's program does not build: " + " ".join(errors[:3]))
        ready = Path(folder) / "ready"
        ready.mkdir()
        for name in (_PROGRAM, _LIBRARIES):
            (work / "target" / name).rename(ready / name)
        try:
            ready.rename(built)
        except OSError:
            if not built.is_dir():
                raise
