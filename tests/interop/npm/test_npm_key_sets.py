"""jose finds the key of an assertion in what `keys publish` writes, whichever leaf signed it."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.assertions import sd_jwt
from api.keys import keys
from api.keys.folder import KeyFolder
from api.keys.publication import JWKS, publish
from benchmarks.peers.npm import Npm, NpmRefusedError
from tests.fixtures.office import AUDIENCE, ISSUER, Office

NOW = datetime.now(UTC)


def verify(npm: Npm, assertion: str, jwks: Any) -> Any:
    return npm.call(
        "jose",
        "verifyByKeySet",
        token=assertion.split("~")[0],
        jwks=jwks,
        typ="dc+sd-jwt",
        issuer=ISSUER,
        audience=AUDIENCE,
        at=int(NOW.timestamp()),
        skew=60,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keys.init(tmp_path / "keys", issuer=ISSUER, password=None)
    return tmp_path / "keys"


def published(folder: Path) -> Any:
    return json.loads(publish(KeyFolder.read(folder), NOW).files[JWKS].data)


def test_assertions_of_the_old_and_of_the_new_leaf(npm: Npm, office: Office, folder: Path) -> None:
    claims = office.claims(issued_at=NOW)
    old = sd_jwt.issue(claims, keys.load(folder, None))
    read = KeyFolder.read(folder)
    secrets = keys.KeySecrets()
    issuing_ca = keys.open_newest_issuing_ca(read, secrets, NOW)
    keys.renew_leaf(read, issuing_ca, secrets, datetime.now(UTC) + timedelta(minutes=1))
    new = sd_jwt.issue(claims, keys.load(folder, None))
    jwks = published(folder)
    assert len(jwks["keys"]) == 2
    kids = [sd_jwt.parse(assertion).issued.header["kid"] for assertion in (old, new)]
    assert sorted(kids) == sorted(key["kid"] for key in jwks["keys"])
    for assertion in (old, new):
        assert verify(npm, assertion, jwks)["payload"]["jti"] == claims.jti


def test_assertion_of_another_issuer(npm: Npm, office: Office, folder: Path) -> None:
    with pytest.raises(NpmRefusedError, match="JWKS"):
        verify(npm, office.issue(issued_at=NOW), published(folder))
