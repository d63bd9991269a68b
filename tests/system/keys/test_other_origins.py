"""A relying party's page in a browser, on another origin than the server, reads what is public."""

from datetime import UTC, datetime

import httpx
import pytest

from api.status.allocation import PATH
from tests.system.keys.conftest import PUBLIC_URL, PublicServer

PAGE = {"Origin": "https://notary.example"}


@pytest.fixture
def paths(server: PublicServer) -> list[str]:
    issuer = server.ring.current(datetime.now(UTC)).issuer
    place = server.statuses.allocation.reserve(issuer).reference
    files = httpx.get(f"{server.url}/v1/keys").json()["files"]
    return [
        *(f"/v1/keys/{name}" for name in files),
        *("/v1/keys", "/v1/keys/SHA256SUMS", PATH),
        *("/.well-known/jwks.json", "/.well-known/jwt-vc-issuer"),
        place.uri.removeprefix(PUBLIC_URL),
    ]


def refused(server: PublicServer, paths: list[str]) -> dict[str, int]:
    """Return paths that are refused, with the status of each."""
    of_others = server.statuses.allocation.reserve("https://before.example").reference
    return {
        "/v1/keys/nothing.pem": 404,
        "/.well-known/jwt-vc-issuer/other": 404,
        f"{PATH}/1": 422,
        of_others.uri.removeprefix(PUBLIC_URL): 404,
        f"{paths[-1]}?time=1686925000": 501,
    }


def test_a_page_reads_everything(server: PublicServer, paths: list[str]) -> None:
    for path in paths:
        # What a cache kept of somebody without an origin is answered to a page, too.
        for headers in (PAGE, {}):
            answer = httpx.get(server.url + path, headers=headers)
            assert answer.status_code == 200, path
            assert answer.headers["access-control-allow-origin"] == "*", path
            assert "access-control-allow-credentials" not in answer.headers, path


def test_a_page_sees_why_it_is_refused(server: PublicServer, paths: list[str]) -> None:
    for path, status in refused(server, paths).items():
        answer = httpx.get(server.url + path, headers=PAGE)
        assert (answer.status_code, answer.json()["status"]) == (status, status), path
        assert answer.headers["access-control-allow-origin"] == "*", path
    not_acceptable = httpx.get(server.url + paths[-1], headers={**PAGE, "Accept": "text/html"})
    assert not_acceptable.status_code == 406
    assert not_acceptable.headers["access-control-allow-origin"] == "*"


def test_a_page_asks_whether_anything_changed(server: PublicServer, paths: list[str]) -> None:
    for path in paths:
        asked = {"Access-Control-Request-Headers": "if-none-match"}
        question = {**PAGE, "Access-Control-Request-Method": "GET", **asked}
        allowed = httpx.options(server.url + path, headers=question)
        assert (allowed.status_code, allowed.content) == (204, b""), path
        assert allowed.headers["access-control-allow-origin"] == "*"
        assert "GET" in allowed.headers["access-control-allow-methods"].split(", ")
        assert allowed.headers["access-control-allow-headers"] == "*"
        answer = httpx.get(server.url + path, headers=PAGE)
        if "etag" in answer.headers:
            assert answer.headers["access-control-expose-headers"] == "ETag"
            tag = {"If-None-Match": answer.headers["etag"]}
            same = httpx.get(server.url + path, headers={**PAGE, **tag})
            assert (same.status_code, same.headers["access-control-allow-origin"]) == (304, "*")
