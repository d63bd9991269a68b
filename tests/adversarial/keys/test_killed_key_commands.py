"""`chinhchu keys` killed before each change of its files: nothing is lost, nothing half used."""

import hashlib
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.keys import keys
from api.keys.errors import KeyFolderUnusableError
from api.keys.folder import KeyFolder
from api.keys.publication import SHA256SUMS, publish
from api.keys.revocation import carries_on, find_certificate
from api.keys.ring import KeyRing
from tests.fixtures.killed import Killed

NOW = datetime.now(UTC)
SECRETS = keys.KeySecrets()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose server has run once."""
    folder = tmp_path / "base/keys"
    keys.init(folder, issuer="https://office.example", password=None, at=NOW - timedelta(days=1))
    KeyRing.open(folder, None)
    return tmp_path / "base"


def opened(homes: list[Path]) -> Iterator[tuple[Path, KeyFolder]]:
    """Open each as a server that starts after the power came back."""
    for home in homes:
        ring = KeyRing.open(home / "keys", None)
        assert ring.current(NOW).sign(b"m")
        assert not ring.folder.faults
        yield home, ring.folder


def test_init(tmp_path: Path, killed: Killed) -> None:
    homes = killed("keys", "init", "--no-password", "--out", "{}/keys", base=tmp_path / "none")
    for home in homes[:-1]:
        with pytest.raises(KeyFolderUnusableError, match="keys init"):
            KeyFolder.read(home / "keys")
    # Deleted and begun again, as the message says.
    shutil.rmtree(homes[-2] / "keys")
    assert keys.init(homes[-2] / "keys", password=None)
    assert list(opened(homes[-2:]))


def test_renew(home: Path, killed: Killed) -> None:
    before = KeyFolder.read(home / "keys")
    homes = killed("keys", "renew", "--now", base=home)
    made = [set(folder.leaves) for _, folder in opened(homes)]
    assert {len(leaves) for leaves in made} == {1, 2}
    assert len(made[-1]) == 2
    assert all(folder.leaves[0].name == before.leaves[0].name for _, folder in opened(homes))


def test_renew_the_issuing_ca(home: Path, killed: Killed) -> None:
    homes = killed("keys", "renew", "--ca", "--now", base=home)
    for one, folder in opened(homes):
        # Done again, it is done.
        root = keys.open_root(folder, None)
        keys.renew_issuing_ca(folder, root, SECRETS, NOW, in_token=False)
        again = KeyRing.open(one / "keys", None).folder
        assert len(again.issuing_cas) == len(folder.issuing_cas) + 1
        keys.renew_leaf(again, keys.open_newest_issuing_ca(again, SECRETS, NOW), SECRETS, NOW)
        assert KeyRing.open(one / "keys", None).current(NOW)


def test_revoke(home: Path, killed: Killed) -> None:
    read = KeyFolder.read(home / "keys")
    old = read.leaves[0]
    ca = keys.open_newest_issuing_ca(read, SECRETS, NOW)
    keys.renew_leaf(read, ca, SECRETS, NOW)
    homes = killed("keys", "revoke", old.name, "--reason", "superseded", base=home)
    revoked = []
    for _, folder in opened(homes):
        assert all(carries_on(folder.lists[name], read.lists[name]) for name in read.lists)
        revoked.append(find_certificate(folder, old.name).name in folder.revoked)
    # From one change on it is, and not before.
    assert revoked == sorted(revoked)
    assert (revoked[0], revoked[-1]) == (False, True)


def test_new_lists(home: Path, killed: Killed) -> None:
    read = KeyFolder.read(home / "keys")
    for _, folder in opened(killed("keys", "crl", base=home)):
        assert all(carries_on(folder.lists[name], read.lists[name]) for name in read.lists)


def test_publish(home: Path, killed: Killed) -> None:
    """What is half published is found by its digests, and published again."""
    homes = killed("keys", "publish", "{}/usb", base=home)
    folder = KeyFolder.read(home / "keys")
    for one in homes:
        usb = one / "usb"
        assert not any("PRIVATE" in path.read_text("latin-1") for path in usb.glob("*"))
        publish(folder, NOW).write(usb)
        for line in (usb / SHA256SUMS).read_text("ascii").splitlines():
            digest, _, name = line.partition("  ")
            assert hashlib.sha256((usb / name).read_bytes()).hexdigest() == digest


def test_a_server_that_starts(home: Path, killed: Killed) -> None:
    """It remembers the lists that it gives out; what it remembers is whole."""
    read = KeyFolder.read(home / "keys")
    ca = keys.open_newest_issuing_ca(read, SECRETS, NOW)
    keys.renew_leaf(read, ca, SECRETS, NOW)
    homes = killed("keys", "revoke", read.leaves[0].name, base=home)[-1:]
    (kept,) = homes[0].rglob("published-lists/*/2*.crl")
    before = kept.read_bytes()
    assert list(opened(homes))
    assert kept.read_bytes() != before
