"""HTTP over the status lists: public, cached, never changed from here (§8 of the specification).

Who may change a status is decided where the database is: by the operator, on the command line.
"""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response

from api.assertions.status_list import MEDIA_TYPE
from api.status.allocation import PATH
from api.status.errors import (
    StatusHistoryNotSupportedError,
    StatusListNotAcceptableError,
    StatusListOtherIssuerError,
    StatusListUnknownError,
)
from api.status.publishing import StatusPublisher
from api.status.read_only import PublicRoute, matches, read_only

router = APIRouter(prefix=PATH, route_class=PublicRoute)


def get_publisher(request: Request) -> StatusPublisher:
    """Return the publisher of the application's lists.

    Raises:
        StatusListUnknownError: it has none.
    """
    publisher = request.app.state.status_publisher
    if publisher is None:
        raise StatusListUnknownError("this server keeps no status list")
    assert isinstance(publisher, StatusPublisher)
    return publisher


Publisher = Annotated[StatusPublisher, Depends(get_publisher)]
OptionalHeader = Annotated[str | None, Header(max_length=1000)]


@read_only(router, "")
def read_aggregation(publisher: Publisher) -> dict[str, list[str]]:
    """Name every status list, for who keeps them all at hand (§9.3)."""
    return {"status_lists": publisher.uris()}


@read_only(
    router,
    "/{list_id}",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {}}}, 304: {"description": "not modified"}},
)
def read_status_list(
    list_id: UUID,
    publisher: Publisher,
    accept: OptionalHeader = None,
    if_none_match: OptionalHeader = None,
    time: int | None = None,
) -> Response:
    """Return a Status List Token; what it says holds until its `ttl` is over."""
    if time is not None:
        raise StatusHistoryNotSupportedError("only the present status is served (no `time`)")
    if not accepts(accept, MEDIA_TYPE):
        raise StatusListNotAcceptableError(f"a status list is {MEDIA_TYPE}")
    try:
        published = publisher.published(str(list_id))
    except StatusListOtherIssuerError:
        # Of keys that this server had before: no fault of today's.
        raise StatusListUnknownError("the list is of an issuer whose keys are gone") from None
    left_s = int((published.stale_at - datetime.now(UTC)).total_seconds())
    headers = {
        "ETag": published.etag,
        "Cache-Control": f"public, max-age={max(0, left_s)}",
        "Vary": "Accept",
    }
    if if_none_match is not None and matches(if_none_match, published.etag):
        return Response(status_code=304, headers=headers)
    return Response(published.token, media_type=MEDIA_TYPE, headers=headers)


def accepts(header: str | None, media_type: str) -> bool:
    """Return whether `Accept` allows a media type (RFC 9110 §12.5.1): the closest range decides."""
    if header is None or not header.strip():
        return True
    ranges = [media_type, f"{media_type.partition('/')[0]}/*", "*/*"]
    closest, quality = len(ranges), 0.0
    for part in header.split(","):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        if name in ranges and ranges.index(name) < closest:
            closest, quality = ranges.index(name), _quality(parameters)
    return quality > 0


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
