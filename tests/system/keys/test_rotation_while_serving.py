"""Renewed, revoked, listed by the operator in other processes while a server issues: no request
fails, and all that it issued verifies under the one pinned root, from what was carried away."""

import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from api.assertions import sd_jwt
from api.assertions.verification import Outcome
from api.keys import keys
from api.keys.folder import KeyFolder
from tests.fixtures.office import Office
from tests.system.keys.conftest import PUBLIC_URL, PublicServer


def operate(server: PublicServer, *arguments: Any) -> None:
    """Run a command as the operator does, on the same folder."""
    done = subprocess.run(
        [sys.executable, "-m", "api.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "CHINHCHU_HOME": str(server.home), "PYTHONUTF8": "1"},
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr


class RelyingParty(threading.Thread):
    """Issues, and fetches what is published, over and over."""

    def __init__(self, server: PublicServer, office: Office) -> None:
        super().__init__(daemon=True)
        self.issued: list[tuple[float, str, str]] = []
        """When it was asked for, the key's `kid`, the assertion."""
        self.failures: list[object] = []
        self.done = threading.Event()
        self._server = server
        self._office = office

    def run(self) -> None:
        try:
            with httpx.Client(base_url=self._server.url) as client:
                while not self.done.is_set():
                    self._once(client)
                    time.sleep(0.02)  # the operator's processes need the machine too
        except BaseException as error:
            self.failures.append(error)

    def _once(self, client: httpx.Client) -> None:
        asked, now = time.monotonic(), datetime.now(UTC)
        key = self._server.ring.current(now)
        place = self._server.statuses.allocation.reserve(key.issuer).reference
        claims = self._office.claims(issued_at=now, status=place)
        self.issued.append((asked, key.kid, sd_jwt.issue(claims, key)))
        names = [place.uri.removeprefix(PUBLIC_URL), "/.well-known/jwks.json", "/v1/keys"]
        answers = {name: client.get(name) for name in names}
        self.failures += [answer for answer in answers.values() if answer.status_code != 200]
        # The key that signed is published by then.
        published = {one["kid"] for one in answers["/.well-known/jwks.json"].json()["keys"]}
        if key.kid not in published and key.kid == self._server.ring.current(now).kid:
            self.failures.append(f"{key.kid} is not published")


def test_no_request_fails(server: PublicServer, office: Office, tmp_path: Path) -> None:
    relying_parties = [RelyingParty(server, office) for _ in range(2)]
    (first,) = KeyFolder.read(server.home / "keys").leaves

    def until_issued_by(keys_used: int) -> None:
        deadline = time.monotonic() + 60
        while len({kid for one in relying_parties for _, kid, _ in list(one.issued)}) < keys_used:
            assert not any(one.failures for one in relying_parties)
            assert time.monotonic() < deadline
            time.sleep(0.05)

    for one in relying_parties:
        one.start()
    try:
        until_issued_by(1)
        operate(server, "keys", "renew", "--now")
        renewed = time.monotonic()
        until_issued_by(2)
        operate(server, "keys", "renew", "--ca", "--now")
        operate(server, "keys", "renew", "--now")
        operate(server, "keys", "revoke", first.name, "--reason", "superseded")
        operate(server, "keys", "crl")
        until_issued_by(3)
    finally:
        for one in relying_parties:
            one.done.set()
        for one in relying_parties:
            one.join(60)
    issued = [entry for one in relying_parties for entry in one.issued]
    assert [failure for one in relying_parties for failure in one.failures] == []
    first_kid = keys_in(issued, before=renewed)[0]
    # What begins after the command has ended has the new key.
    assert first_kid not in {kid for at, kid, _ in issued if at > renewed + 1}
    assert len({kid for _, kid, _ in issued}) == 3

    operate(server, "keys", "publish", tmp_path / "usb", "--keys", server.home / "keys")
    operate(server, "status", "export", tmp_path / "usb" / "lists", "--days", 1)
    carried = [path.read_bytes() for path in (tmp_path / "usb").glob("*.crl")]
    lists = [path.read_bytes() for path in (tmp_path / "usb/lists").iterdir()]
    root = (tmp_path / "usb" / keys.ROOT).read_bytes()
    seen = set()
    for _, kid, assertion in issued:
        verdict = office.verify(
            assertion, roots=[root], at=datetime.now(UTC), crls=carried, status_lists=lists
        )
        wanted = Outcome.FAILED if kid == first_kid else Outcome.PASSED
        assert verdict.outcome is wanted, verdict.reasons
        seen.add((kid, verdict.outcome))
    assert len(seen) == 3


def keys_in(issued: list[tuple[float, str, str]], *, before: float) -> list[str]:
    return [kid for at, kid, _ in sorted(issued) if at < before]
