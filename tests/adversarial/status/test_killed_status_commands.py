"""`chinhchu status` killed before each change: a status is changed with its reason, or not."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from api.assertions.chain import load_roots
from api.assertions.status_array import Status, StatusReference
from api.assertions.status_list import verify_status
from api.keys import keys
from api.keys.ring import KeyRing
from api.status.lists import StatusLists
from api.store.database import open_database
from tests.fixtures.killed import Killed

ISSUER = "https://office.example"
SESSION = f"{7:032x}"


def open_lists(home: Path) -> StatusLists:
    engine = open_database(home / "chinhchu.sqlite")
    ring = KeyRing.open(home / "keys", None)
    return StatusLists.over(engine, ring, keep_links_s=3600, list_size=1 << 8)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    keys.init(tmp_path / "base/keys", issuer=ISSUER, password=None)
    lists = open_lists(tmp_path / "base")
    with Session(lists.allocation.engine) as db, db.begin():
        for number in range(2):
            db.add(lists.allocation.reserve(ISSUER).entry(jti=f"j{number}", session_id=SESSION))
    lists.allocation.engine.dispose()
    return tmp_path / "base"


def places(lists: StatusLists) -> tuple[StatusReference, ...]:
    return lists.register.of_session(SESSION)


def test_a_change(home: Path, killed: Killed) -> None:
    status = Status.INVALID
    reason = ("--reason", "ticket 9", "--by", "officer 3", "--all")
    counts = []
    for one in killed("status", "revoke", "--session", SESSION, *reason, base=home):
        lists = open_lists(one)
        entries = [lists.register.entry(place) for place in places(lists)]
        for entry in entries:
            assert [change.status for change in entry.changes] == [status][: len(entry.changes)]
            assert entry.status is (status if entry.changes else Status.VALID)
        counts.append(sum(entry.status is status for entry in entries))
        (summary,) = lists.register.lists()
        assert summary.changes == counts[-1]
        # What is served says the same.
        token = lists.publisher.published(summary.id).token
        assert [verified(one, token, entry.reference) for entry in entries] == [
            entry.status for entry in entries
        ]
        lists.allocation.engine.dispose()
    assert counts == sorted(counts)
    assert set(counts) == {0, 1, 2}


def verified(home: Path, token: str, place: StatusReference) -> Status:
    roots = load_roots((home / "keys" / keys.ROOT).read_bytes())
    return verify_status(token, place, roots=roots, issuer=ISSUER, at=datetime.now(UTC))


def test_closing(home: Path, killed: Killed) -> None:
    """The next index is of the list that was open, or of a new one; never one given out."""
    closed = []
    for one in killed("status", "close", base=home):
        lists = open_lists(one)
        place = lists.allocation.reserve(ISSUER).reference
        assert place not in places(lists)
        closed.append(place.uri != places(lists)[0].uri)
        lists.allocation.engine.dispose()
    assert closed == sorted(closed)
    assert (closed[0], closed[-1]) == (False, True)


def test_exporting(home: Path, killed: Killed) -> None:
    found: list[Any] = []
    for one in killed("status", "export", "{}/usb", base=home):
        files = list((one / "usb").glob("*.jwt")) if (one / "usb").exists() else []
        lists = open_lists(one)
        for file in files:
            verified(one, file.read_text("ascii"), places(lists)[0])
        found.append(len(files))
        lists.allocation.engine.dispose()
    assert found == sorted(found)
    assert set(found) == {0, 1}
