"""Assertions that were revoked or suspended, and lists that cannot say so."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.assertions import jws
from api.assertions.status_array import StatusArray
from api.assertions.status_list import TYPE as LIST_TYPE
from api.assertions.status_list import Status, sign_status_list
from api.assertions.verification import CheckName

URI = "https://chinhchu.example/v1/status-lists/0"
IDX = 41
HOUR = timedelta(hours=1)
REFERENCE = {"status_list": {"idx": IDX, "uri": URI}}


def assertion(office: Any, status: Any = REFERENCE) -> str:
    signed: str = office.sign(lambda payload: payload.update(status=status))
    return signed


def status_list(office: Any, status: int = Status.VALID, **how: Any) -> str:
    at = how.pop("at", office.at - HOUR)
    size = how.pop("size", 1000)
    statuses = StatusArray.of_valid(size)
    if statuses.size > IDX:
        statuses = statuses.set(IDX, status)
    given = {"uri": URI, "key": office.key, "at": at, "expires_at": at + 24 * HOUR, "ttl_s": 43_200}
    return sign_status_list(statuses, **{**given, **how})


def verify(office: Any, *lists: str | bytes, **changes: Any) -> Any:
    return office.verify(assertion(office), status_lists=lists, **changes)


def test_valid(office: Any, passes: Callable[..., None]) -> None:
    passes(verify(office, status_list(office)), CheckName.STATUS)


def test_list_as_bytes_with_a_line_end(office: Any, passes: Callable[..., None]) -> None:
    passes(verify(office, status_list(office).encode() + b"\n"), CheckName.STATUS)


@pytest.mark.parametrize(
    ("status", "reason"), [(Status.INVALID, "revoked"), (Status.SUSPENDED, "suspended")]
)
def test_not_valid(office: Any, fails: Callable[..., None], status: Status, reason: str) -> None:
    fails(verify(office, status_list(office, status)), reason)


def test_status_that_is_not_known(office: Any, fails: Callable[..., None]) -> None:
    fails(verify(office, status_list(office, 3)), "status-value-unknown")


def test_index_out_of_range(office: Any, fails: Callable[..., None]) -> None:
    fails(verify(office, status_list(office, size=IDX - 5)), "status-index-out-of-range")


@pytest.mark.parametrize(
    "status",
    [
        None,
        {},
        [],
        "valid",
        {"status_list": {"idx": -1, "uri": URI}},
        {"status_list": {"idx": True, "uri": URI}},
        {"status_list": {"idx": 1.0, "uri": URI}},
        {"status_list": {"idx": 1, "uri": ""}},
        {"status_list": {"idx": 1}},
        {"status_list": [1, URI]},
    ],
)
def test_reference_to_nowhere(office: Any, fails: Callable[..., None], status: Any) -> None:
    signed = assertion(office, status)
    fails(office.verify(signed, status_lists=[status_list(office)]), "status-reference-malformed")
    fails(office.verify(signed), "status-reference-malformed")


def test_no_list(office: Any, is_unknown: Callable[..., None]) -> None:
    is_unknown(verify(office), "status-unknown")


def test_stale_list(office: Any, is_unknown: Callable[..., None]) -> None:
    stale = status_list(office, at=office.at - 25 * HOUR)
    is_unknown(verify(office, stale), "status-list-stale")


def test_stale_by_its_time_to_live(office: Any, is_unknown: Callable[..., None]) -> None:
    stale = status_list(office, at=office.at - 2 * HOUR, ttl_s=3600)
    is_unknown(verify(office, stale), "status-list-stale")


def test_list_for_another_subject(office: Any, is_unknown: Callable[..., None]) -> None:
    other = status_list(office, uri=URI[:-1] + "1")
    is_unknown(verify(office, other), "status-list-other-subject")


def test_list_of_another_issuer(
    office: Any, other_office: Any, is_unknown: Callable[..., None]
) -> None:
    is_unknown(verify(office, status_list(other_office)), "status-list-untrusted")


def test_list_of_the_future(office: Any, is_unknown: Callable[..., None]) -> None:
    is_unknown(
        verify(office, status_list(office, at=office.at + HOUR)), "status-list-not-yet-valid"
    )


@pytest.mark.parametrize("junk", ["", "a.b.c", b"\xff\xfe", "A" * 1000])
def test_something_else_than_a_list(
    office: Any, is_unknown: Callable[..., None], junk: str | bytes
) -> None:
    is_unknown(verify(office, junk), "status-list-malformed")


def test_an_assertion_is_no_list(office: Any, is_unknown: Callable[..., None]) -> None:
    compact = assertion(office).split("~")[0]
    is_unknown(verify(office, compact), "status-list-untrusted")


def test_a_list_is_no_assertion(office: Any, fails: Callable[..., None]) -> None:
    fails(office.verify(status_list(office) + "~"), "type-not-allowed")


def test_changed_list(office: Any, is_unknown: Callable[..., None]) -> None:
    header, _, signature = status_list(office, Status.INVALID).split(".")
    payload = status_list(office).split(".")[1]
    is_unknown(verify(office, f"{header}.{payload}.{signature}"), "status-list-untrusted")


def test_the_newest_of_several_counts(
    office: Any, passes: Callable[..., None], fails: Callable[..., None]
) -> None:
    suspended = status_list(office, Status.SUSPENDED, at=office.at - 2 * HOUR)
    reinstated = status_list(office, at=office.at - HOUR)
    passes(verify(office, suspended, reinstated), CheckName.STATUS)
    passes(verify(office, reinstated, suspended), CheckName.STATUS)
    revoked = status_list(office, Status.INVALID, at=office.at)
    fails(verify(office, suspended, reinstated, revoked), "revoked")


@pytest.mark.parametrize(
    ("status", "reason"), [(Status.INVALID, "revoked"), (Status.SUSPENDED, "suspended")]
)
def test_of_two_lists_of_one_second_the_worse_counts(
    office: Any, fails: Callable[..., None], status: Status, reason: str
) -> None:
    """Fetched, and fetched again after a change, within a second."""
    lists = [status_list(office), status_list(office, status)]
    fails(verify(office, *lists), reason)
    fails(verify(office, *reversed(lists)), reason)


def test_revoked_is_for_good(office: Any, fails: Callable[..., None]) -> None:
    """As where two servers sign at once, or one was restored from a backup."""
    revoked = status_list(office, Status.INVALID, at=office.at - 2 * HOUR)
    fails(verify(office, revoked, status_list(office)), "revoked")


class TestListsOfAnotherTime:
    """A list that is too old or too new proves nothing good; what it revoked is told."""

    @pytest.fixture
    def too_old(self, office: Any) -> str:
        return status_list(office, Status.INVALID, at=office.at - 48 * HOUR)

    def test_stale_list_that_revokes(
        self, office: Any, is_unknown: Callable[..., None], too_old: str
    ) -> None:
        is_unknown(verify(office, too_old), "status-list-stale-revoked")

    def test_beside_a_stale_one_that_does_not(
        self, office: Any, is_unknown: Callable[..., None], too_old: str
    ) -> None:
        stale = status_list(office, at=office.at - 47 * HOUR)
        for lists in ((stale, too_old), (too_old, stale), ("junk", too_old)):
            is_unknown(verify(office, *lists), "status-list-stale-revoked")

    def test_beside_a_fresh_one_that_says_valid(
        self, office: Any, is_unknown: Callable[..., None], too_old: str
    ) -> None:
        is_unknown(verify(office, status_list(office), too_old), "status-list-stale-revoked")

    def test_beside_a_fresh_one_that_revokes_too(
        self, office: Any, fails: Callable[..., None], too_old: str
    ) -> None:
        fails(verify(office, status_list(office, Status.INVALID), too_old), "revoked")

    def test_stale_list_that_suspends(
        self, office: Any, is_unknown: Callable[..., None], passes: Callable[..., None]
    ) -> None:
        """What was suspended may have been reinstated."""
        stale = status_list(office, Status.SUSPENDED, at=office.at - 48 * HOUR)
        is_unknown(verify(office, stale), "status-list-stale")
        passes(verify(office, stale, status_list(office)), CheckName.STATUS)

    def test_stale_list_that_has_no_such_place(
        self, office: Any, is_unknown: Callable[..., None]
    ) -> None:
        stale = status_list(office, size=IDX - 5, at=office.at - 48 * HOUR)
        is_unknown(verify(office, stale), "status-list-stale")

    def test_list_that_revokes_after_the_time_asked_about(
        self, office: Any, is_unknown: Callable[..., None]
    ) -> None:
        later = status_list(office, Status.INVALID, at=office.at + 2 * HOUR)
        is_unknown(verify(office, later), "status-list-later-revoked")
        is_unknown(verify(office, status_list(office), later), "status-list-later-revoked")

    def test_stale_list_of_another_issuer_says_nothing(
        self, office: Any, other_office: Any, passes: Callable[..., None]
    ) -> None:
        foreign = status_list(other_office, Status.INVALID, at=office.at - 48 * HOUR)
        passes(verify(office, status_list(office), foreign), CheckName.STATUS)


def changed(office: Any, **claims: Any) -> str:
    """Return a list of the issuer with further claims."""
    payload = jws.parse(status_list(office)).payload | claims
    return jws.sign({"typ": LIST_TYPE, "x5c": list(office.key.x5c)}, payload, office.key)


@pytest.mark.parametrize("ahead", [61, 3600.5, 10**400])
def test_list_that_holds_from_a_later_time(
    office: Any, is_unknown: Callable[..., None], ahead: float
) -> None:
    """RFC 7519 §4.1.5, although no Status List Token needs the claim."""
    later = changed(office, nbf=int(office.at.timestamp()) + ahead)
    is_unknown(verify(office, later), "status-list-not-yet-valid")


def test_list_that_holds_since_a_time(office: Any, passes: Callable[..., None]) -> None:
    passes(verify(office, changed(office, nbf=int(office.at.timestamp()) + 60)), CheckName.STATUS)
    passes(verify(office, changed(office, nbf=0)), CheckName.STATUS)


@pytest.mark.parametrize("not_before", [None, "1795230000", True, []])
def test_list_that_holds_from_no_time(
    office: Any, is_unknown: Callable[..., None], not_before: Any
) -> None:
    is_unknown(verify(office, changed(office, nbf=not_before)), "status-list-malformed")


@pytest.mark.parametrize("audience", ["another-office", ["another-office"], None])
def test_list_for_someone_else(office: Any, is_unknown: Callable[..., None], audience: Any) -> None:
    """RFC 7519 §4.1.3: whoever a token does not name rejects it."""
    is_unknown(verify(office, changed(office, aud=audience)), "status-list-malformed")


def test_list_until_the_end_of_time(office: Any, passes: Callable[..., None]) -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    statuses = StatusArray.of_valid(100)
    claims = {
        "sub": URI,
        "iat": int(office.at.timestamp()),
        "exp": int(last.timestamp()),
        "status_list": statuses.encode(),
    }
    token = jws.sign({"typ": LIST_TYPE, "x5c": list(office.key.x5c)}, claims, office.key)
    passes(verify(office, token), CheckName.STATUS)


def test_list_from_the_beginning_of_time(office: Any, is_unknown: Callable[..., None]) -> None:
    claims = {
        "sub": URI,
        "iat": -62_135_596_800,  # the year 1
        "ttl": 600,
        "status_list": StatusArray.of_valid(100).encode(),
    }
    token = jws.sign({"typ": LIST_TYPE, "x5c": list(office.key.x5c)}, claims, office.key)
    is_unknown(verify(office, token), "status-list-stale")


def test_lists_that_cannot_be_believed_do_not_hinder_one_that_can(
    office: Any, other_office: Any, fails: Callable[..., None]
) -> None:
    others = (
        status_list(other_office),
        status_list(office, uri="urn:another"),
        "junk",
        status_list(office, at=office.at - 48 * HOUR),
    )
    fails(verify(office, *others, status_list(office, Status.INVALID)), "revoked")


def test_of_several_unusable_lists_the_own_one_is_told_of(
    office: Any, is_unknown: Callable[..., None]
) -> None:
    other = status_list(office, uri="urn:another")
    stale = status_list(office, at=office.at - 48 * HOUR)
    is_unknown(verify(office, other, stale), "status-list-stale")
