"""What the server tells of its own faults: a code to the caller, the rest to its operator."""

import asyncio
import logging

import httpx
import pytest
from fastapi import FastAPI

from api import problems
from api.assertions.errors import SigningKeyExpiredError
from api.proofing.dependencies import ApiKeyInvalidError
from api.proofing.states import StateConflictError


def _get(path: str) -> httpx.Response:
    app = FastAPI()
    problems.install(app)

    @app.get("/fault")
    def fault() -> None:
        raise SigningKeyExpiredError("no leaf in /srv/office/keys")

    @app.get("/stranger")
    def stranger() -> None:
        raise ApiKeyInvalidError("an API key is needed")

    @app.get("/conflict")
    def conflict() -> None:
        raise StateConflictError("the session is decided")

    async def answer() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return await client.get(path)

    return asyncio.run(answer())


def test_a_fault_of_the_server_names_none_of_its_folders(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = _get("/fault")
    assert (answer.status_code, answer.json()["code"]) == (500, SigningKeyExpiredError.code)
    assert answer.json()["detail"] == problems.SERVER_FAULT
    assert f"fault {SigningKeyExpiredError.code}: no leaf in /srv/office/keys" in caplog.messages


def test_who_is_not_known_is_told_how_to_say_it() -> None:
    """RFC 9110, 15.5.2: an answer 401 has a challenge."""
    answer = _get("/stranger")
    assert (answer.status_code, answer.headers.get("www-authenticate")) == (401, "Bearer")


def test_what_the_caller_did_is_told_to_the_caller() -> None:
    answer = _get("/conflict")
    assert (answer.status_code, answer.json()["detail"]) == (409, "the session is decided")
