"""The HTTP application: routes, problems, limits, and the sweep of overdue sessions."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import problems, publishing
from api.keys.ring import KeyRing
from api.proofing import routes
from api.proofing.service import ProofingService
from api.status import routes as status_routes

BODY_LIMIT = 4 << 20
BODY_TIME_S = 60.0
SWEEP_INTERVAL_S = 20.0


log = logging.getLogger("chinhchu.api")


class BodyLimit:
    """Refuse a body while it arrives, whatever its headers say.

    It may have `BODY_LIMIT` bytes and take `BODY_TIME_S`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body counted."""
        received = 0
        deadline: float | None = asyncio.get_running_loop().time() + BODY_TIME_S

        async def bounded() -> Message:
            nonlocal received, deadline
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408) from None
            if not message.get("more_body"):
                deadline = None
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
        stopping = asyncio.Event()
        sweep = asyncio.create_task(_sweep(service, stopping))
        yield
        stopping.set()
        await sweep  # a sweep that has begun ends before its connection is closed
        service.captures.forget_all()
        service.repository.close()

    app = FastAPI(
        title="chinhchu",
        description="Identity proofing with the citizen card's chip and the live face.",
        lifespan=lifespan,
        redirect_slashes=False,  # behind a proxy that ends TLS it would lead to http://
        docs_url=None,  # they would load scripts from elsewhere; the schema is at /openapi.json
        redoc_url=None,
    )
    app.state.service = service
    app.state.status_publisher = service.statuses.publisher if service.statuses else None
    ring = service.keys
    app.state.key_publisher = publishing.KeyPublisher(ring) if isinstance(ring, KeyRing) else None
    app.add_middleware(BodyLimit)
    app.include_router(routes.router)
    app.include_router(status_routes.router)
    app.include_router(publishing.router)
    problems.install(app)

    @app.get("/healthz")
    def health() -> dict[str, str]:
        """Say that the process answers."""
        return {"status": "ok"}

    return app


async def _sweep(service: ProofingService, stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        try:
            await asyncio.to_thread(service.sweep)
        except SQLAlchemyError as error:
            # A database that is busy once must not end the sweep: evidence would stay for good.
            log.error("sweep %s", type(error).__name__)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), SWEEP_INTERVAL_S)
