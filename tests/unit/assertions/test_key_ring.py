"""Rotation: the newest leaf that fits signs, and a running ring finds it by itself."""

import logging
import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.assertions.errors import KeysPasswordError, SigningKeyExpiredError
from api.keys import keys
from api.keys.folder import KeyFolder
from api.keys.revocation import renew_list, revoke
from api.keys.ring import KeyRing
from api.keys.state import KeyUse, is_issuing_ca_due, is_leaf_due

SECRETS = keys.KeySecrets()
BEGIN = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)
LIFE = timedelta(minutes=15)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "keys"
    keys.init(folder, issuer="https://office.example", password=None, at=BEGIN)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "keys"))


@pytest.fixture
def ring(folder: Path) -> KeyRing:
    return KeyRing(folder, SECRETS)


def renew(folder: Path, at: datetime) -> str:
    """Renew the leaf and return the name of the new one."""
    read = KeyFolder.read(folder)
    ca = keys.open_newest_issuing_ca(read, SECRETS, at)
    return keys.renew_leaf(read, ca, SECRETS, at).name


def revoke_leaf(folder: Path, name: str, at: datetime) -> None:
    read = KeyFolder.read(folder)
    (stored,) = (leaf for leaf in read.leaves if leaf.name == name)
    revoke(read, stored, keys.open_newest_issuing_ca(read, SECRETS, at), at)


def test_a_renewed_leaf_signs_without_a_new_ring(ring: KeyRing, folder: Path) -> None:
    first = ring.current(BEGIN + 61 * DAY)
    renew(folder, BEGIN + 61 * DAY)
    second = ring.current(BEGIN + 61 * DAY)
    assert second.kid != first.kid
    assert second.issuer == first.issuer == "https://office.example"
    # Before it begins, the first one signs still.
    assert ring.current(BEGIN + 60 * DAY).kid == first.kid


def test_what_is_chosen_always_covers_the_life(ring: KeyRing, folder: Path) -> None:
    for days in (60, 85, 170):
        renew(folder, BEGIN + days * DAY)
    draw = random.Random(7)
    chosen = set()
    for _ in range(300):
        at = BEGIN + timedelta(seconds=draw.uniform(0, 259 * 86_400))
        key = ring.current(at)
        assert key.not_before <= at <= at + LIFE <= key.not_after
        chosen.add(key.kid)
    assert len(chosen) == 4


def test_no_leaf_that_ends_within_the_life(ring: KeyRing, folder: Path) -> None:
    end = ring.current(BEGIN).not_after
    assert ring.current(end - LIFE)
    with pytest.raises(SigningKeyExpiredError):
        ring.current(end - LIFE + timedelta(seconds=1))
    with pytest.raises(SigningKeyExpiredError):
        ring.current(end - 2 * LIFE, until=end + timedelta(seconds=1))
    renew(folder, end - DAY)
    assert ring.current(end - timedelta(seconds=1)).not_after > end


def test_the_same_key_object_while_nothing_changes(ring: KeyRing) -> None:
    assert ring.current(BEGIN) is ring.current(BEGIN + DAY)


def test_a_revoked_leaf_does_not_sign(ring: KeyRing, folder: Path) -> None:
    first = ring.current(BEGIN + DAY)
    name = renew(folder, BEGIN + DAY)
    assert ring.current(BEGIN + DAY).kid != first.kid
    revoke_leaf(folder, name, BEGIN + DAY)
    assert ring.current(BEGIN + DAY).kid == first.kid
    revoke_leaf(folder, KeyFolder.read(folder).leaves[0].name, BEGIN + DAY)
    with pytest.raises(SigningKeyExpiredError):
        ring.current(BEGIN + DAY)


def test_no_leaf_of_a_revoked_issuing_ca_signs(ring: KeyRing, folder: Path) -> None:
    read = ring.folder
    root = keys.open_root(read, None)
    new = keys.renew_issuing_ca(read, root, SECRETS, BEGIN + DAY, in_token=False)
    first = ring.current(BEGIN + DAY)
    revoke(read, read.issuing_cas[0], root, BEGIN + DAY, reason="ca-compromise")
    with pytest.raises(SigningKeyExpiredError):
        ring.current(BEGIN + DAY)
    renew(folder, BEGIN + DAY)
    key = ring.current(BEGIN + DAY)
    assert key.kid != first.kid
    assert ring.folder.leaves[-1].chain[1] == new.certificate


