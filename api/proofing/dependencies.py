"""What the routes ask for: the service, the caller's session, a bounded body."""

import hashlib
import hmac
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.errors import ApiError
from api.proofing.service import ProofingService
from api.store.tables import SessionRow

_bearer = HTTPBearer(auto_error=False, description="API key of a relying party, or session token")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


class ApiKeyInvalidError(ApiError):
    """The relying party did not show a key that is configured here."""

    code = "api-key-invalid"


def get_service(request: Request) -> ProofingService:
    """Return the application's one service."""
    service = request.app.state.service
    assert isinstance(service, ProofingService)
    return service


Service = Annotated[ProofingService, Depends(get_service)]


def get_audience(service: Service, credentials: Credentials) -> str | None:
    """Return the audience that the caller's API key belongs to; None where no keys are configured.

    Raises:
        ApiKeyInvalidError: keys are configured and this is none of them.
    """
    if service.relying_parties is None:
        return None
    key = credentials.credentials if credentials else ""
    shown = hashlib.sha256(key.encode()).hexdigest().encode()
    for party in service.relying_parties:
        if hmac.compare_digest(party.key_sha256.encode(), shown):
            return party.audience
    raise ApiKeyInvalidError("an API key of a configured relying party is needed")


Audience = Annotated[str | None, Depends(get_audience)]


def get_session(session_id: str, service: Service, credentials: Credentials) -> SessionRow:
    """Return the session that the path names and the token opens."""
    return service.authorise(session_id, credentials.credentials if credentials else "")


CurrentSession = Annotated[SessionRow, Depends(get_session)]


async def get_body(request: Request) -> bytes:
    """Return the raw body; the application bounds its size."""
    return await request.body()


Body = Annotated[bytes, Depends(get_body)]
