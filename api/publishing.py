"""HTTP over the published keys: read-only, the same files as `chinhchu keys publish`, cached.

/.well-known/jwks.json        the leaves' keys
/.well-known/jwt-vc-issuer    issuer metadata, where the `iss` is an https URL; a path in that URL
                              follows (SD-JWT VC, "JWT VC Issuer Metadata")
/v1/keys                      the manifest; /v1/keys/NAME each file; /v1/keys/state what ends soon
"""

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Header, HTTPException, Request, Response

from api.keys.folder import KeyFolder
from api.keys.publication import (
    ISSUER_METADATA,
    JWKS,
    MANIFEST,
    Publication,
    PublishedFile,
    publish,
)
from api.keys.ring import KeyRing
from api.status.read_only import PublicRoute, matches, read_only

MAX_AGE_S = 3600
"""Who meets a key that is not in its copy asks again (RFC 7517 sets no time); a revocation list is
believed until its next update anyway."""
LIST_MAX_AGE_S = 300

router = APIRouter(route_class=PublicRoute)


class KeyPublisher:
    """What a ring's folder publishes, made anew only when the folder changed."""

    def __init__(self, ring: KeyRing) -> None:
        self.ring = ring
        self._made: tuple[KeyFolder, Publication] | None = None

    def publication(self) -> Publication:
        """Return what is published now.

        Raises:
            ApiError: the folder cannot be read, or has no leaf.
        """
        folder, made = self.ring.folder, self._made
        if made is None or made[0] is not folder:
            made = self._made = (folder, publish(folder, datetime.now(UTC)))
        return made[1]


def get_publisher(request: Request) -> KeyPublisher:
    """Return the application's publisher of keys, or answer that there is none."""
    publisher = request.app.state.key_publisher
    if publisher is None:
        raise HTTPException(404)
    assert isinstance(publisher, KeyPublisher)
    return publisher


Publisher = Annotated[KeyPublisher, Depends(get_publisher)]
OptionalHeader = Annotated[str | None, Header(max_length=1000)]


@read_only(router, "/.well-known/jwks.json", response_class=Response)
def read_key_set(publisher: Publisher, if_none_match: OptionalHeader = None) -> Response:
    """Return the JWK set of all leaves that are not revoked (RFC 7517 §5)."""
    return _answer(JWKS, publisher.publication().files[JWKS], if_none_match)


@read_only(router, "/.well-known/jwt-vc-issuer", response_class=Response)
@read_only(router, "/.well-known/jwt-vc-issuer/{path:path}", response_class=Response)
def read_issuer_metadata(
    publisher: Publisher, path: str = "", if_none_match: OptionalHeader = None
) -> Response:
    """Return the metadata of the issuer whose URL has that path."""
    publication = publisher.publication()
    file = publication.files.get(ISSUER_METADATA)
    if file is None or urlsplit(publication.issuer).path.strip("/") != path.strip("/"):
        raise HTTPException(404)
    return _answer(ISSUER_METADATA, file, if_none_match)


@read_only(router, "/v1/keys", response_class=Response)
def read_manifest(publisher: Publisher, if_none_match: OptionalHeader = None) -> Response:
    """Name every published file with its SHA-256."""
    return _answer(MANIFEST, publisher.publication().files[MANIFEST], if_none_match)


@read_only(router, "/v1/keys/state")
def read_state(publisher: Publisher, response: Response) -> dict[str, Any]:
    """Say how long the signing certificate lasts and what needs doing, for monitoring."""
    response.headers["Cache-Control"] = "no-store"
    state = publisher.ring.state(datetime.now(UTC))
    current = state.current
    return {
        "current": current.file if current else None,
        "not_after": current.not_after.isoformat() if current else None,
        "days_left": current.days_left if current else 0,
        "warnings": list(state.warnings),
    }


@read_only(router, "/v1/keys/{name}", response_class=Response)
def read_file(name: str, publisher: Publisher, if_none_match: OptionalHeader = None) -> Response:
    """Return one published file."""
    file = publisher.publication().files.get(name)
    if file is None:
        raise HTTPException(404)
    return _answer(name, file, if_none_match)


def _answer(name: str, file: PublishedFile, if_none_match: str | None) -> Response:
    etag = f'"{file.sha256}"'
    max_age_s = LIST_MAX_AGE_S if ".crl" in name else MAX_AGE_S
    headers = {
        "ETag": etag,
        "Cache-Control": f"public, max-age={max_age_s}",
        "X-Content-Type-Options": "nosniff",
    }
    if if_none_match is not None and matches(if_none_match, etag):
        return Response(status_code=304, headers=headers)
    return Response(file.data, media_type=file.media_type, headers=headers)
