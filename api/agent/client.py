"""The service as a client sees it: typed calls, typed errors, no retry in silence."""

import re
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from api.errors import ApiError
from api.fleet.frames import HEADER, to_header
from devices.apdu import SECURE_MESSAGING_CLASS
from devices.emrtd.errors import ChipAuthenticationUnsupportedError
from devices.emrtd.evidence import ChipAuthenticationRequest

MAX_PUBLIC_KEY_BYTES = 1024
MAX_COMMAND_BYTES = 261


class ServerUnreachableError(ApiError):
    """The server did not answer."""

    code = "server-unreachable"
    retryable = True


class ServerRefusedError(ApiError):
    """The server answered with a problem; `code` is the server's."""

    def __init__(self, code: str, detail: str, retryable: bool) -> None:
        super().__init__(detail)
        self.code = code  # type: ignore[misc]  # of the instance: the server's own code
        self.retryable = retryable  # type: ignore[misc]


class ServerAnswerUnusableError(ApiError):
    """What answered is not this service, or not this version of it."""

    code = "server-answer-unusable"


class TokenMalformedError(ApiError):
    """A token or API key has characters that none has."""

    code = "token-malformed"


class ProofingClient:
    """Calls of `/v1`; use it as a context manager."""

    def __init__(self, server: str, *, api_key: str | None = None, timeout_s: float = 30.0) -> None:
        self._api_key = api_key
        try:
            self._http = httpx.Client(base_url=server.rstrip("/"), timeout=timeout_s)
        except (httpx.InvalidURL, ValueError):
            raise ServerUnreachableError("the server's address is not a URL") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def create_session(self, request: dict[str, Any]) -> dict[str, Any]:
        """Open a session; the answer holds its `id` and `token`."""
        return self.json("POST", "/v1/sessions", self._api_key, json=request)

    def record(self, session_id: str) -> dict[str, Any]:
        """Return what the checks of a session found: for the relying party, never the subject."""
        return self.json("GET", f"/v1/sessions/{quote(session_id, safe='')}/record", self._api_key)

    def session(self, session_id: str, token: str) -> "SessionClient":
        """Return the calls of one session."""
        return SessionClient(self, session_id, token)

    def json(self, method: str, path: str, token: str | None, **body: Any) -> dict[str, Any]:
        """Make one call that is answered with a JSON object."""
        try:
            answer = self.call(method, path, token, **body).json()
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise ServerAnswerUnusableError("the server's answer is not that of this service")
        return answer

    def call(
        self,
        method: str,
        path: str,
        token: str | None,
        more_headers: Mapping[str, str] | None = None,
        **body: Any,
    ) -> httpx.Response:
        """Make one call.

        Raises:
            ServerUnreachableError: no answer.
            ServerRefusedError: the answer is a problem.
            TokenMalformedError: the token cannot be sent.
        """
        # RFC 9110, 5.5: what a header field can carry everywhere.
        if token and not re.fullmatch(r"[ -~]+", token):
            raise TokenMalformedError("the session token or API key has a character that none has")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers.update(more_headers or {})
        try:
            answer = self._http.request(method, path, headers=headers, **body)
        except (httpx.RequestError, httpx.InvalidURL):
            raise ServerUnreachableError("the server cannot be reached") from None
        if answer.is_success:
            return answer
        try:
            problem = answer.json()
            code, detail = str(problem["code"]), str(problem["detail"])
            retryable = bool(problem.get("retryable"))
        except (ValueError, KeyError, TypeError, RecursionError):
            code, retryable = "server-refused", answer.status_code >= 500
            detail = f"the server answered {answer.status_code}"
        raise ServerRefusedError(code, detail, retryable)


class SessionClient:
    """Calls of one session, opened by its token."""

    def __init__(self, client: ProofingClient, session_id: str, token: str) -> None:
        self.session_id = session_id
        self._client = client
        self._path = f"/v1/sessions/{quote(session_id, safe='')}"
        self._token = token

    def read(self) -> dict[str, Any]:
        """Return where the session stands."""
        return self._json("GET", "")

    def consent(self) -> dict[str, Any]:
        """Record the citizen's consent to chip and face."""
        return self._json("POST", "/consent", json={"chip": True, "face": True})

    def challenge_chip(
        self, dg14: bytes, *, short_identifiers: bool
    ) -> ChipAuthenticationRequest | None:
        """Ask for a challenge for Chip Authentication; None if the server runs no such variant."""
        try:
            answer = self._json(
                "POST",
                "/chip-authentication",
                content=dg14,
                params={"short_identifiers": short_identifiers},
            )
        except ServerRefusedError as refused:
            if refused.code == ChipAuthenticationUnsupportedError.code:
                return None
            raise
        return _chip_authentication_request(answer)

    def put_chip(self, evidence: bytes) -> dict[str, Any]:
        """Hand in the chip's evidence."""
        return self._json("PUT", "/chip", content=evidence)

    def begin_capture(
        self, *, light: bool = True, pace: str = "normal", agent: str | None = None
    ) -> dict[str, Any]:
        """Begin the capture and return its `attempt` and `challenge`; its time runs from now on.

        Args:
            light: whether the screen may throw coloured light.
            pace: `normal`, or `slow` for twice the time.
            agent: an enrolled agent's statement.
        """
        asked = {"light": light, "pace": pace, "agent": agent}
        return self._json("POST", "/capture", json=asked)

    def put_frame(
        self, number: int, t_ms: int, image: bytes, signature: bytes | None = None
    ) -> None:
        """Hand in one frame, with its signature by an enrolled agent; the same may come again."""
        self._client.call(
            "PUT",
            f"{self._path}/frames/{number}",
            self._token,
            {} if signature is None else {HEADER: to_header(signature)},
            params={"t_ms": t_ms},
            content=image,
        )

    def decide(self) -> dict[str, Any]:
        """Close the capture and return the decision."""
        return self._json("POST", "/decision")

    def assertion(self) -> str:
        """Return the signed assertion."""
        return self._client.call("GET", f"{self._path}/assertion", self._token).text

    def cancel(self) -> dict[str, Any]:
        """Give up the session."""
        return self._json("DELETE", "")

    def _json(self, method: str, path: str, **body: Any) -> dict[str, Any]:
        return self._client.json(method, self._path + path, self._token, **body)


def _chip_authentication_request(answer: dict[str, Any]) -> ChipAuthenticationRequest:
    try:
        oid, key_id = answer["oid"], answer["key_id"]
        public_key, command = bytes.fromhex(answer["public_key"]), bytes.fromhex(answer["command"])
        is_usable = (
            isinstance(oid, str)
            and re.fullmatch(r"[012](\.[0-9]{1,9}){1,20}", oid)
            and (key_id is None or (type(key_id) is int and 0 <= key_id <= 255))
            and 1 <= len(public_key) <= MAX_PUBLIC_KEY_BYTES
            and 5 <= len(command) <= MAX_COMMAND_BYTES
            # Nothing but a sealed command goes to the chip unread.
            and command[0] == SECURE_MESSAGING_CLASS
        )
    except (KeyError, TypeError, ValueError):
        is_usable = False
    if not is_usable:
        raise ServerAnswerUnusableError("the server's challenge for the chip is not understood")
    return ChipAuthenticationRequest(oid, key_id, public_key, command)
