"""Who asks for the headers alone gets those of the whole, over a real socket."""

import http.client
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
import pytest

from api.status.allocation import PATH
from tests.system.keys.conftest import PUBLIC_URL, PublicServer


@pytest.fixture
def paths(server: PublicServer) -> list[str]:
    issuer = server.ring.current(datetime.now(UTC)).issuer
    place = server.statuses.allocation.reserve(issuer).reference
    files = httpx.get(f"{server.url}/v1/keys").json()["files"]
    return [
        *(f"/v1/keys/{name}" for name in files),
        *("/v1/keys", "/v1/keys/state", "/v1/keys/SHA256SUMS"),
        *("/.well-known/jwks.json", "/.well-known/jwt-vc-issuer", PATH),
        place.uri.removeprefix(PUBLIC_URL),
    ]


def ask(
    server: PublicServer, method: str, path: str, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Ask without a library that knows what an answer to HEAD is, and read to the end."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    connection.request(method, path, headers={"Connection": "close", **headers})
    assert connection.sock
    raw = connection.sock.makefile("rb").read()
    connection.close()
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    fields = dict(line.split(": ", 1) for line in lines[1:])
    fields.pop("date")
    return int(lines[0].split()[1]), fields, body


def test_head_is_get_without_the_body(server: PublicServer, paths: list[str]) -> None:
    for path in paths:
        status, headers, body = ask(server, "GET", path)
        assert (status, int(headers["content-length"])) == (200, len(body)), path
        assert len(body) > 0
        again, same, nothing = ask(server, "HEAD", path)
        assert (again, nothing) == (200, b""), path
        assert without_age(same) == without_age(headers), path


def without_age(headers: dict[str, str]) -> dict[str, str]:
    """Leave out what counts down."""
    return {name: value for name, value in headers.items() if name != "cache-control"}


def test_head_is_conditional_too(server: PublicServer, paths: list[str]) -> None:
    for path in paths:
        _, headers, _ = ask(server, "GET", path)
        if "etag" in headers:
            tag = {"If-None-Match": headers["etag"]}
            assert ask(server, "HEAD", path, **tag)[0::2] == (304, b""), path
            assert ask(server, "GET", path, **tag)[0::2] == (304, b""), path


@pytest.mark.parametrize("path", ["/v1/keys/root.key.pem", f"{PATH}/1", "/v1/nothing"])
def test_what_is_not_there(server: PublicServer, path: str) -> None:
    status, _, body = ask(server, "HEAD", path)
    assert (status, body) == (ask(server, "GET", path)[0], b"")
    assert status in (404, 422)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_is_written_from_there(server: PublicServer, paths: list[str], method: str) -> None:
    for path in paths:
        status, headers, _ = ask(server, method, path)
        # RFC 9110, 15.5.6: an answer 405 says what is allowed.
        allowed = headers.get("allow", "").split(", ")
        assert (status, sorted(allowed)) == (405, ["GET", "HEAD"]), path


def test_the_schema_names_each_once(server: PublicServer) -> None:
    schema = httpx.get(f"{server.url}/openapi.json")
    assert schema.status_code == 200
    assert all(set(path) == {"get"} for path in schema.json()["paths"].values())


def test_a_list_of_an_issuer_whose_keys_are_gone(server: PublicServer) -> None:
    place = server.statuses.allocation.reserve("https://before.example").reference
    path = place.uri.removeprefix(PUBLIC_URL)
    assert httpx.get(server.url + path).status_code == 404
    assert httpx.head(server.url + path).status_code == 404
