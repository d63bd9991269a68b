"""A running server gives out its keys, and takes a renewed leaf without a restart."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from api.keys import keys
from api.keys.folder import KeyFolder
from api.keys.ring import KeyRing


def test_published_and_renewed_while_serving(start: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    begin = datetime.now(UTC) - timedelta(days=61)
    keys.init(folder, issuer="https://office.example", password=None, at=begin)
    server = start(keys=KeyRing.open(folder, None))
    with httpx.Client(base_url=server.url) as client:
        root = client.get("/v1/keys/root.pem")
        assert root.content == (folder / keys.ROOT).read_bytes()
        digest = client.get("/v1/keys").json()["files"]["root.pem"]["sha256"]
        assert hashlib.sha256(root.content).hexdigest() == digest
        first = client.get("/.well-known/jwks.json").json()["keys"]
        state = client.get("/v1/keys/state").json()
        assert (state["days_left"], state["warnings"][0]) == (29, "signing-key-ends-soon")

        now = datetime.now(UTC)
        read, secrets = KeyFolder.read(folder), keys.KeySecrets()
        keys.renew_leaf(read, keys.open_newest_issuing_ca(read, secrets, now), secrets, now)

        second = client.get("/.well-known/jwks.json").json()["keys"]
        assert second[1:] == first
        assert second[0]["kid"] == keys.load(folder, None).kid != first[0]["kid"]
        assert client.get("/v1/keys/state").json()["days_left"] == 90
        assert client.get("/v1/keys/offline/root.key.pem").status_code == 404
        missing = client.get("/v1/keys/root.key.pem")
        assert missing.headers["content-type"] == "application/problem+json"
        assert client.get("/openapi.json").status_code == 200


def test_pages_of_other_origins_read_keys_and_no_sessions(start: Callable[..., Any]) -> None:
    page = {"Origin": "https://elsewhere.example"}
    question = {**page, "Access-Control-Request-Method": "POST"}
    with httpx.Client(base_url=start().url, headers=page) as client:
        assert client.get("/v1/keys").headers["access-control-allow-origin"] == "*"
        answers = [
            client.get("/v1/procedures"),
            client.get("/v1/sessions/" + "0" * 32),
            client.get("/healthz"),
            client.options("/v1/sessions", headers=question),
            client.post("/v1/sessions", json={}),
        ]
    assert [answer.status_code for answer in answers] == [200, 404, 200, 405, 422]
    assert not any("access-control-allow-origin" in answer.headers for answer in answers)
