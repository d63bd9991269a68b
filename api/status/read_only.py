"""HTTP that only reads: HEAD beside every GET, and conditional requests."""

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import APIRouter

Function = TypeVar("Function", bound=Callable[..., Any])


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
