"""The proofing service: every step of a session, with the evidence that it needs.

The agent is never trusted about the chip: what it hands in is evidence, verified here.
"""

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypedDict

from api.assertions.claims import (
    AssertionClaims,
    Attendance,
    Chip,
    Face,
    InjectionDetection,
    Pad,
    findings_of,
)
from api.assertions.keys import SigningKey
from api.assertions.sd_jwt import issue
from api.errors import ApiError
from api.fleet.frames import parse_header
from api.fleet.registry import AgentFleet
from api.procedures.catalogue import Catalogue, Procedure
from api.proofing import sections
from api.proofing.captures import LiveCaptures
from api.proofing.decision import Decision, decide
from api.proofing.injection import (
    FIRST_FRAME_WITHIN_S,
    CaptureContext,
    InjectionVerdict,
    ReceivedFrame,
    judge_injection,
)
from api.proofing.online_authority import OnlineAuthority
from api.proofing.repository import (
    EXPECTED,
    FRAME,
    ONLINE,
    SIGNATURE,
    EvidenceTooLargeError,
    Piece,
    Repository,
    SessionUnknownError,
    utc_now,
)
from api.proofing.schemas import (
    AdviceOut,
    CaptureIn,
    CaptureOut,
    ChipAuthenticationOut,
    ProcedureOut,
    RecordOut,
    SessionCreated,
    SessionIn,
    SessionOut,
)
from api.proofing.sections import FaceThresholds
from api.proofing.states import (
    ASSERTION_KEPT_S,
    HOLDS_EVIDENCE,
    SessionExpiredError,
    State,
    StateConflictError,
)
from api.proofing.telling import for_subject
from api.settings import RelyingParty
from api.store.tables import PieceRow, SessionRow
from biometrics.analysis import CaptureAnalysis, FaceVerdict
from biometrics.challenge import Challenge, Pace, choose_challenge
from biometrics.image import CAMERA_FORMATS, MAX_FRAME_PIXELS, decode_image
from biometrics.liveness.capture import MAX_FRAMES
from biometrics.pipeline import FacePipeline
from biometrics.quality import advise
from biometrics.types import FrameSample, Outcome
from devices.emrtd.evidence import ChipEvidence
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.verification.chip_authentication import (
    ChipAuthenticationChallenge,
    challenge_chip,
)
from devices.emrtd.verification.online_verdict import OnlineVerdictRecord, ask_authority
from devices.emrtd.verification.verifier import ChipVerdict, verify_evidence

MAX_EVIDENCE_BYTES = 96 << 20

MAX_CAPTURES = 2
"""The second is for a willing person who got the first wrong."""

MAX_SESSIONS_PER_CARD = 3
"""In which a capture was begun, in a day, without a pass: nobody climbs a hill of scores."""

_STATE_BY_OUTCOME = {
    "PASSED": State.PASSED,
    "INDETERMINATE": State.REVIEW,
    "FAILED": State.FAILED,
}


class RequestNotAllowedError(ApiError):
    """The procedure does not allow what the relying party asks for."""

    code = "request-not-allowed"


class OtherCardError(ApiError):
    """The session has a card already, and this is another."""

    code = "other-card"


class FramesIncompleteError(ApiError):
    """There is no frame, or one of the numbers in between is missing."""

    code = "frames-incomplete"


class CaptureConflictError(ApiError):
    """The capture was begun before, in another way, or there is none to begin."""

    code = "capture-conflict"


class AssertionNotIssuedError(ApiError):
    """Only a session that has passed has an assertion."""

    code = "assertion-not-issued"


class _Parts(TypedDict):
    chip: Chip
    face: Face
    pad: Pad
    iad: InjectionDetection
    attendance: Attendance