def test_a_leaf_copied_without_its_key_yet(
    ring: KeyRing, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """An operator copies two files by hand: the server goes on with what it has."""
    first = ring.current(BEGIN + DAY)
    name = renew(folder, BEGIN + DAY)
    key = folder / f"signing/{name}.key.pem"
    data = key.read_bytes()
    key.unlink()
    with caplog.at_level(logging.WARNING, "chinhchu.keys"):
        assert ring.current(BEGIN + DAY).kid == first.kid
        assert ring.current(BEGIN + DAY).kid == first.kid
    assert caplog.messages == [f"leaf {name} cannot be used: authority-key-missing"]
    key.write_bytes(data)
    assert ring.current(BEGIN + DAY).kid != first.kid


def test_an_unreadable_leaf_beside_a_good_one(ring: KeyRing, folder: Path) -> None:
    first = ring.current(BEGIN + DAY)
    (folder / "signing/20270101-00000000.pem").write_bytes(b"half a cert")
    assert ring.current(BEGIN + DAY).kid == first.kid
    state = ring.state(BEGIN + DAY)
    assert state.faults == (("20270101-00000000", "keys-folder-unusable"),)
    assert "signing-key-unusable" in state.warnings


def test_no_usable_leaf_says_why(folder: Path) -> None:
    (leaf,) = KeyFolder.read(folder).leaves
    leaf.path.write_bytes(b"spoilt")
    with pytest.raises(Exception, match="does not hold certificates") as refused:
        KeyRing(folder, SECRETS).current(BEGIN)
    assert getattr(refused.value, "code", None) == "keys-folder-unusable"


def test_a_wrong_password_is_said_at_once(tmp_path: Path) -> None:
    keys.init(tmp_path / "keys", password="một mật khẩu đủ dài")
    with pytest.raises(KeysPasswordError):
        KeyRing.open(tmp_path / "keys", "một mật khẩu khác")
    assert KeyRing.open(tmp_path / "keys", "một mật khẩu đủ dài")


def test_when_a_leaf_is_due(folder: Path) -> None:
    read = KeyFolder.read(folder)
    assert not is_leaf_due(read, BEGIN + 60 * DAY)
    assert is_leaf_due(read, BEGIN + 60 * DAY + timedelta(seconds=1))
    renew(folder, BEGIN + 61 * DAY)
    read = KeyFolder.read(folder)
    assert not is_leaf_due(read, BEGIN + 61 * DAY)
    revoke_leaf(folder, read.leaves[-1].name, BEGIN + 62 * DAY)
    assert is_leaf_due(KeyFolder.read(folder), BEGIN + 62 * DAY)


def test_when_an_issuing_ca_is_due(folder: Path) -> None:
    read = KeyFolder.read(folder)
    assert not is_issuing_ca_due(read, BEGIN + (1095 - 120) * DAY)
    assert is_issuing_ca_due(read, BEGIN + (1095 - 119) * DAY)


def test_state_of_old_and_new(ring: KeyRing, folder: Path) -> None:
    renew(folder, BEGIN + 61 * DAY)
    revoke_leaf(folder, renew(folder, BEGIN + 62 * DAY), BEGIN + 62 * DAY)

    def uses(at: datetime) -> list[KeyUse]:
        return [c.use for c in ring.state(at).certificates if c.issuer_identifiers]

    current, revoked = KeyUse.CURRENT, KeyUse.REVOKED
    assert uses(BEGIN) == [current, KeyUse.NEXT, revoked]
    assert uses(BEGIN + 61 * DAY) == [KeyUse.OLDER, current, revoked]
    assert uses(BEGIN + 100 * DAY) == [KeyUse.EXPIRED, current, revoked]
    assert ring.state(BEGIN + 100 * DAY).current == ring.state(BEGIN + 100 * DAY).certificates[3]
    assert ring.state(BEGIN + 200 * DAY).current is None


def test_a_leaf_whose_key_cannot_be_opened_is_in_the_state(ring: KeyRing, folder: Path) -> None:
    """As one that another account made: monitoring has a month to tell, and not none."""
    at = BEGIN + 65 * DAY
    name = renew(folder, at)
    key = folder / f"signing/{name}.key.pem"
    taken = key.read_bytes()
    key.unlink()
    state = ring.state(at)
    assert state.current is not None
    assert name not in state.current.file
    assert state.faults == ((name, "authority-key-missing"),)
    assert {"signing-key-unusable", "signing-key-ends-soon"} <= set(state.warnings)
    key.write_bytes(taken)
    state = ring.state(at)
    assert state.current is not None
    assert name in state.current.file
    assert (state.faults, "signing-key-unusable" in state.warnings) == ((), False)


def test_warnings_in_time(ring: KeyRing, folder: Path) -> None:
    def warnings(days: int) -> set[str]:
        return set(ring.state(BEGIN + days * DAY).warnings)

    assert warnings(0) == set()
    assert warnings(22) == set()
    assert warnings(24) == {"revocation-list-ends-soon"}
    assert warnings(30) == {"revocation-list-stale"}
    assert "signing-key-ends-soon" in warnings(61)
    assert "signing-key-missing" in warnings(91)
    assert "issuing-ca-ends-soon" in warnings(1000)
    assert "root-ends-soon" in warnings(3300)
    read = ring.folder
    ca = keys.open_newest_issuing_ca(read, SECRETS, BEGIN + 30 * DAY)
    renew_list(read, read.issuing_cas[0].name, ca, BEGIN + 30 * DAY)
    assert warnings(30) == set()


def test_a_warning_is_logged_once_a_day(ring: KeyRing, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "chinhchu.keys"):
        for hours in (0, 1, 23, 25):
            ring.current(BEGIN + 70 * DAY + timedelta(hours=hours))
    assert caplog.messages.count("keys: signing-key-ends-soon") == 2
