"""The one table from error codes to HTTP, as `application/problem+json` (RFC 9457)."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from api.errors import ApiError
from biometrics.errors import BiometricsError
from devices.errors import DeviceError

MEDIA_TYPE = "application/problem+json"

STATUS_BY_CODE: Mapping[str, HTTPStatus] = {
    "api-key-invalid": HTTPStatus.UNAUTHORIZED,
    "session-unknown": HTTPStatus.NOT_FOUND,
    "procedure-unknown": HTTPStatus.UNPROCESSABLE_ENTITY,
    "request-not-allowed": HTTPStatus.UNPROCESSABLE_ENTITY,
    "state-conflict": HTTPStatus.CONFLICT,
    "piece-conflict": HTTPStatus.CONFLICT,
    "capture-conflict": HTTPStatus.CONFLICT,
    "other-card": HTTPStatus.CONFLICT,
    "frames-incomplete": HTTPStatus.CONFLICT,
    "assertion-not-issued": HTTPStatus.CONFLICT,
    "session-expired": HTTPStatus.GONE,
    "body-too-large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "evidence-malformed": HTTPStatus.UNPROCESSABLE_ENTITY,
    "chip-authentication-unsupported": HTTPStatus.UNPROCESSABLE_ENTITY,
    "file-malformed": HTTPStatus.UNPROCESSABLE_ENTITY,
    "tlv-malformed": HTTPStatus.UNPROCESSABLE_ENTITY,
    "frame-signature-invalid": HTTPStatus.UNPROCESSABLE_ENTITY,
    "image-unreadable": HTTPStatus.UNPROCESSABLE_ENTITY,
    "image-format-unsupported": HTTPStatus.UNPROCESSABLE_ENTITY,
    "image-truncated": HTTPStatus.UNPROCESSABLE_ENTITY,
    "image-too-complex": HTTPStatus.UNPROCESSABLE_ENTITY,
    "image-animated": HTTPStatus.UNPROCESSABLE_ENTITY,
    "image-too-large": HTTPStatus.UNPROCESSABLE_ENTITY,
    "status-list-unknown": HTTPStatus.NOT_FOUND,
    "status-list-not-acceptable": HTTPStatus.NOT_ACCEPTABLE,
    "status-history-not-supported": HTTPStatus.NOT_IMPLEMENTED,
}
"""What the caller did; every other code is the server's own fault (500)."""

CODE_BY_STATUS: Mapping[int, str] = {
    HTTPStatus.NOT_FOUND: "not-found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method-not-allowed",
    HTTPStatus.REQUEST_TIMEOUT: "body-too-slow",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "body-too-large",
}
"""Refusals that come from the framework, before any code of ours."""

CHALLENGE = {"WWW-Authenticate": "Bearer"}
"""How to show who one is (RFC 9110 §15.5.2, RFC 6750 §3)."""
SERVER_FAULT = "the server could not do it; its log says why"
MAX_ERRORS = 20
MAX_POINTER = 200

log = logging.getLogger("chinhchu.api")


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    retryable: bool = False,
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> JSONResponse:
    """Return a problem response."""
    body = {
        "type": f"urn:chinhchu:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
        "code": code,
        "retryable": retryable,
        **more,
    }
    return JSONResponse(body, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def _pointer(location: Sequence[int | str]) -> str:
    """Return a JSON pointer (RFC 6901, 3); names of the caller's own making are cut."""
    steps = (str(step).replace("~", "~0").replace("/", "~1") for step in location)
    pointer = "".join(f"/{step}" for step in steps)[:MAX_POINTER]
    return pointer.encode("utf-8", "replace").decode("utf-8")


def install(app: FastAPI) -> None:
    """Make every error of the application a problem document."""

    def typed(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, ApiError | BiometricsError | DeviceError)
        if status := STATUS_BY_CODE.get(error.code):
            headers = CHALLENGE if status is HTTPStatus.UNAUTHORIZED else None
            return problem(
                status, error.code, str(error), retryable=error.retryable, headers=headers
            )
        # What is wrong with the server may name its folders: for its operator, not for the caller.
        log.error("fault %s: %s", error.code, error)
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return problem(status, error.code, SERVER_FAULT, retryable=error.retryable)

    def invalid(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        # Where and what is wrong, never the value: it may be personal.
        errors = [
            {"pointer": _pointer(item["loc"]), "detail": item["msg"]}
            for item in error.errors()[:MAX_ERRORS]
        ]
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return problem(status, "request-invalid", "the request does not fit", errors=errors)

    def http(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        code = CODE_BY_STATUS.get(error.status_code, "request-refused")
        phrase = HTTPStatus(error.status_code).phrase
        return problem(error.status_code, code, phrase, headers=error.headers)

    def unexpected(_: Request, error: Exception) -> JSONResponse:
        log.error("unexpected %s", type(error).__name__)
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return problem(status, "unexpected-fault", SERVER_FAULT, retryable=True)

    for root in (ApiError, BiometricsError, DeviceError):
        app.add_exception_handler(root, typed)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unexpected)
