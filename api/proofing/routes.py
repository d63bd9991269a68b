"""HTTP over the proofing service: thin, typed, one resource."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Response, status

from api.proofing.dependencies import Audience, Body, CurrentSession, Service
from api.proofing.schemas import (
    CaptureIn,
    CaptureOut,
    ChipAuthenticationOut,
    ConsentIn,
    Problem,
    ProcedureOut,
    RecordOut,
    SessionCreated,
    SessionIn,
    SessionOut,
)

PROBLEMS: dict[int | str, dict[str, object]] = {
    code: {"model": Problem} for code in (400, 401, 404, 408, 409, 410, 413, 422, 500)
}

router = APIRouter(prefix="/v1", responses=PROBLEMS)

FrameNumber = Annotated[int, Path(ge=0, lt=1000)]
FrameTime = Annotated[int, Query(ge=0, le=600_000, description="milliseconds since frame 0")]
FrameSignature = Annotated[
    str | None, Header(max_length=200, description="base64url, by an enrolled device agent")
]


@router.get("/procedures")
def list_procedures(service: Service) -> list[ProcedureOut]:
    """List the catalogue of procedures."""
    return service.procedures()


@router.post("/sessions", status_code=status.HTTP_201_CREATED)
def create_session(request: SessionIn, audience: Audience, service: Service) -> SessionCreated:
    """Open a session for one party of a dossier; the token in the answer is shown only here."""
    return service.create(request, audience)


@router.get("/sessions/{session_id}")
def read_session(session: CurrentSession, service: Service) -> SessionOut:
    """Return where the session stands."""
    return service.describe(session.id)


@router.post("/sessions/{session_id}/consent")
def give_consent(_: ConsentIn, session: CurrentSession, service: Service) -> SessionOut:
    """Record the citizen's consent to reading the chip and to capturing the face."""
    return service.consent(session)


@router.post("/sessions/{session_id}/chip-authentication")
def challenge_chip(
    session: CurrentSession, body: Body, service: Service, short_identifiers: bool = True
) -> ChipAuthenticationOut:
    """Ask for a challenge for Chip Authentication; the body is DG14 as read.

    A new challenge takes the place of the one before. `short_identifiers` says whether the chip
    reads files by short identifier.
    """
    return service.challenge_chip(session, body, short_identifiers=short_identifiers)


@router.put("/sessions/{session_id}/chip")
def put_chip_evidence(session: CurrentSession, body: Body, service: Service) -> SessionOut:
    """Hand in the chip's evidence (CBOR); if it is accepted, a capture may begin."""
    return service.put_chip(session, body)


@router.post("/sessions/{session_id}/capture")
def begin_capture(request: CaptureIn, session: CurrentSession, service: Service) -> CaptureOut:
    """Begin the capture and learn its challenge; asked again, the answer is the same."""
    return service.begin_capture(session, request)


@router.put("/sessions/{session_id}/frames/{number}", status_code=status.HTTP_204_NO_CONTENT)
def put_frame(
    number: FrameNumber,
    t_ms: FrameTime,
    session: CurrentSession,
    body: Body,
    service: Service,
    chinhchu_frame_signature: FrameSignature = None,
) -> None:
    """Hand in one frame as it is taken; the same frame may be sent again."""
    service.put_frame(session, number, t_ms, body, chinhchu_frame_signature)


@router.post("/sessions/{session_id}/decision")
def decide(session: CurrentSession, service: Service) -> SessionOut:
    """Close the capture and decide."""
    return service.decide(session)


@router.get("/sessions/{session_id}/assertion", response_class=Response)
def read_assertion(session: CurrentSession, service: Service) -> Response:
    """Return the signed assertion of a session that has passed."""
    return Response(service.assertion(session), media_type="application/dc+sd-jwt")


@router.get("/sessions/{session_id}/record")
def read_record(session_id: str, audience: Audience, service: Service) -> RecordOut:
    """Return what the checks found, to the office that opened the session."""
    return service.record(session_id, audience)


@router.delete("/sessions/{session_id}")
def cancel_session(session: CurrentSession, service: Service) -> SessionOut:
    """Give up the session and forget its evidence."""
    return service.cancel(session)
