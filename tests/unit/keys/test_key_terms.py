"""When the next certificate is due, at the edges: gaps, ended roots, clocks that are wrong."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api.assertions.errors import SigningKeyExpiredError
from api.keys import keys
from api.keys.errors import KeyFolderUnusableError
from api.keys.folder import MAX_CERTIFICATES, KeyFolder
from api.keys.revocation import renew_list, revoke
from api.keys.state import is_leaf_due, keys_state

BEGIN = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SECRETS = keys.KeySecrets()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keys.init(tmp_path / "keys", password=None, at=BEGIN)
    return tmp_path / "keys"


def renew(folder: Path, at: datetime) -> None:
    read = KeyFolder.read(folder)
    keys.renew_leaf(read, keys.open_newest_issuing_ca(read, SECRETS, at), SECRETS, at)


def test_a_leaf_that_begins_after_a_gap_is_not_enough(folder: Path) -> None:
    """The first ends after 90 days; the second lasts for long, and begins on the hundredth."""
    renew(folder, BEGIN + 100 * DAY)
    assert is_leaf_due(KeyFolder.read(folder), BEGIN + 80 * DAY)
    renew(folder, BEGIN + 85 * DAY)
    assert not is_leaf_due(KeyFolder.read(folder), BEGIN + 80 * DAY)


def test_a_leaf_that_begins_when_the_other_ends_is_enough(folder: Path) -> None:
    renew(folder, BEGIN + 90 * DAY)
    assert not is_leaf_due(KeyFolder.read(folder), BEGIN + 80 * DAY)
    read = KeyFolder.read(folder)
    revoke(read, read.leaves[1], keys.open_newest_issuing_ca(read, SECRETS, BEGIN), BEGIN)
    assert is_leaf_due(KeyFolder.read(folder), BEGIN + 80 * DAY)


@pytest.mark.parametrize("days", [-800_000 + 61_000, -1, 3650, 4000, 2_900_000])
def test_nothing_is_made_under_a_root_that_has_ended(folder: Path, days: int) -> None:
    read, at = KeyFolder.read(folder), BEGIN + days * DAY
    root = keys.open_root(read, None)
    with pytest.raises(SigningKeyExpiredError, match="root"):
        keys.renew_issuing_ca(read, root, SECRETS, at, in_token=False)
    with pytest.raises(SigningKeyExpiredError):
        keys.open_newest_issuing_ca(read, SECRETS, at)
    assert len(list(folder.rglob("*.key.pem"))) == 3


@pytest.mark.parametrize("at", [datetime.max, datetime.min])
def test_the_ends_of_time(folder: Path, at: datetime) -> None:
    state = keys_state(KeyFolder.read(folder), at.replace(tzinfo=UTC))
    assert state.current is None
    assert "signing-key-missing" in state.warnings


def test_a_clock_that_is_behind_is_noticed(folder: Path) -> None:
    assert "clock-behind" in keys_state(KeyFolder.read(folder), BEGIN - 2 * DAY).warnings
    assert keys_state(KeyFolder.read(folder), BEGIN).warnings == ()


def test_a_clock_that_is_behind_is_told_instead_of_a_renewal(folder: Path) -> None:
    read, at = KeyFolder.read(folder), BEGIN - 2 * DAY
    root = keys.open_root(read, None)
    for step in (
        lambda: keys.load(folder, None, at=at),
        lambda: keys.open_newest_issuing_ca(read, SECRETS, at),
        lambda: keys.renew_issuing_ca(read, root, SECRETS, at, in_token=False),
    ):
        with pytest.raises(SigningKeyExpiredError, match="clock") as refused:
            step()
        assert "renew" not in str(refused.value)
    ca = keys.open_newest_issuing_ca(read, SECRETS, BEGIN)
    with pytest.raises(SigningKeyExpiredError, match="clock"):
        revoke(read, read.leaves[0], ca, at)
    with pytest.raises(SigningKeyExpiredError, match="clock"):
        renew_list(read, "root", root, at)
    assert KeyFolder.read(folder).lists == read.lists
    with pytest.raises(SigningKeyExpiredError, match="renew"):
        keys.load(folder, None, at=BEGIN + 91 * DAY)


def test_a_ca_that_begins_later_is_no_wrong_clock(folder: Path) -> None:
    read, begin = KeyFolder.read(folder), BEGIN + 20 * DAY
    keys.renew_issuing_ca(read, keys.open_root(read, None), SECRETS, begin, in_token=False)
    for at in (BEGIN, begin - timedelta(minutes=30), begin):
        assert "clock-behind" not in keys_state(KeyFolder.read(folder), at).warnings
    assert "clock-behind" in keys_state(KeyFolder.read(folder), BEGIN - DAY).warnings


def test_the_list_of_a_ca_that_has_ended_is_the_last(folder: Path) -> None:
    """Nobody can renew it, so nobody is told to, for ever."""
    at = BEGIN + 1090 * DAY
    read = KeyFolder.read(folder)
    root = keys.open_root(read, None)
    keys.renew_issuing_ca(read, root, SECRETS, at, in_token=False)
    renew(folder, at)
    renew_list(KeyFolder.read(folder), "root", root, at)
    soon = at + DAY
    assert keys_state(KeyFolder.read(folder), soon).warnings == ("revocation-list-stale",)
    assert keys_state(KeyFolder.read(folder), at + 6 * DAY).warnings == ()


def test_no_leaf_more_than_can_be_read(folder: Path) -> None:
    """The thousand-and-first would make the folder unusable, and nothing in it may be deleted."""
    for number in range(MAX_CERTIFICATES - 2):
        (folder / f"signing/{number}.pem").write_bytes(b"")
    renew(folder, BEGIN)
    with pytest.raises(KeyFolderUnusableError, match="signing certificates"):
        renew(folder, BEGIN)
    assert KeyFolder.read(folder).usable(KeyFolder.read(folder).leaves, BEGIN, BEGIN)
