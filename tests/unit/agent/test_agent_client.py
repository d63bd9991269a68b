"""The agent before servers that are none, and with arguments that a person mistyped."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from api.agent.client import (
    ProofingClient,
    ServerAnswerUnusableError,
    ServerRefusedError,
    ServerUnreachableError,
    TokenMalformedError,
)
from api.agent.reading import read_for_session
from devices.emrtd.lds.mrz import Can

Answering = Callable[..., ProofingClient]


@pytest.fixture
def answering() -> Any:
    """Return a function that makes a client whose server answers as told."""
    clients = []

    def make(answer: Callable[[httpx.Request], httpx.Response]) -> ProofingClient:
        client = ProofingClient("http://server.example")
        client._http.close()
        transport = httpx.MockTransport(answer)
        client._http = httpx.Client(base_url="http://server.example", transport=transport)
        clients.append(client)
        return client

    yield make
    for client in clients:
        client._http.close()


@pytest.mark.parametrize("content", [b"<html>", b"", b"[]", b"null", b"\xff", b"[" * 10_000])
def test_something_else_answers(answering: Answering, content: bytes) -> None:
    client = answering(lambda _: httpx.Response(200, content=content))
    with pytest.raises(ServerAnswerUnusableError):
        client.create_session({})


@pytest.mark.parametrize("content", [b"<html>", b"[]", b"[" * 10_000, b'{"code": 1}'])
def test_refusal_without_a_problem(answering: Answering, content: bytes) -> None:
    client = answering(lambda _: httpx.Response(502, content=content))
    with pytest.raises(ServerRefusedError) as refused:
        client.create_session({})
    assert (refused.value.code, refused.value.retryable) == ("server-refused", True)


CHALLENGE = {"oid": "0.4.0.127", "key_id": None, "public_key": "0405", "command": "0cb08e0000"}


@pytest.mark.parametrize(
    "change",
    [
        {"oid": None},
        {"oid": "9.4"},
        {"oid": "0"},
        {"oid": "0." + "1." * 40 + "1"},
        {"key_id": 256},
        {"key_id": "1"},
        {"key_id": True},
        {"public_key": ""},
        {"public_key": "no hex"},
        {"public_key": "00" * 2000},
        {"command": "0cb0"},
        {"command": "00b08e0020"},
        {"command": "00" * 300},
        {"command": None},
    ],
)
def test_challenges_that_no_chip_is_given(answering: Answering, change: dict[str, Any]) -> None:
    client = answering(lambda _: httpx.Response(200, json=CHALLENGE | change))
    with pytest.raises(ServerAnswerUnusableError):
        client.session("a", "b").challenge_chip(b"", short_identifiers=True)


def test_a_server_that_runs_no_such_variant(answering: Answering) -> None:
    problem = {"code": "chip-authentication-unsupported", "detail": "none", "retryable": False}
    client = answering(lambda _: httpx.Response(422, json=problem))
    assert client.session("a", "b").challenge_chip(b"", short_identifiers=True) is None
    client = answering(lambda _: httpx.Response(422, json=problem | {"code": "file-malformed"}))
    with pytest.raises(ServerRefusedError):
        client.session("a", "b").challenge_chip(b"", short_identifiers=True)


def test_garbled_transfer(answering: Answering) -> None:
    def garbled(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-encoding": "gzip"}, content=b"no gzip")

    with pytest.raises(ServerUnreachableError):
        answering(garbled).create_session({})


@pytest.mark.parametrize("token", ["mã", "a\r\nX-Y: z", "\x00"])
def test_token_that_cannot_be_one(answering: Answering, token: str) -> None:
    client = answering(lambda _: httpx.Response(200, json={}))
    with pytest.raises(TokenMalformedError) as refused:
        client.session("a" * 32, token).read()
    assert token not in str(refused.value)


@pytest.mark.parametrize("session_id", ["../../healthz", "a/../b", "a?b", "a#b", "phiên", "a b"])
def test_session_id_stays_one_step_of_the_path(answering: Answering, session_id: str) -> None:
    paths = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path)
        return httpx.Response(200, json={})

    answering(answer).session(session_id, "token").read()
    assert paths[0].startswith(b"/v1/sessions/")
    assert paths[0].count(b"/") == 3
    assert b"?" not in paths[0]


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"state": "consented", "data_groups": None, "chip_challenge": "00" * 8},
        {"state": "consented", "data_groups": ["x"], "chip_challenge": "00" * 8},
        {"state": "consented", "data_groups": [1], "chip_challenge": "xyz"},
        {"state": "consented", "data_groups": [1], "chip_challenge": 5},
    ],
)
def test_card_is_not_touched_for_an_answer_that_is_none(
    answering: Answering, wanted: dict[str, Any]
) -> None:
    session = answering(lambda _: httpx.Response(200, json=wanted)).session("a", "token")
    untouchable: Any = object()
    with pytest.raises(ServerAnswerUnusableError):
        read_for_session(session, untouchable, Can("123456"))
