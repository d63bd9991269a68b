"""The capture's part of a session: its challenge, its frames, and what they show."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from api.errors import ApiError
from api.fleet.frames import parse_header
from api.fleet.registry import AgentFleet
from api.proofing.captures import LiveCaptures
from api.proofing.injection import (
    FIRST_FRAME_WITHIN_S,
    CaptureContext,
    InjectionVerdict,
    ReceivedFrame,
    judge_injection,
)
from api.proofing.repository import FRAME, SIGNATURE, EvidenceTooLargeError, Piece, Repository
from api.proofing.schemas import CaptureIn, CaptureOut
from api.proofing.states import State, StateConflictError, require_state
from api.store.tables import PieceRow, SessionRow
from biometrics.analysis import CaptureAnalysis, FaceVerdict
from biometrics.challenge import Challenge, Pace
from biometrics.image import CAMERA_FORMATS, MAX_FRAME_PIXELS, decode_image
from biometrics.liveness.capture import MAX_FRAMES
from biometrics.pipeline import FacePipeline
from biometrics.types import FrameSample, Outcome
from devices.emrtd.verification.verifier import ChipVerdict

MAX_EVIDENCE_BYTES = 96 << 20

MAX_CAPTURES = 2
"""The second is for a willing person who got the first wrong."""


class FramesIncompleteError(ApiError):
    """There is no frame, or one of the numbers in between is missing."""

    code = "frames-incomplete"


class CaptureConflictError(ApiError):
    """The capture was begun before, in another way, or there is none to begin."""

    code = "capture-conflict"


@dataclass(frozen=True)
class JudgedCapture:
    """What one capture showed, and where it came from."""

    face: FaceVerdict
    injection: InjectionVerdict

    @property
    def may_retry(self) -> bool:
        """Whether a new challenge is fair; also where only a slow network held the capture."""
        if self.injection.outcome is Outcome.FAILED:
            return False
        is_person = self.face.outcome is Outcome.PASSED
        return self.face.may_retry or (is_person and self.injection.was_slow)

    def to_dict(self, attempt: int) -> dict[str, Any]:
        """Return it for the session's record."""
        injection = self.injection.to_dict()
        return {"attempt": attempt, "face": self.face.to_dict(), "injection": injection}


