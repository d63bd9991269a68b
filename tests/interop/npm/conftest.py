"""One Node.js process with the npm libraries for the whole session, and what asks it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from benchmarks.peers.errors import PeerUnavailableError
from benchmarks.peers.npm import Npm, NpmRefusedError
from tests.fixtures.office import AT, AUDIENCE, ISSUER, Office

SKEW_S = 60


@dataclass(frozen=True)
class RelyingParty:
    """Who pins an office's root and verifies with npm's libraries, at the office's time."""

    npm: Npm
    office: Office

    def jose(self, assertion: str, **changes: Any) -> Any:
        """Verify the issuer-signed JWT; return header and payload as signed."""
        asked = {
            "token": assertion.split("~")[0],
            "typ": "dc+sd-jwt",
            "issuer": ISSUER,
            "audience": AUDIENCE,
        }
        return self._call("jose", "verify", **{**asked, **changes})

    def jose_by_key(self, token: str, jwk: dict[str, str], **expected: Any) -> Any:
        """Verify any JWT under one key."""
        return self._call("jose", "verifyByKey", token=token, jwk=jwk, **expected)

    def sd_jwt_vc(self, assertion: str, **changes: Any) -> Any:
        """Verify the SD-JWT VC; return the processed payload and the key binding."""
        return self._call("sdJwtVc", "verify", **{"token": assertion, **changes})

    def accepts(self, library: str, assertion: str, **changes: Any) -> bool:
        """Tell whether `jose` or `sd_jwt_vc` takes an assertion."""
        try:
            getattr(self, library)(assertion, **changes)
        except NpmRefusedError:
            return False
        return True

    def _call(self, library: str, function: str, **request: Any) -> Any:
        asked = {
            "root": self.office.root_pem.decode("ascii"),
            "at": int(AT.timestamp()),
            "skew": SKEW_S,
        }
        return self.npm.call(library, function, **{**asked, **request})


@pytest.fixture(scope="session")
def npm() -> Iterator[Npm]:
    """The process, or skip where this machine cannot run it."""
    try:
        process = Npm().__enter__()
    except PeerUnavailableError as error:
        pytest.skip(str(error))
    try:
        yield process
    finally:
        process.__exit__(None, None, None)


@pytest.fixture(scope="session")
def relying_party(npm: Npm, office: Office) -> RelyingParty:
    """Who verifies the office's assertions."""
    return RelyingParty(npm, office)