@dataclass(frozen=True)
class ProofingService:
    """Sessions over one database, one catalogue, one set of trust anchors, one signing key."""

    repository: Repository
    catalogue: Catalogue
    anchors: TrustAnchors
    pipeline: FacePipeline
    thresholds: FaceThresholds
    """What the pipeline was made with."""
    key: SigningKey
    relying_parties: tuple[RelyingParty, ...] | None = None
    """Who may open sessions; None: whoever reaches the loopback address."""
    authority: OnlineAuthority | None = None
    """Who is asked about each document whose chip has passed, and has to agree; None: nobody."""
    fleet: AgentFleet | None = None
    """Device agents whose cameras are believed; None: every capture counts as a browser's."""
    clock: Callable[[], datetime] = utc_now
    """Naive UTC: when captures begin and their frames arrive."""
    choose: Callable[..., Challenge] = choose_challenge
    """Draws the challenge of a capture, without and with light, at either pace."""
    captures: LiveCaptures = field(default_factory=LiveCaptures)

    def procedures(self) -> list[ProcedureOut]:
        """Return the catalogue."""
        return [ProcedureOut.model_validate(vars(procedure)) for procedure in self.catalogue.all()]

    def create(self, request: SessionIn, audience: str | None) -> SessionCreated:
        """Open a session.

        Args:
            request: what the relying party asks for.
            audience: whom its API key belongs to; None where no keys are configured.

        Raises:
            ProcedureUnknownError: the code is not in the catalogue.
            RequestNotAllowedError: audience, role or attendance are not allowed.
        """
        procedure = self.catalogue.get(request.procedure_code)
        if audience is not None and audience != request.audience:
            raise RequestNotAllowedError("the audience is not that of the API key")
        if request.party_role not in procedure.party_roles:
            raise RequestNotAllowedError(f"party_role must be among {procedure.party_roles}")
        if request.attendance_mode not in procedure.attendance:
            raise RequestNotAllowedError(f"this procedure needs one of {procedure.attendance}")
        token = secrets.token_urlsafe(32)
        row = SessionRow(
            id=secrets.token_hex(16),
            token_sha256=hashlib.sha256(token.encode()).hexdigest(),
            state=State.CREATED,
            created_at=utc_now(),
            request=request.model_dump(mode="json", exclude={"expected_id_number"}),
            chip_challenge=secrets.token_bytes(8),
            reasons=[],
        )
        expected = request.expected_id_number
        pieces = [Piece(EXPECTED, 0, 0, expected.encode(), utc_now())] if expected else []
        self.repository.add(row, *pieces)
        return SessionCreated(**self.describe(row.id).model_dump(), token=token)

    def authorise(self, session_id: str, token: str) -> SessionRow:
        """Return the session that a token opens.

        Raises:
            SessionUnknownError: no such session, or not its token; the two look alike.
        """
        row = self.repository.get(session_id)
        shown = hashlib.sha256(token.encode()).hexdigest()
        if not hmac.compare_digest(row.token_sha256, shown):
            raise SessionUnknownError("no session with this id and token")
        if row.deadline is not None and row.deadline < utc_now():
            self.repository.expire_overdue()
            row = self.repository.get(session_id)
        return row

    def describe(self, session_id: str) -> SessionOut:
        """Return a session as its owner may see it."""
        row = self.repository.get(session_id)
        request, procedure = self._request(row)
        return SessionOut(
            id=row.id,
            state=row.state,
            procedure_code=request.procedure_code,
            procedure_name=dict(procedure.name),
            data_groups=list(procedure.data_groups),
            deadline=row.deadline and row.deadline.replace(tzinfo=UTC),
            chip_challenge=row.chip_challenge.hex(),
            capture=_capture_out(row),
            attempts_left=_attempts_left(row) if row.state in HOLDS_EVIDENCE else 0,
            outcome=row.outcome,
            level=row.level,
            reasons=for_subject(row.reasons, passed=row.state == State.PASSED),
            advice=[
                AdviceOut(reason=advice.reason, vi=advice.vi, en=advice.en)
                for advice in advise(row.reasons, self.thresholds.quality)
            ],
        )

    def consent(self, row: SessionRow) -> SessionOut:
        """Record that the citizen agrees to chip and face; again changes nothing."""
        if row.state != State.CONSENTED:
            _require(row, State.CREATED)
            self.repository.move(row.id, State.CREATED, State.CONSENTED)
        return self.describe(row.id)

    def challenge_chip(
        self, row: SessionRow, dg14: bytes, *, short_identifiers: bool
    ) -> ChipAuthenticationOut:
        """Give out a challenge for Chip Authentication, in place of the one before.

        DG14 is as the agent says: a key that is not the document's is found with the evidence.

        Raises:
            ChipAuthenticationUnsupportedError: DG14 offers no variant that this server runs.
            FileMalformedError, TlvMalformedError: this is no DG14.
            StateConflictError: the session does not wait for a chip.
        """
        _require(row, State.CONSENTED)
        challenge = challenge_chip(dg14, short_identifiers=short_identifiers)
        secret = json.dumps(challenge.to_dict()).encode()
        self.repository.replace_piece(row.id, State.CONSENTED, Piece("ca", 0, 0, secret, utc_now()))
        request = challenge.request(dg14)
        return ChipAuthenticationOut(
            oid=request.oid,
            key_id=request.key_id,
            public_key=request.public_key.hex(),
            command=request.command.hex(),
        )

    def put_chip(self, row: SessionRow, data: bytes) -> SessionOut:
        """Verify the chip's evidence; if it passes, a capture may begin.

        Raises:
            EvidenceMalformedError: it is not evidence; nothing changes, it may be sent again.
            OtherCardError: the session has the evidence of another card.
            StateConflictError: the session does not wait for it.
        """
        _require(row, State.CONSENTED, State.CHIP)
        _, procedure = self._request(row)
        # What the procedure does not ask for is dropped before anything is kept of it.
        evidence = ChipEvidence.from_bytes(data).only(procedure.data_groups)
        kept = evidence.to_bytes()
        if row.state == State.CHIP:
            held = self._evidence(row)
            if held.to_bytes() == kept:
                return self.describe(row.id)
            if held.sod != evidence.sod:
                raise OtherCardError("the session has another card's evidence: open a new session")
        _require(row, State.CONSENTED)
        received_at = utc_now()
        outcome, reasons, pieces = self._judge_chip(row, evidence, received_at)
        if outcome != "PASSED":
            then = _STATE_BY_OUTCOME[outcome]
            self.repository.move(
                *(row.id, State.CONSENTED, then),
                *pieces,
                outcome=outcome,
                reasons=list(reasons),
            )
            return self.describe(row.id)
        self.repository.move(
            row.id,
            State.CONSENTED,
            State.CHIP,
            Piece("chip", 0, 0, kept, received_at),
            *pieces,
        )
        return self.describe(row.id)

    def begin_capture(self, row: SessionRow, request: CaptureIn) -> CaptureOut:
        """Choose a challenge and give it out; asked again in the same way, it is the same.

        Raises:
            CaptureConflictError: it has begun in another way, or no attempt is left.
            StateConflictError: the session does not wait for a capture.
        """
        _require(row, State.CHIP, State.CAPTURE)
        asked = request.model_dump(mode="json")
        if row.state == State.CHIP:
            if not _attempts_left(row):
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
            self.captures.begin(f"{row.id}/{begun['attempt']}", analysis)
        assert row.capture_challenge is not None
        if row.capture_challenge["asked"] != asked:
            raise CaptureConflictError("the capture has begun already, in another way")
        capture = _capture_out(row)
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
        _require(row, State.CAPTURE)
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
        self.captures.add(_capture_key(row), number, FrameSample(data, float(t_ms)), size=len(data))

    def decide(self, row: SessionRow) -> SessionOut:
        """Judge the capture, decide, sign if it passed, and forget the evidence.

        Raises:
            FramesIncompleteError: no frames, or a gap in their numbers; send what is missing.
            StateConflictError: the session has no capture to decide.
        """
        _require(row, State.CAPTURE)
        _require_complete(self.repository.numbers(row.id, FRAME))
        self.repository.move(row.id, State.CAPTURE, State.DECIDING, attempt=row.attempt)
        try:
            # From here on no frame can come: what is judged is what is kept.
            pieces = self.repository.pieces(row.id, FRAME)
            _require_complete([piece.number for piece in pieces])
            judged = self._judge_capture(row, pieces)
            decision, assertion = self._decide(row, judged)
        except BaseException:
            # With what is left of its time: asking again and again keeps no evidence.
            self.repository.move(row.id, State.DECIDING, State.CAPTURE, deadline=row.deadline)
            raise
        record = self.repository.record(row.id)
        record = {"captures": [*record.get("captures", []), judged.to_dict(row.attempt)]}
        if decision.outcome != "PASSED" and judged.may_retry and _attempts_left(row):
            reasons = list(decision.reasons)
            self.repository.move(row.id, State.DECIDING, State.CHIP, record=record, reasons=reasons)
            return self.describe(row.id)
        self.repository.move(
            row.id,
            State.DECIDING,
            _STATE_BY_OUTCOME[decision.outcome],
            record=record,
            outcome=decision.outcome,
            level=decision.level,
            reasons=list(decision.reasons),
            assertion=assertion,
        )
        return self.describe(row.id)

    def record(self, session_id: str, audience: str | None) -> RecordOut:
        """Return what the checks of a session found.

        Args:
            session_id: the session.
            audience: whom the caller's API key belongs to; None where no keys are configured.

        Raises:
            SessionUnknownError: there is no such session of this audience.
        """
        row = self.repository.get(session_id)
        if audience is not None and audience != row.request["audience"]:
            raise SessionUnknownError("no session with this id and token")
        return RecordOut(
            id=row.id,
            state=row.state,
            outcome=row.outcome,
            level=row.level,
            reasons=row.reasons,
            captures=self.repository.record(row.id).get("captures", []),
        )

    def sweep(self) -> None:
        """Forget whatever has been kept for long enough."""
        self.captures.forget_old()
        self.repository.expire_overdue()

    def assertion(self, row: SessionRow) -> str:
        """Return the signed assertion.

        Raises:
            AssertionNotIssuedError: the session has not passed.
        """
        if row.assertion is None:
            raise AssertionNotIssuedError(
                f"the session is {row.state} and holds no assertion (it is kept for a day)"
            )
        return row.assertion

    def cancel(self, row: SessionRow) -> SessionOut:
        """Give up the session and forget its evidence."""
        if row.state != State.CANCELLED:
            now = State(row.state)
            self.repository.move(row.id, now, State.CANCELLED, attempt=row.attempt)
        self.captures.forget(_capture_key(row))
        return self.describe(row.id)

    def _request(self, row: SessionRow) -> tuple[SessionIn, Procedure]:
        request = SessionIn.model_validate(row.request)
        return request, self.catalogue.get(request.procedure_code)

    def _evidence(self, row: SessionRow) -> ChipEvidence:
        (piece,) = self.repository.pieces(row.id, "chip")
        return ChipEvidence.from_bytes(piece.data)

    def _ca_challenge(self, row: SessionRow) -> ChipAuthenticationChallenge | None:
        pieces = self.repository.pieces(row.id, "ca")
        return ChipAuthenticationChallenge.from_dict(json.loads(pieces[0].data)) if pieces else None

    def _judge_chip(
        self, row: SessionRow, evidence: ChipEvidence, received_at: datetime
    ) -> tuple[str, Sequence[str], Sequence[Piece]]:
        """Return outcome and reasons, and what an authority answered, if one was asked.

        It is asked last: about nobody whose card does not do.
        """
        _, procedure = self._request(row)
        verdict = self._verify_chip(row, evidence, received_at)
        if verdict.outcome != "PASSED":
            return str(verdict.outcome), verdict.reasons, ()
        expected = [piece.data.decode() for piece in self.repository.pieces(row.id, EXPECTED)]
        if lacking := _lacking(procedure, verdict, *expected):
            return *lacking, ()
        card = verdict.lds_sha256 or ""
        if not self.repository.use_card(row.id, card, MAX_SESSIONS_PER_CARD, ASSERTION_KEPT_S):
            return "INDETERMINATE", ["card-attempts-exceeded"], ()
        if self.authority is None:
            return str(verdict.outcome), verdict.reasons, ()
        online = ask_authority(self.authority.client, verdict.lds_sha256 or "")
        verdict = self._verify_chip(row, evidence, received_at, self.authority, online)
        piece = Piece(ONLINE, 0, 0, online.to_bytes(), utc_now())
        return str(verdict.outcome), verdict.reasons, (piece,)

    def _verify_chip(
        self,
        row: SessionRow,
        evidence: ChipEvidence,
        received_at: datetime,
        authority: OnlineAuthority | None = None,
        online: OnlineVerdictRecord | None = None,
    ) -> ChipVerdict:
        return verify_evidence(
            evidence,
            self.anchors,
            challenge=row.chip_challenge,
            ca_challenge=self._ca_challenge(row),
            at=received_at.replace(tzinfo=UTC).astimezone(sections.VIETNAM),
            online=online,
            authority_key=authority.key if authority else None,
        )

    def _begin_analysis(self, row: SessionRow, challenge: Challenge) -> CaptureAnalysis:
        document = self._verified_chip(row).document
        if document is None or document.portrait is None:
            raise StateConflictError("the chip's evidence no longer verifies")
        return self.pipeline.begin_capture(document.portrait, challenge)

    def _verified_chip(self, row: SessionRow) -> ChipVerdict:
        held = self.repository.pieces(row.id, "chip")
        if not held:
            raise StateConflictError("the session has ended meanwhile")
        (piece,) = held
        answers = [
            OnlineVerdictRecord.from_bytes(answer.data)
            for answer in self.repository.pieces(row.id, ONLINE)
        ]
        evidence = ChipEvidence.from_bytes(piece.data)
        return self._verify_chip(row, evidence, piece.received_at, self.authority, *answers)

    def _judge_capture(self, row: SessionRow, pieces: Sequence[PieceRow]) -> "_Judged":
        """Judge the frames of a capture, and where they came from."""
        frames = [FrameSample(piece.data, float(piece.t_ms)) for piece in pieces]
        challenge = _challenge(row)
        face = self.captures.conclude(
            _capture_key(row), frames, lambda: self._begin_analysis(row, challenge)
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
                _capture_key(row), [frame.sha256 for frame in received]
            ),
        )
        return _Judged(face, judge_injection(context, received, self.fleet))

    def _decide(self, row: SessionRow, judged: "_Judged") -> tuple[Decision, str | None]:
        request, procedure = self._request(row)
        chip, face = self._verified_chip(row), judged.face
        document = chip.document
        if document is None:
            raise StateConflictError("the chip's evidence no longer verifies")
        if face.comparison is None:
            # Nothing compared is no pass, whatever the rest says; a refusal stays one.
            outcomes = (face.outcome, judged.injection.outcome)
            outcome = "FAILED" if Outcome.FAILED in outcomes else "INDETERMINATE"
            return Decision(outcome, None, (*face.reasons, *judged.injection.reasons)), None
        parts: _Parts = {
            "chip": sections.chip_section(chip),
            "face": sections.face_section(face, face.comparison, self.thresholds),
            "pad": sections.pad_section(face),
            "iad": sections.capture_section(judged.injection),
            "attendance": sections.attendance_section(request),
        }
        decision = decide(procedure, (chip, face, judged.injection), findings_of(**parts))
        if decision.level is None:
            return decision, None
        claims = AssertionClaims(
            audience=request.audience,
            nonce=request.nonce,
            txn=sections.transaction_section(row.id, request),
            verified_claims=sections.verified_claims_section(
                row.id,
                procedure,
                decision.level,
                document,
                chip,
                face.comparison,
                datetime.now(UTC),
            ),
            policy=sections.policy_section(procedure),
            **parts,
        )
        return decision, issue(claims, self.key)


