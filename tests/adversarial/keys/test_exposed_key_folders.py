"""Modes, links and pipes: who else could read the keys, and what could stop who reads them."""

import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.assertions.errors import KeysExistError
from api.keys import keys
from api.keys.errors import KeyFolderUnusableError
from api.keys.folder import KeyFolder
from api.keys.list_memory import FOLDER
from api.keys.ring import KeyRing
from api.keys.state import keys_state

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has access lists")


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keys.init(tmp_path / "keys", password=None)
    return tmp_path / "keys"


def warnings(folder: Path) -> tuple[str, ...]:
    return keys_state(KeyFolder.read(folder), datetime.now(UTC)).warnings


@pytest.mark.usefixtures("no_umask")
def test_every_folder_is_private_whatever_the_umask(tmp_path: Path) -> None:
    folder = tmp_path / "srv/home/keys"
    keys.init(folder, password=None)
    KeyRing.open(folder, None)
    made = [path for path in (tmp_path / "srv", *(tmp_path / "srv").rglob("*")) if path.is_dir()]
    assert folder.parent / FOLDER in made
    assert {path.stat().st_mode & 0o777 for path in made} == {0o700}
    assert not [path for path in folder.rglob("*") if path.stat().st_mode & 0o022]
    assert warnings(folder) == ()


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        (".", 0o707),
        ("crl", 0o703),
        ("root.pem", 0o646),
        ("signing/*.key.pem", 0o604),
        ("offline/root.key.pem", 0o604),
    ],
)
def test_what_others_could_abuse_is_said(folder: Path, name: str, mode: int) -> None:
    folder.chmod(0o711)
    for path in folder.iterdir():
        if path.is_dir():
            path.chmod(0o711)
    assert warnings(folder) == ()
    (path,) = folder.glob(name) if name != "." else (folder,)
    path.chmod(mode)
    assert warnings(folder) == ("keys-exposed",)
    folder.chmod(0o750)
    assert warnings(folder) == ()


@pytest.mark.parametrize("name", ["root.pem", "signing/x.pem", "crl/root.crl", "keys.toml"])
@pytest.mark.timeout(20)
def test_a_pipe_in_the_place_of_a_file_stops_nobody(folder: Path, name: str) -> None:
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    if name.startswith("signing"):
        (fault,) = KeyFolder.read(folder).faults
        assert fault.name == "x"
        return
    with pytest.raises(KeyFolderUnusableError, match="regular file"):
        KeyFolder.read(folder)


@pytest.mark.timeout(20)
def test_a_pipe_in_the_place_of_a_key(folder: Path) -> None:
    (leaf,) = KeyFolder.read(folder).leaves
    leaf.key_path.unlink()
    os.mkfifo(leaf.key_path)
    with pytest.raises(Exception, match="cannot be read"):
        KeyRing.open(folder, None)


def test_a_link_is_replaced_and_not_followed(folder: Path, tmp_path: Path) -> None:
    """Who may write into the folder makes nobody overwrite a file elsewhere."""
    from api.keys.revocation import renew_list

    read = KeyFolder.read(folder)
    (ca,) = read.issuing_cas
    file = folder / f"crl/{ca.name}.crl"
    elsewhere = tmp_path / "elsewhere"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    before = elsewhere.read_bytes()
    pair = keys.open_issuing_ca(read, ca.name, keys.KeySecrets())
    renew_list(read, ca.name, pair, datetime.now(UTC))
    assert not file.is_symlink()
    assert elsewhere.read_bytes() == before


def test_two_that_make_keys_in_one_folder(tmp_path: Path) -> None:
    """Both found it empty; one of them goes on."""
    import threading

    together, outcomes = threading.Barrier(4), []

    def make() -> None:
        together.wait(30)
        try:
            keys.init(tmp_path / "keys", password=None)
            outcomes.append("made")
        except KeysExistError:
            outcomes.append("refused")

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["made", "refused", "refused", "refused"]
    assert KeyRing.open(tmp_path / "keys", None)
