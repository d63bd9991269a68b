"""The HTTP application: routes, problems, limits, and the sweep of overdue sessions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems
from api.proofing import routes
from api.proofing.service import ProofingService

BODY_LIMIT = 4 << 20
SWEEP_INTERVAL_S = 20.0


class BodyLimit:
    """Refuse a body larger than `BODY_LIMIT` while it arrives, whatever its headers say."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body counted."""
        received = 0

        async def bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > BODY_LIMIT:
                raise HTTPException(413)
            return message

        await self._app(scope, bounded if scope["type"] == "http" else receive, send)


def create_app(service: ProofingService) -> FastAPI:
    """Return the application over a service."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(service.repository.recover)
        sweep = asyncio.create_task(_sweep(service))
        yield
        sweep.cancel()
        service.repository.close()

    app = FastAPI(
        title="chinhchu",
        description="Identity proofing with the citizen card's chip and the live face.",
        lifespan=lifespan,
        docs_url=None,  # they would load scripts from elsewhere; the schema is at /openapi.json
        redoc_url=None,
    )
    app.state.service = service
    app.add_middleware(BodyLimit)
    app.include_router(routes.router)
    problems.install(app)

    @app.get("/healthz")
    def health() -> dict[str, str]:
        """Say that the process answers."""
        return {"status": "ok"}

    return app


async def _sweep(service: ProofingService) -> None:
    while True:
        await asyncio.to_thread(service.repository.expire_overdue)
        await asyncio.sleep(SWEEP_INTERVAL_S)