@dataclass(frozen=True)
class _Judged:
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


def _attempts_left(row: SessionRow) -> int:
    return MAX_CAPTURES - row.attempt


def _capture_key(row: SessionRow) -> str:
    return f"{row.id}/{row.attempt}"


def _challenge(row: SessionRow) -> Challenge:
    assert row.capture_challenge is not None
    return Challenge.from_dict(row.capture_challenge["challenge"])


def _capture_out(row: SessionRow) -> CaptureOut | None:
    begun = row.capture_challenge
    if begun is None:
        return None
    begun_at = datetime.fromisoformat(begun["begun_at"]).replace(tzinfo=UTC)
    return CaptureOut(
        attempt=begun["attempt"],
        challenge=begun["challenge"],
        first_frame_by=begun_at + timedelta(seconds=FIRST_FRAME_WITHIN_S),
    )


def _lacking(
    procedure: Procedure, verdict: ChipVerdict, expected_id_number: str | None = None
) -> tuple[str, list[str]] | None:
    """Return outcome and reason where evidence that is genuine does not do for the session."""
    document, minimum = verdict.document, procedure.minimum_age_years
    if document is not None and expected_id_number is not None:
        if document.id_number is None:
            return "INDETERMINATE", ["id-number-missing"]
        if document.id_number != expected_id_number:
            return "FAILED", ["other-person"]
    if document is None or document.portrait is None:
        return "INDETERMINATE", ["portrait-missing"]
    if minimum is not None and document.age_years is None:
        return "INDETERMINATE", ["age-unknown"]
    if minimum is not None and (document.age_years or 0) < minimum:
        return "FAILED", ["age-below-minimum"]
    unread = set(procedure.data_groups) & set(verdict.dg_listed) - set(verdict.dg_verified)
    return ("INDETERMINATE", ["data-group-missing"]) if unread else None


def _require_complete(numbers: Sequence[int]) -> None:
    if not numbers:
        raise FramesIncompleteError("no frame has arrived")
    if list(numbers) != list(range(len(numbers))):
        raise FramesIncompleteError(
            f"{len(numbers)} frames have arrived and their numbers have gaps"
        )


def _require(row: SessionRow, *states: State) -> None:
    if row.state == State.EXPIRED:
        raise SessionExpiredError("the session has run out of time; open a new one")
    if row.state not in states:
        raise StateConflictError(f"the session is {row.state}; this step needs {states[0]}")
