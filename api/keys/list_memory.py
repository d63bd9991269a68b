"""Which revocation lists this server has given out: never again an earlier one.

Beside the folder of keys and not in it, so that a backup of the folder, or a file copied back,
does not take the memory back with it:

published-lists/ROOT/NAME.crl   the newest list of each CA, under the root of that SHA-256
"""

from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from api.keys.errors import KeyFolderUnusableError
from api.keys.files import alone, make_private_folder, write_file
from api.keys.folder import LISTS, KeyFolder, read_list
from api.keys.revocation import carries_on

FOLDER = "published-lists"

Lists = Mapping[str, x509.CertificateRevocationList]


class ListMemory:
    """Remembers the newest list of each CA; not safe to use from several threads at once."""

    def __init__(self, folder: Path | None = None) -> None:
        """Remember in a folder, for every process that ever will; in this one alone if None."""
        self._folder = folder
        self._known: Lists = {}

    @classmethod
    def beside(cls, keys: Path) -> "ListMemory":
        """Return the memory of the folder of keys."""
        return cls(keys.absolute().parent / FOLDER)

    def accept(self, folder: KeyFolder) -> KeyFolder:
        """Remember the lists of a folder, and return it.

        Raises:
            KeyFolderUnusableError: a list is gone, is earlier than one that was given out, or lacks
                a revocation that was in it; or the memory cannot be read or written.
        """
        if self._folder is None:
            _refuse_earlier(folder, self._known, None)
            self._known = folder.lists
            return folder
        place = _place(self._folder, folder)
        make_private_folder(place)
        with alone(place):
            known = _read(place, folder)
            _refuse_earlier(folder, known, place)
            for name, found in folder.lists.items():
                if found != known.get(name):
                    der = found.public_bytes(serialization.Encoding.DER)
                    write_file(place / f"{name}.crl", der, replace=True)
        return folder

    def check(self, folder: KeyFolder) -> None:
        """Refuse what `accept` would, and remember nothing: for who only reads, elsewhere too.

        Raises:
            KeyFolderUnusableError: as for `accept`.
        """
        place = self._folder and _place(self._folder, folder)
        _refuse_earlier(folder, _read(place, folder) if place else self._known, place)


def _place(memory: Path, folder: KeyFolder) -> Path:
    return memory / folder.root.fingerprint(hashes.SHA256()).hex()[:16]


def _read(place: Path, folder: KeyFolder) -> Lists:
    files = sorted(place.glob("*.crl"))
    gone = [file.stem for file in files if file.stem not in folder.signers]
    if gone:
        raise KeyFolderUnusableError(
            f"the issuing CA {gone[0]} is gone from {folder.path}, and its revocation list with it"
        )
    return {file.stem: read_list(file, folder.signers[file.stem]) for file in files}


def _refuse_earlier(folder: KeyFolder, known: Lists, place: Path | None) -> None:
    for name, before in known.items():
        if name in folder.lists and carries_on(folder.lists[name], before):
            continue
        remedy = f"; put {place / f'{name}.crl'} in its place" if place else ""
        raise KeyFolderUnusableError(
            f"{folder.path / LISTS / f'{name}.crl'} is gone, or earlier than the revocation list "
            f"that was published{remedy}"
        )
