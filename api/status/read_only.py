"""HTTP that only reads, from any origin: HEAD beside every GET, and conditional requests."""

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter, Response
from fastapi.routing import APIRoute
from starlette.datastructures import MutableHeaders
from starlette.types import Message, Receive, Scope, Send

ANY_ORIGIN = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "ETag"}
PREFLIGHT = {
    "Allow": "GET, HEAD",
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "*",  # such as If-None-Match; never credentials, by the star
    "Access-Control-Max-Age": "86400",
}

Function = TypeVar("Function", bound=Callable[..., Any])


class PublicRoute(APIRoute):
    """A route whose answers, refusals too, a page of any origin may read.

    Every answer says so, not only one to a request that names its origin, as Starlette's middleware
    does: a cache keeps one answer for all.

    Source: Fetch Standard, "CORS protocol"; draft-ietf-oauth-status-list-20 §8.1.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; a browser's question before it, too."""

        async def to_any_origin(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(ANY_ORIGIN)
            await send(message)

        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=PREFLIGHT)(scope, receive, to_any_origin)
        else:
            await super().handle(scope, receive, to_any_origin)


def read_only(router: APIRouter, path: str, **options: Any) -> Callable[[Function], Function]:
    """Answer GET and HEAD at a path (RFC 9110 §9.3.2: who has the one has the other).

    The body of an answer to HEAD is left out by the server below. The first route answers both, so
    that a refusal of another method names both; the second one is for the schema, with GET alone.
    """

    def add(function: Function) -> Function:
        both = ["GET", "HEAD"]
        router.api_route(path, methods=both, include_in_schema=False, **options)(function)
        return router.get(path, **options)(function)

    return add


def matches(header: str, etag: str) -> bool:
    """Return whether `If-None-Match` names an entity tag (RFC 9110 §13.1.2, weak comparison)."""
    tags = [tag.strip().removeprefix("W/") for tag in header.split(",")]
    return "*" in tags or etag in tags
