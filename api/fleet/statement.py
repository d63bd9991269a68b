"""What an agent says before a capture: who it is and which camera it holds, as a signed JWT."""

from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from api.assertions import jws
from api.assertions.es256 import PrivateKeySigner
from api.assertions.jwk import thumbprint
from api.errors import ApiError
from api.fleet.errors import StatementInvalidError
from devices.camera_identity import CameraIdentity
from devices.errors import DeviceError

TYPE: Final = "chinhchu-agent+jwt"
MAX_CHARACTERS: Final = 4096
MAX_TEXT: Final = 100


@dataclass(frozen=True)
class AgentStatement:
    """One agent before one session's capture."""

    session_id: str
    device_id: str
    agent_version: str
    camera: CameraIdentity
    issued_at: int
    """Seconds since 1970 by the agent's clock: a record, nothing rests on it."""


@dataclass(frozen=True)
class UnverifiedStatement:
    """A statement that was read and whose signature nobody has verified."""

    key_id: str
    """Thumbprint of the key that it says it is signed by."""
    statement: AgentStatement
    _jws: jws.Jws

    def verify(self, key: ec.EllipticCurvePublicKey) -> AgentStatement:
        """Return the statement once its signature verifies.

        Raises:
            StatementInvalidError: it does not.
        """
        try:
            jws.verify(self._jws, key)
        except ApiError:
            raise StatementInvalidError("the agent's signature does not verify") from None
        return self.statement


def sign_statement(statement: AgentStatement, key: ec.EllipticCurvePrivateKey) -> str:
    """Return the compact JWS."""
    payload = {
        "session": statement.session_id,
        "device_id": statement.device_id,
        "agent_version": statement.agent_version,
        "camera": statement.camera.to_dict(),
        "iat": statement.issued_at,
    }
    header = {"typ": TYPE, "kid": thumbprint(key.public_key())}
    return jws.sign(header, payload, PrivateKeySigner(key))


def parse_statement(compact: str) -> UnverifiedStatement:
    """Read a statement strictly, without verifying it.

    Raises:
        StatementInvalidError: it is malformed, too long, or of another type or algorithm.
    """
    if len(compact) > MAX_CHARACTERS:
        raise StatementInvalidError("the agent's statement is too long")
    try:
        token = jws.parse(compact)
        jws.check_algorithm(token.header)
        jws.check_type(token.header, TYPE)
        camera = CameraIdentity.from_dict(token.payload["camera"])
        statement = AgentStatement(
            session_id=_text(token.payload["session"]),
            device_id=_text(token.payload["device_id"]),
            agent_version=_text(token.payload["agent_version"]),
            camera=camera,
            issued_at=_seconds(token.payload["iat"]),
        )
        return UnverifiedStatement(_text(token.header["kid"]), statement, token)
    except (ApiError, DeviceError, KeyError):
        raise StatementInvalidError("the agent's statement is not one") from None


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT or not value.isprintable():
        raise StatementInvalidError("a name in the agent's statement is no short plain text")
    return value


def _seconds(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 40:
        raise StatementInvalidError("the time of the agent's statement is none")
    return value
