"""A server that asks an authority about each document: what the answer does to a session."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from joserfc.jwk import ECKey
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from api.proofing.online_authority import HttpAuthority, OnlineAuthority
from api.proofing.repository import utc_now
from api.store.tables import PieceRow, SessionRow
from devices.emrtd.verification.online_verdict import OnlineVerdictRecord, verify_signed_verdict
from devices.simulator.image import CardImage
from tests.fixtures.fake_authority import FakeAuthority

KEY = ECKey.generate_key("P-256")
PUBLIC_KEY = ECKey.import_key(KEY.as_dict(private=False))


@pytest.fixture
def office(start: Any) -> Iterator[Callable[..., Any]]:
    """Return a function that starts an authority and a server that asks it."""
    with ExitStack() as stack:

        def office_(**odd: Any) -> tuple[Any, FakeAuthority]:
            fake = stack.enter_context(FakeAuthority(odd.pop("key", KEY), **odd))
            authority = OnlineAuthority(HttpAuthority(fake.url, timeout_s=1), PUBLIC_KEY)
            return start(authority=authority), fake

        yield office_


def kept(server: Any) -> dict[str, bytes]:
    with Session(server.service.repository._engine) as db:
        return {row.kind: row.data for row in db.scalars(select(PieceRow))}


def test_genuine(
    office: Any, read_card: Any, perform: Any, send: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server, authority = office()
    session = server.open()
    answer = read_card(session)
    assert (answer["state"], answer["outcome"]) == ("chip", None)
    (question,) = authority.questions
    assert set(question) == {"lds_sha256", "nonce"}
    # The same evidence again is not asked about again.
    chip = kept(server)["chip"]
    session.put_chip(chip)
    assert len(authority.questions) == 1
    send(session, perform(session))
    decision = session.decide()
    assert (decision["outcome"], decision["reasons"]) == ("PASSED", [])
    # The evidence is gone, what the decision rests on is not, and proves it again.
    assert set(kept(server)) == {"online"}
    record = OnlineVerdictRecord.from_bytes(kept(server)["online"])
    assert verify_signed_verdict(record, PUBLIC_KEY).answer == "genuine"
    assert record.request.lds_sha256 == question["lds_sha256"]
    assert question["lds_sha256"] not in caplog.text


def test_refused(office: Any, read_card: Any) -> None:
    server, _ = office(verdict="refused")
    answer = read_card(server.open())
    assert (answer["outcome"], answer["reasons"]) == ("FAILED", ["online-verdict-refused"])
    (raw,) = kept(server).values()
    verdict = verify_signed_verdict(OnlineVerdictRecord.from_bytes(raw), PUBLIC_KEY)
    assert verdict.answer == "refused"


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ({"verdict": "unknown"}, "unknown"),
        ({"status": 503}, "unavailable"),
        ({"delay_s": 2.0}, "unavailable"),
        ({"key": ECKey.generate_key("P-256")}, "signature-invalid"),
        ({"nonce": "00"}, "mismatch"),
        ({"lds_sha256": "00" * 32}, "mismatch"),
        ({"iat": 1}, "expired"),
        ({"verdict": "passed"}, "malformed"),
        ({"padding": 1 << 20}, "unavailable"),
    ],
)
def test_no_answer_that_counts(
    office: Any, read_card: Any, odd: dict[str, Any], reason: str
) -> None:
    server, _ = office(**odd)
    answer = read_card(server.open())
    assert answer["state"] == "review"
    assert answer["outcome"] == "INDETERMINATE"
    assert answer["reasons"] == [f"online-verdict-{reason}"]
    assert set(kept(server)) == {"online"}


def test_nobody_is_asked_about_a_card_that_does_not_do(
    office: Any, read_card: Any, card: CardImage
) -> None:
    server, authority = office()
    answer = read_card(server.open(), card.cloned())
    assert answer["outcome"] == "FAILED"
    assert (authority.questions, kept(server)) == ([], {})


def test_an_authority_that_is_configured_meanwhile_has_to_agree(
    start: Any, read_card: Any, perform: Any, send: Any
) -> None:
    server = start()
    session = server.open()
    read_card(session)
    send(session, perform(session))
    authority = OnlineAuthority(HttpAuthority("http://127.0.0.1:9/", timeout_s=1), PUBLIC_KEY)
    object.__setattr__(server.service, "authority", authority)
    decision = session.decide()
    assert decision["outcome"] == "INDETERMINATE"
    assert decision["reasons"] == ["online-verdict-unavailable"]


def test_the_answer_is_forgotten_with_the_session(office: Any, read_card: Any) -> None:
    server, _ = office()
    session = server.open()
    read_card(session)
    assert set(kept(server)) == {"online", "chip", "ca"}
    session.cancel()
    assert kept(server) == {}


def test_the_answer_is_forgotten_after_a_day(office: Any, read_card: Any) -> None:
    server, _ = office(verdict="refused")
    read_card(server.open())
    repository = server.service.repository
    for hours, left in ((23, 1), (25, 0)):
        with Session(repository._engine) as db, db.begin():
            opened = utc_now() - timedelta(hours=hours)
            db.execute(update(SessionRow).values(created_at=opened))
        repository.expire_overdue()
        assert len(kept(server)) == left
