"""Allocation, changes and publishing over a real database."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from api.assertions import jws
from api.assertions.chain import load_roots
from api.assertions.signing_key import SigningKey
from api.assertions.status_list import Status, StatusReference, verify_status_list
from api.errors import ApiError
from api.keys import keys
from api.keys.ring import KeyRing
from api.status.lists import StatusLists
from api.status.publishing import LIFETIME_S, TTL_S
from api.status.read_only import matches
from api.status.routes import accepts
from api.store.database import open_database
from api.store.status_tables import StatusEntryRow, StatusListRow, StatusTokenRow

CHANGE = {"reason": "ticket 7", "who": "tests"}


class Ring:
    """Keys of which a test chooses the present one."""

    def __init__(self, *made: SigningKey) -> None:
        self.made = list(made)

    def current(self, at: datetime) -> SigningKey:
        return self.made[-1]


@pytest.fixture
def lists(tmp_path: Path, office: Any) -> StatusLists:
    engine = open_database(tmp_path / "db.sqlite")
    return StatusLists.over(engine, Ring(office.key), keep_links_s=3600, list_size=1 << 10)


def reserve(lists: StatusLists) -> StatusReference:
    return lists.allocation.reserve("https://chinhchu.example").reference


def code_of(call: Any, *arguments: Any, **named: Any) -> str:
    with pytest.raises(ApiError) as error:
        call(*arguments, **named)
    return error.value.code


@pytest.mark.parametrize(
    ("steps", "refused"),
    [
        ("suspend reinstate suspend revoke", None),
        ("revoke", None),
        ("revoke reinstate", "status-final"),
        ("revoke suspend", "status-final"),
        ("suspend revoke reinstate", "status-final"),
    ],
)
def test_what_may_follow_what(lists: StatusLists, steps: str, refused: str | None) -> None:
    place = reserve(lists)
    *first, last = steps.split()
    for step in first:
        getattr(lists.register, step)(place, **CHANGE)
    if refused:
        assert code_of(getattr(lists.register, last), place, **CHANGE) == refused
        assert lists.register.entry(place).status is Status.INVALID
    else:
        getattr(lists.register, last)(place, **CHANGE)
    expected = len(first) + (refused is None)
    assert len(lists.register.entry(place).changes) == expected


def test_the_same_again_changes_nothing(lists: StatusLists) -> None:
    place = reserve(lists)
    for _ in range(3):
        lists.register.suspend(place, **CHANGE)
    lists.register.revoke(place, **CHANGE)
    lists.register.revoke(place, **CHANGE)
    changes = lists.register.entry(place).changes
    assert [c.status for c in changes] == [Status.SUSPENDED, Status.INVALID]
    assert {(c.reason, c.who) for c in changes} == {("ticket 7", "tests")}
    assert all(abs(c.at - datetime.now(UTC)) < timedelta(minutes=1) for c in changes)


@pytest.mark.parametrize("text", ["", "  ", "a\nb", "x" * 201, "\x1b[2J", "a\u202eb"])
def test_a_change_needs_a_plain_reason_and_a_name(lists: StatusLists, text: str) -> None:
    place = reserve(lists)
    for wrong in ({"reason": text, "who": "me"}, {"reason": "why", "who": text}):
        assert code_of(lists.register.revoke, place, **wrong) == "status-reason-missing"
    assert lists.register.entry(place).status is Status.VALID


def test_an_index_that_nobody_has_cannot_be_revoked(lists: StatusLists) -> None:
    """Else the assertion that gets it one day would be born revoked."""
    places = [reserve(lists) for _ in range(5)]
    uri = places[0].uri
    free = next(i for i in range(1 << 10) if i not in {place.idx for place in places})
    for idx in (free, 1 << 10, -1):
        place = StatusReference(idx, uri)
        assert code_of(lists.register.revoke, place, **CHANGE) == "status-index-not-issued"
        assert code_of(lists.register.entry, place) == "status-index-not-issued"
    other = StatusReference(0, "urn:uuid:00000000-0000-4000-8000-000000000000")
    assert code_of(lists.register.revoke, other, **CHANGE) == "status-list-unknown"


def test_closed_lists_give_nothing_out_and_are_served_on(lists: StatusLists) -> None:
    first = reserve(lists)
    assert lists.allocation.close() == 1
    assert lists.allocation.close() == 0
    second = reserve(lists)
    assert first.uri != second.uri
    lists.register.suspend(first, **CHANGE)
    assert lists.register.entry(first).status is Status.SUSPENDED
    assert lists.publisher.uris() == [first.uri, second.uri]


def test_a_full_list_forgets_the_order_of_its_indices(tmp_path: Path, office: Any) -> None:
    engine = open_database(tmp_path / "db.sqlite")
    lists = StatusLists.over(engine, Ring(office.key), keep_links_s=0, list_size=16)
    for _ in range(17):
        reserve(lists)
    with Session(engine) as db:
        rows = db.scalars(select(StatusListRow).order_by(StatusListRow.created_at)).all()
        assert [(row.used, row.permutation_key is None) for row in rows] == [(16, True), (1, False)]


def test_another_public_url_or_issuer_has_lists_of_its_own(tmp_path: Path, office: Any) -> None:
    engine = open_database(tmp_path / "db.sqlite")

    def over(url: str | None) -> StatusLists:
        return StatusLists.over(
            engine, Ring(office.key), keep_links_s=0, public_url=url, list_size=16
        )

    issuer = office.key.issuer
    urls = (None, "https://a.example", "https://a.example/b", "https://a_example")
    uris = [over(url).allocation.reserve(issuer).reference.uri for url in urls]
    assert len(set(uris)) == 4
    assert uris[0].startswith("urn:uuid:")
    assert uris[1].startswith("https://a.example/v1/status-lists/")
    assert [over(url).allocation.reserve(issuer).reference.uri for url in urls] == uris
    assert over(None).allocation.reserve("https://other.example").reference.uri not in uris


def test_links_are_forgotten_and_statuses_stay(lists: StatusLists) -> None:
    reserved = lists.allocation.reserve("https://chinhchu.example")
    engine = lists.register.engine
    with Session(engine) as db, db.begin():
        db.add(reserved.entry(jti="jti-1", session_id="s-1"))
    place = reserved.reference
    assert lists.register.of_jti("jti-1") == lists.register.of_session("s-1") == (place,)
    lists.register.suspend(place, **CHANGE)
    assert lists.forget_links() == 0
    with Session(engine) as db, db.begin():
        ago = datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=3601)
        db.execute(update(StatusEntryRow).values(at=ago))
    assert lists.forget_links() == 1
    assert code_of(lists.register.of_jti, "jti-1") == "assertion-unknown"
    assert code_of(lists.register.of_session, "s-1") == "assertion-unknown"
    entry = lists.register.entry(place)
    assert (entry.status, entry.jti, entry.session_id) == (Status.SUSPENDED, None, None)
    lists.register.revoke(place, **CHANGE)  # who holds the assertion names its place


def published(lists: StatusLists, place: StatusReference, at: datetime | None = None) -> Any:
    return lists.publisher.published(place.uri.removeprefix("urn:uuid:"), at)


def test_a_token_is_kept_until_something_changes_or_half_its_time_is_over(
    lists: StatusLists, office: Any
) -> None:
    place = reserve(lists)
    at = office.at
    first = published(lists, place, at)
    claims = jws.parse(first.token).payload
    assert (claims["ttl"], claims["exp"] - claims["iat"]) == (TTL_S, LIFETIME_S)
    assert published(lists, place, at + timedelta(seconds=TTL_S / 2 - 1)) == first
    renewed = published(lists, place, at + timedelta(seconds=TTL_S / 2))
    assert renewed.etag != first.etag
    lists.register.suspend(place, **CHANGE)
    changed = published(lists, place, at + timedelta(seconds=TTL_S / 2))
    assert changed.etag not in (first.etag, renewed.etag)
    roots = load_roots(office.root_pem)
    verified = verify_status_list(
        changed.token, uri=place.uri, roots=roots, issuer=office.key.issuer, at=changed.issued_at
    )
    assert verified.status(place.idx) is Status.SUSPENDED


def test_a_new_leaf_signs_anew_and_another_issuer_does_not(
    lists: StatusLists, office: Any, tmp_path: Path
) -> None:
    place = reserve(lists)
    first = published(lists, place, office.at)
    ring: Any = lists.publisher.keys
    ring.made.append(office.key_of(office.leaf()))
    assert published(lists, place, office.at).token != first.token
    folder = tmp_path / "other"
    keys.init(folder, issuer="https://other.example", password=None)
    ring.made.append(KeyRing.open(folder, None).current(datetime.now(UTC)))
    assert code_of(published, lists, place) == "status-list-other-issuer"


def test_no_token_outlives_its_leaf(lists: StatusLists, office: Any) -> None:
    place = reserve(lists)
    end = office.key.not_after
    token = published(lists, place, end - timedelta(minutes=5)).token
    claims = jws.parse(token).payload
    assert claims["exp"] == int(end.timestamp())
    assert claims["ttl"] == 300


@pytest.mark.parametrize("days", [1, 31])
def test_exported_token_holds_for_days(lists: StatusLists, office: Any, days: int) -> None:
    place = reserve(lists)
    token = lists.publisher.exported(place.uri.removeprefix("urn:uuid:"), days, office.at)
    arguments: dict[str, Any] = {
        "uri": place.uri,
        "roots": load_roots(office.root_pem),
        "issuer": office.key.issuer,
    }
    last = office.at + timedelta(days=days, seconds=-1)
    assert verify_status_list(token, **arguments, at=last).status(place.idx) is Status.VALID
    late = last + timedelta(seconds=62)
    assert code_of(verify_status_list, token, **arguments, at=late) == "status-list-stale"


@pytest.mark.parametrize("days", [0, -1, 32])
def test_exporting_for_too_long_is_refused(lists: StatusLists, days: int) -> None:
    place = reserve(lists)
    with pytest.raises(ValueError, match="days"):
        lists.publisher.exported(place.uri.removeprefix("urn:uuid:"), days)


def test_many_requests_at_once_sign_once(lists: StatusLists, office: Any) -> None:
    place = reserve(lists)
    tokens: list[str] = []
    threads = [
        threading.Thread(target=lambda: tokens.append(published(lists, place, office.at).token))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 8
    assert len(set(tokens)) == 1
    with Session(lists.register.engine) as db:
        assert len(db.scalars(select(StatusTokenRow)).all()) == 1


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        (None, True),
        ("", True),
        ("*/*", True),
        ("application/*", True),
        ("APPLICATION/StatusList+JWT; q=0.2", True),
        ("text/html", False),
        ("*/*;q=0", False),
        ("*/*, application/*;q=0", False),
        ("application/*;q=0, application/statuslist+jwt", True),
        ("application/statuslist+jwt;q=x", False),
    ],
)
def test_accept_header(header: str | None, accepted: bool) -> None:
    assert accepts(header, "application/statuslist+jwt") is accepted


def test_if_none_match_header() -> None:
    assert matches('W/"a", "b"', '"b"')
    assert matches('W/"b"', '"b"')
    assert matches("*", '"b"')
    assert not matches('"c"', '"b"')


def test_a_forgotten_link_is_in_no_file(tmp_path: Path, office: Any) -> None:
    """Neither in the database nor in its log, while the server goes on."""
    engine = open_database(tmp_path / "chinhchu.sqlite")
    keys_ = Ring(office.key)
    lists = StatusLists.over(engine, keys_, keep_links_s=3600, list_size=1 << 10)
    jti, session = "jti-that-nobody-may-find", "session-that-nobody-may-find"
    for number in range(200):
        reserved = lists.allocation.reserve("https://chinhchu.example")
        with Session(engine) as db, db.begin():
            db.add(reserved.entry(jti=f"{jti}-{number}", session_id=f"{session}-{number}"))

    def is_there(text: str) -> bool:
        return any(text.encode() in file.read_bytes() for file in tmp_path.iterdir())

    assert is_there(jti)
    assert is_there(session)
    with Session(engine) as db, db.begin():
        ago = datetime.now(UTC).replace(tzinfo=None) - timedelta(seconds=3601)
        db.execute(update(StatusEntryRow).values(at=ago))
    assert lists.forget_links() == 200
    assert not is_there(jti)
    assert not is_there(session)
    engine.dispose()
