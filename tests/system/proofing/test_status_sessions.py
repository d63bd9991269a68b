"""The status of an assertion, from its issue through a running server to its revocation."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.assertions import jws, sd_jwt
from api.assertions.status_list import StatusReference
from api.assertions.verifier import Verification, verify
from api.keys.ring import KeyRing
from api.status.errors import AssertionUnknownError, StatusFinalError
from api.status.lists import StatusLists
from api.store.database import open_database

DOCUMENT = b"%PDF-1.7 a specimen"


@pytest.fixture
def statuses(tmp_path: Path, keys_folder: Path) -> StatusLists:
    """The lists beside the sessions of the test's server."""
    return StatusLists.over(
        open_database(tmp_path / "sessions.sqlite"),
        KeyRing.open(keys_folder, None),
        keep_links_s=3600,
        public_url="https://proofing.example",
        list_size=1 << 12,
    )


def judge(assertion: str, root: bytes, *lists: str) -> Verification:
    return verify(
        assertion,
        documents=[DOCUMENT],
        roots=[root],
        audience="https://notary.example",
        nonce="nonce-of-the-notary",
        status_lists=lists,
    )


def reference_of(assertion: str) -> StatusReference:
    reference = StatusReference.from_payload(sd_jwt.parse(assertion).issued.payload)
    assert reference is not None
    return reference


def test_an_assertion_is_issued_suspended_reinstated_and_revoked(
    start: Any, statuses: StatusLists, read_card: Any, perform: Any, send: Any, root: bytes
) -> None:
    server = start(statuses=statuses)
    session = server.open()
    read_card(session)
    send(session, perform(session))
    assert session.decide()["outcome"] == "PASSED"
    assertion = session.assertion()
    place = reference_of(assertion)
    assert place.uri.startswith("https://proofing.example/v1/status-lists/")
    path = place.uri.removeprefix("https://proofing.example")

    alone = judge(assertion, root)
    assert (alone.outcome, alone.reasons) == ("INDETERMINATE", ("status-unknown",))

    def fetch() -> str:
        answer = httpx.get(server.url + path)
        assert answer.headers["content-type"].startswith("application/statuslist+jwt")
        return answer.text

    old = fetch()
    assert judge(assertion, root, old).outcome == "PASSED"
    change = {"reason": "ticket 41", "who": "tests"}
    assert statuses.register.of_session(session.session_id) == (place,)
    (found,) = statuses.register.of_dossier("D-1", "https://notary.example")
    assert found == place
    for act, outcome, reasons in (
        (statuses.register.suspend, "FAILED", ("suspended",)),
        (statuses.register.reinstate, "PASSED", ()),
        (statuses.register.revoke, "FAILED", ("revoked",)),
    ):
        act(place, **change)
        judged = judge(assertion, root, fetch())
        assert (judged.outcome, judged.reasons) == (outcome, reasons)
    with pytest.raises(StatusFinalError):
        statuses.register.reinstate(place, **change)
    # The newest of several decides, whatever their order.
    assert judge(assertion, root, fetch(), old).outcome == "FAILED"
    entry = statuses.register.entry(place)
    assert [(c.previous.name, c.status.name) for c in entry.changes] == [
        ("VALID", "SUSPENDED"),
        ("SUSPENDED", "VALID"),
        ("VALID", "INVALID"),
    ]
    assert entry.session_id == session.session_id
    assert entry.jti == sd_jwt.parse(assertion).issued.payload["jti"]


def test_an_assertion_that_is_not_stored_leaves_no_link(
    start: Any,
    statuses: StatusLists,
    read_card: Any,
    perform: Any,
    send: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = start(statuses=statuses)
    session = server.open()
    read_card(session)
    send(session, perform(session))
    row = server.service.repository.get(session.session_id)
    store = server.service.repository.move

    def cut_off(*arguments: Any, **values: Any) -> None:
        if values.get("assertion"):
            raise RuntimeError("the power is gone")
        store(*arguments, **values)

    monkeypatch.setattr(server.service.repository, "move", cut_off)
    with pytest.raises(RuntimeError):
        server.service.decide(row)
    with pytest.raises(AssertionUnknownError):
        statuses.register.of_session(session.session_id)
    (found,) = statuses.register.lists()
    assert (found.used, found.changes) == (1, 0)


def test_lists_are_served_to_anyone_with_caching(start: Any, statuses: StatusLists) -> None:
    url = start(statuses=statuses).url
    issuer = statuses.publisher.keys.current(datetime.now(UTC)).issuer
    place = statuses.allocation.reserve(issuer).reference
    at = url + place.uri.removeprefix("https://proofing.example")
    assert httpx.get(f"{url}/v1/status-lists").json() == {"status_lists": [place.uri]}

    first = httpx.get(at)
    ttl = jws.parse(first.text).payload["ttl"]
    directives = first.headers["cache-control"].split(", ")
    age = int(directives[1].removeprefix("max-age="))
    assert directives[0] == "public"
    assert ttl / 2 <= age <= ttl
    tag = first.headers["etag"]
    for wanted in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = httpx.get(at, headers={"If-None-Match": wanted})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert httpx.get(at, headers={"If-None-Match": '"other"'}).status_code == 200
    statuses.register.suspend(place, reason="ticket 1", who="tests")
    changed = httpx.get(at, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.headers["etag"] != tag) == (200, True)


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("application/statuslist+jwt", 200),
        ("text/html, application/*;q=0.1", 200),
        ("*/*", 200),
        ("application/statuslist+cwt", 406),
        ("*/*, application/statuslist+jwt;q=0", 406),
    ],
)
def test_only_what_is_acceptable_is_served(
    start: Any, statuses: StatusLists, accept: str, status: int
) -> None:
    url = start(statuses=statuses).url
    issuer = statuses.publisher.keys.current(datetime.now(UTC)).issuer
    name = statuses.allocation.reserve(issuer).list_id
    answer = httpx.get(f"{url}/v1/status-lists/{name}", headers={"Accept": accept})
    assert answer.status_code == status


def test_what_is_not_served_is_said(start: Any, statuses: StatusLists) -> None:
    url = f"{start(statuses=statuses).url}/v1/status-lists"
    unknown = httpx.get(f"{url}/00000000-0000-4000-8000-000000000000")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "status-list-unknown")
    issuer = statuses.publisher.keys.current(datetime.now(UTC)).issuer
    name = statuses.allocation.reserve(issuer).list_id
    past = httpx.get(f"{url}/{name}", params={"time": 1686925000})
    assert (past.status_code, past.json()["code"]) == (501, "status-history-not-supported")
    assert httpx.get(f"{url}/1").status_code == 422
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert httpx.request(method, f"{url}/{name}").status_code == 405


def test_a_server_without_lists_issues_what_cannot_be_revoked(server: Any) -> None:
    assert httpx.get(f"{server.url}/v1/status-lists").json()["code"] == "status-list-unknown"
