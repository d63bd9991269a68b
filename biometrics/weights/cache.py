"""The cache of weights and samples: outside the source tree, a file a digest, written atomically.

Beside each file lies a receipt (`<digest>.json`): what it was made from, where that came from, and
the size and time stamp of the file as it was checked. The receipt makes "is it installed?" quick;
it never replaces the digest, which is checked each time a model is loaded.
"""

import hashlib
import json
import os
import sys
import tempfile
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from biometrics.weights.errors import CacheUnusableError

State = Literal["present", "missing", "altered"]


@dataclass(frozen=True)
class Receipt:
    """What was installed, and from what."""

    sha256: str
    """Digest of the installed file."""
    sources: dict[str, str]
    """Digest of each published file it was made from, by file name."""
    origin: str
    """Where the published files came from, in words."""
    size: int
    mtime_ns: int
    """The file's size and modification time when its digest was last checked."""


def cache_folder() -> Path:
    """Return the cache folder: `CHINHCHU_CACHE`, else the platform's own place."""
    named = os.environ.get("CHINHCHU_CACHE")
    if named:
        return Path(named).expanduser().absolute()
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        base = Path(local) if local else Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        xdg = os.environ.get("XDG_CACHE_HOME")
        base = Path(xdg) if xdg else Path.home() / ".cache"
    return base / "chinhchu"


def model_path(sha256: str) -> Path:
    """Return where the model of this digest lies in the cache."""
    return cache_folder() / "models" / f"{sha256}.onnx"


def sample_path(sha256: str, file_name: str) -> Path:
    """Return where the sample of this digest lies; the suffix of `file_name` is kept."""
    return cache_folder() / "samples" / f"{sha256}{Path(file_name).suffix.lower()}"


def state(path: Path, sha256: str, sources: dict[str, str], *, hashing: bool = False) -> State:
    """Return whether `path` is installed, without hashing it where its receipt still fits.

    A file whose size or time stamp changed is hashed, and its receipt renewed if it is right; with
    `hashing`, so is every file: a failing disk changes bytes and leaves the time stamp.
    """
    try:
        stat = path.stat()
    except OSError:
        return "missing"
    receipt = _read_receipt(path)
    if not hashing and receipt == Receipt(
        sha256, sources, receipt.origin if receipt else "", stat.st_size, stat.st_mtime_ns
    ):
        return "present"
    if digest(path) != sha256:
        return "altered"
    _write_receipt(path, sha256, sources, receipt.origin if receipt else "cache")
    return "present"


def install(path: Path, data: bytes, sources: dict[str, str], origin: str) -> None:
    """Write `data` to `path` at once and whole, then its receipt.

    Two processes may install the same file at the same time: both write the same bytes.

    Raises:
        CacheUnusableError: the folder cannot be written.
    """
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        _write_atomically(path, data)
    except OSError as error:
        # Windows refuses to replace a file that another process has open; if that one is right,
        # nothing is lost.
        if not path.is_file() or digest(path) != sha256:
            raise CacheUnusableError(f"cannot write {path.parent}: {error.strerror}") from error
    _write_receipt(path, sha256, sources, origin)


def read(path: Path) -> bytes:
    """Return the bytes of a cached file.

    Raises:
        CacheUnusableError: it is there and cannot be read.
        FileNotFoundError: it is not there.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise CacheUnusableError(f"cannot read {path}: {error.strerror}") from error


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal.

    Raises:
        CacheUnusableError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CacheUnusableError(f"cannot read {path}: {error.strerror}") from error


def origin(path: Path) -> str:
    """Return where the published files of an installed file came from, or an empty string."""
    receipt = _read_receipt(path)
    return receipt.origin if receipt else ""


def _read_receipt(path: Path) -> Receipt | None:
    try:
        fields = json.loads(path.with_suffix(".json").read_bytes())
        return Receipt(**fields)
    except (OSError, ValueError, TypeError):
        return None


def _write_receipt(path: Path, sha256: str, sources: dict[str, str], origin: str) -> None:
    # A missing receipt only costs a hash at the next look, as in a cache that is read-only.
    with suppress(OSError):
        stat = path.stat()
        receipt = Receipt(sha256, sources, origin, stat.st_size, stat.st_mtime_ns)
        _write_atomically(path.with_suffix(".json"), json.dumps(asdict(receipt)).encode())


def _write_atomically(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
