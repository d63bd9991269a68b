"""A revocation list from before comes back, by a backup or a thief: it is not taken, ever again."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.assertions.errors import SigningKeyExpiredError
from api.cli import main
from api.cli.output import EXIT_FAULT
from api.keys import keys
from api.keys.errors import KeyFolderUnusableError, PublicationUnusableError
from api.keys.folder import KeyFolder
from api.keys.list_memory import FOLDER, ListMemory
from api.keys.publication import publish
from api.keys.revocation import renew_list, revoke
from api.keys.ring import KeyRing

NOW = datetime.now(UTC)
SECRETS = keys.KeySecrets()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keys.init(tmp_path / "home/keys", password=None, at=NOW - timedelta(hours=1))
    add_leaf(tmp_path / "home/keys")
    return tmp_path / "home/keys"


def add_leaf(folder: Path) -> None:
    read = KeyFolder.read(folder)
    ca = keys.open_newest_issuing_ca(read, SECRETS, NOW)
    keys.renew_leaf(read, ca, SECRETS, NOW - timedelta(minutes=1))


def list_file(folder: Path) -> Path:
    (file,) = (folder / "crl").glob("2*.crl")
    return file


def revoke_oldest(folder: Path) -> None:
    read = KeyFolder.read(folder)
    revoke(read, read.leaves[0], keys.open_newest_issuing_ca(read, SECRETS, NOW), NOW)


def next_list(folder: Path, at: datetime) -> None:
    read = KeyFolder.read(folder)
    (ca,) = read.issuing_cas
    renew_list(read, ca.name, keys.open_issuing_ca(read, ca.name, SECRETS), at)


def open_ring(folder: Path) -> KeyRing:
    """Open it as a server does that has just started."""
    return KeyRing.open(folder, None)


@pytest.fixture
def before(folder: Path) -> bytes:
    """The list that does not name what is revoked since; a server has seen the later one."""
    open_ring(folder)
    earlier = list_file(folder).read_bytes()
    revoke_oldest(folder)
    open_ring(folder)
    return earlier


def test_the_file_put_back_while_the_server_was_down(folder: Path, before: bytes) -> None:
    after = list_file(folder).read_bytes()
    list_file(folder).write_bytes(before)
    with pytest.raises(KeyFolderUnusableError, match="earlier than") as refused:
        open_ring(folder)
    # The message names what to put in its place.
    (kept,) = (p for p in folder.parent.rglob("published-lists/*/2*.crl"))
    assert str(kept) in str(refused.value)
    assert kept.read_bytes() == after
    shutil.copy(kept, list_file(folder))
    assert open_ring(folder).current(NOW)


def test_a_new_list_made_from_the_one_put_back(folder: Path, before: bytes) -> None:
    """Its number is higher, and what was revoked is valid in it."""
    list_file(folder).write_bytes(before)
    next_list(folder, NOW + timedelta(seconds=5))
    with pytest.raises(KeyFolderUnusableError, match="earlier than"):
        open_ring(folder)


def test_the_whole_folder_restored_from_a_backup(folder: Path, tmp_path: Path) -> None:
    open_ring(folder)
    shutil.copytree(folder, tmp_path / "backup")
    revoke_oldest(folder)
    open_ring(folder)
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "backup", folder)
    with pytest.raises(KeyFolderUnusableError):
        open_ring(folder)


def test_everything_restored_and_a_new_list_made(folder: Path, before: bytes) -> None:
    """Nothing remembers then; still no relying party sees a number that it has seen before."""
    seen = KeyFolder.read(folder).list_numbers
    shutil.rmtree(folder.parent / "published-lists")
    list_file(folder).write_bytes(before)
    later = NOW + timedelta(seconds=30)
    next_list(folder, later)
    now = KeyFolder.read(folder).list_numbers
    name = list_file(folder).stem
    assert now[name] == int(later.timestamp()) > seen[name]
    assert open_ring(folder)


def test_an_issuing_ca_taken_away(folder: Path, before: bytes) -> None:
    read = KeyFolder.read(folder)
    keys.renew_issuing_ca(read, keys.open_root(read, None), SECRETS, NOW, in_token=False)
    add_leaf(folder)
    assert open_ring(folder)
    (folder / "issuing" / f"{read.issuing_cas[0].name}.pem").unlink()
    for leaf in read.leaves:
        leaf.path.unlink()
    with pytest.raises(KeyFolderUnusableError, match="is gone"):
        open_ring(folder)


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\x30\x80", None])
def test_a_damaged_memory_is_not_taken_for_none(
    folder: Path, before: bytes, content: bytes | None
) -> None:
    (kept,) = (p for p in folder.parent.rglob("published-lists/*/2*.crl"))
    (root,) = (p for p in folder.parent.rglob("published-lists/*/root.crl"))
    kept.write_bytes(root.read_bytes() if content is None else content)
    with pytest.raises(KeyFolderUnusableError, match="published-lists"):
        open_ring(folder)


def test_new_keys_under_another_root_begin_anew(folder: Path, before: bytes) -> None:
    shutil.rmtree(folder)
    keys.init(folder, password=None)
    assert open_ring(folder)


def test_a_ring_that_looks_only_writes_nothing(folder: Path) -> None:
    assert keys.load(folder, None)
    assert not (folder.parent / "published-lists").exists()


def test_a_revoked_leaf_stays_revoked_while_running(folder: Path, before: bytes) -> None:
    ring = open_ring(folder)
    list_file(folder).write_bytes(before)
    with pytest.raises(KeyFolderUnusableError):
        ring.current(NOW)
    with pytest.raises((KeyFolderUnusableError, SigningKeyExpiredError)):
        ring.state(NOW)


def test_a_list_that_comes_between_reading_and_remembering(folder: Path) -> None:
    """Another process revokes, and a second server has already taken its list: nothing is wrong."""

    class Overtaken(ListMemory):
        times = 0

        def accept(self, read: KeyFolder) -> KeyFolder:
            self.times += 1
            if self.times == 1:
                revoke_oldest(folder)
                open_ring(folder)
            return super().accept(read)

    memory = Overtaken(folder.parent / FOLDER)
    ring = KeyRing(folder, SECRETS, memory)
    assert ring.current(NOW).public_key == ring.folder.leaves[1].certificate.public_key()
    assert memory.times == 2


def test_publishing_does_not_go_back(folder: Path, tmp_path: Path) -> None:
    earlier = list_file(folder).read_bytes()
    revoke_oldest(folder)
    publish(KeyFolder.read(folder), NOW).write(tmp_path / "usb")
    list_file(folder).write_bytes(earlier)
    next_list(folder, NOW + timedelta(seconds=9))
    with pytest.raises(PublicationUnusableError, match="later revocation list"):
        publish(KeyFolder.read(folder), NOW).write(tmp_path / "usb")
    # A damaged file protects nothing, and is replaced.
    (tmp_path / "usb" / list_file(folder).name).write_bytes(b"")
    publish(KeyFolder.read(folder), NOW).write(tmp_path / "usb")


def test_publishing_what_was_put_back_into_a_new_folder(
    folder: Path, before: bytes, tmp_path: Path
) -> None:
    """The new folder knows nothing; what the server has given out is remembered beside the keys."""
    given = ("keys", "publish", str(tmp_path / "usb"), "--keys", str(folder))
    kept = list_file(folder).read_bytes()
    list_file(folder).write_bytes(before)
    assert main(given) == EXIT_FAULT
    next_list(folder, NOW + timedelta(seconds=5))
    assert main(given) == EXIT_FAULT
    assert not (tmp_path / "usb").exists()
    list_file(folder).write_bytes(kept)
    assert main(given) == 0


def test_publishing_where_no_server_runs_remembers_nothing(folder: Path, tmp_path: Path) -> None:
    assert main(("keys", "publish", str(tmp_path / "usb"), "--keys", str(folder))) == 0
    assert not (folder.parent / "published-lists").exists()


def test_publishing_over_another_roots_keys(folder: Path, tmp_path: Path) -> None:
    keys.init(tmp_path / "other", password=None)
    publish(KeyFolder.read(tmp_path / "other"), NOW).write(tmp_path / "usb")
    with pytest.raises(PublicationUnusableError, match="another root"):
        publish(KeyFolder.read(folder), NOW).write(tmp_path / "usb")