@dataclass(frozen=True)
class CaptureStep:
    """What a session does about the face: at most `MAX_CAPTURES` captures, one at a time."""

    repository: Repository
    pipeline: FacePipeline
    fleet: AgentFleet | None
    clock: Callable[[], datetime]
    """Naive UTC: when captures begin and their frames arrive."""
    choose: Callable[..., Challenge]
    """Draws the challenge of a capture, without and with light, at either pace."""
    live: LiveCaptures
    verified_chip: Callable[[SessionRow], ChipVerdict]
    """Gives the chip whose portrait the face is compared with."""

    def begin(self, row: SessionRow, request: CaptureIn) -> CaptureOut:
        """Choose a challenge and give it out; asked again in the same way, it is the same.

        Raises:
            CaptureConflictError: it has begun in another way, or no attempt is left.
            StateConflictError: the session does not wait for a capture.
        """
        require_state(row.state, State.CHIP, State.CAPTURE)
        asked = request.model_dump(mode="json")
        if row.state == State.CHIP:
            if not attempts_left(row):
                raise CaptureConflictError("no attempt is left: open a new session")
            challenge = self.choose(light=request.light, pace=Pace(request.pace))
            analysis = self._begin_analysis(row, challenge)
            begun = {
                "attempt": row.attempt + 1,
                "asked": asked,
                "begun_at": self.clock().isoformat(),
                "challenge": challenge.to_dict(),
            }
            self.repository.move(
                *(row.id, State.CHIP, State.CAPTURE),
                attempt=row.attempt,
                capture_challenge=begun,
            )
            row = self.repository.get(row.id)
            self.live.begin(f"{row.id}/{begun['attempt']}", analysis)
        assert row.capture_challenge is not None
        if row.capture_challenge["asked"] != asked:
            raise CaptureConflictError("the capture has begun already, in another way")
        capture = capture_out(row)
        assert capture is not None
        return capture

    def put_frame(
        self, row: SessionRow, number: int, t_ms: int, data: bytes, signature: str | None = None
    ) -> None:
        """Keep one frame of the capture, and the agent's signature of it.

        Raises:
            ImageError: it cannot be decoded or is too large; nothing changes, another may be sent.
            EvidenceTooLargeError: there are too many, or they are too large.
            FrameSignatureInvalidError: the signature is none at all; whether it is the right one is
                judged with the capture.
            PieceConflictError: another frame has this number.
            StateConflictError: the session has no capture for it, or is at the next one already.
        """
        received_at = self.clock()
        require_state(row.state, State.CAPTURE)
        if number >= MAX_FRAMES:
            raise EvidenceTooLargeError(f"a capture has at most {MAX_FRAMES} frames")
        decode_image(data, max_pixels=MAX_FRAME_PIXELS, formats=CAMERA_FORMATS)
        pieces = [Piece(FRAME, number, t_ms, data, received_at)]
        if signature is not None:
            signed = parse_header(signature)
            pieces.append(Piece(SIGNATURE, number, t_ms, signed, received_at))
        self.repository.put_pieces(
            *(row.id, State.CAPTURE),
            *pieces,
            limit=MAX_EVIDENCE_BYTES,
            attempt=row.attempt,
        )
        self.live.add(capture_key(row), number, FrameSample(data, float(t_ms)), size=len(data))

    def close(self, row: SessionRow) -> JudgedCapture:
        """Judge the capture of a session that is being decided: no frame can come any more.

        Raises:
            FramesIncompleteError: no frames, or a gap in their numbers.
        """
        pieces = self.repository.pieces(row.id, FRAME)
        require_complete([piece.number for piece in pieces])
        return self._judge(row, pieces)

    def _begin_analysis(self, row: SessionRow, challenge: Challenge) -> CaptureAnalysis:
        document = self.verified_chip(row).document
        if document is None or document.portrait is None:
            raise StateConflictError("the chip's evidence no longer verifies")
        return self.pipeline.begin_capture(document.portrait, challenge)

    def _judge(self, row: SessionRow, pieces: Sequence[PieceRow]) -> JudgedCapture:
        """Judge the frames of a capture, and where they came from."""
        frames = [FrameSample(piece.data, float(piece.t_ms)) for piece in pieces]
        challenge = _challenge(row)
        face = self.live.conclude(
            capture_key(row), frames, lambda: self._begin_analysis(row, challenge)
        )
        signatures = {p.number: p.data for p in self.repository.pieces(row.id, SIGNATURE)}
        received = [
            ReceivedFrame(
                number=piece.number,
                t_ms=piece.t_ms,
                received_at=piece.received_at,
                sha256=hashlib.sha256(piece.data).digest(),
                signature=signatures.get(piece.number),
            )
            for piece in pieces
        ]
        begun = row.capture_challenge
        assert begun is not None
        context = CaptureContext(
            session_id=row.id,
            challenge_id=challenge.id,
            begun_at=datetime.fromisoformat(begun["begun_at"]),
            agent_jws=begun["asked"]["agent"],
            frames_seen_elsewhere=0
            if face.liveness.shows_little
            else self.repository.note_frames(
                capture_key(row), [frame.sha256 for frame in received]
            ),
        )
        return JudgedCapture(face, judge_injection(context, received, self.fleet))


def attempts_left(row: SessionRow) -> int:
    """Return how many captures a session may still begin."""
    return MAX_CAPTURES - row.attempt


def capture_key(row: SessionRow) -> str:
    """Return under which key the present capture is looked at."""
    return f"{row.id}/{row.attempt}"


def _challenge(row: SessionRow) -> Challenge:
    assert row.capture_challenge is not None
    return Challenge.from_dict(row.capture_challenge["challenge"])


def capture_out(row: SessionRow) -> CaptureOut | None:
    """Return the present or latest capture as the page may see it."""
    begun = row.capture_challenge
    if begun is None:
        return None
    begun_at = datetime.fromisoformat(begun["begun_at"]).replace(tzinfo=UTC)
    return CaptureOut(
        attempt=begun["attempt"],
        challenge=begun["challenge"],
        first_frame_by=begun_at + timedelta(seconds=FIRST_FRAME_WITHIN_S),
    )


def require_complete(numbers: Sequence[int]) -> None:
    """Refuse frames of which some are missing (raises `FramesIncompleteError`)."""
    if not numbers:
        raise FramesIncompleteError("no frame has arrived")
    if list(numbers) != list(range(len(numbers))):
        raise FramesIncompleteError(
            f"{len(numbers)} frames have arrived and their numbers have gaps"
        )
