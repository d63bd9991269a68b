"""The proofing service: every step of a session, with the evidence that it needs.

The agent is never trusted about the chip: what it hands in is evidence, verified here.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from api.assertions.claims import findings_of
from api.errors import ApiError
from api.fleet.registry import AgentFleet
from api.procedures.catalogue import Catalogue, Procedure
from api.proofing.capture_step import (
    CaptureStep,
    JudgedCapture,
    attempts_left,
    capture_key,
    capture_out,
    require_complete,
)
from api.proofing.captures import LiveCaptures
from api.proofing.chip_step import ChipStep
from api.proofing.decision import Decision, decide
from api.proofing.issuing import Findings, Issued, Issuing
from api.proofing.online_authority import OnlineAuthority
from api.proofing.repository import (
    EXPECTED,
    FRAME,
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
    HOLDS_EVIDENCE,
    STATE_BY_OUTCOME,
    State,
    StateConflictError,
    require_state,
)
from api.proofing.telling import for_subject
from api.settings import RelyingParty
from api.status.lists import StatusLists
from api.status.publishing import SigningKeys
from api.store.tables import SessionRow
from biometrics.challenge import Challenge, choose_challenge
from biometrics.pipeline import FacePipeline
from biometrics.quality import advise
from biometrics.types import Outcome
from devices.emrtd.trust.csca import TrustAnchors


class RequestNotAllowedError(ApiError):
    """The procedure does not allow what the relying party asks for."""

    code = "request-not-allowed"


class AssertionNotIssuedError(ApiError):
    """Only a session that has passed has an assertion."""

    code = "assertion-not-issued"


@dataclass(frozen=True)
class ProofingService:
    """Sessions over one database, one catalogue, one set of trust anchors, one ring of keys."""

    repository: Repository
    catalogue: Catalogue
    anchors: TrustAnchors
    pipeline: FacePipeline
    thresholds: FaceThresholds
    """What the pipeline was made with."""
    keys: SigningKeys
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
    statuses: StatusLists | None = None
    """Where each assertion gets its place; None: assertions that cannot be revoked."""

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
            capture=capture_out(row),
            attempts_left=attempts_left(row) if row.state in HOLDS_EVIDENCE else 0,
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
            require_state(row.state, State.CREATED)
            self.repository.move(row.id, State.CREATED, State.CONSENTED)
        return self.describe(row.id)

    def challenge_chip(
        self, row: SessionRow, dg14: bytes, *, short_identifiers: bool
    ) -> ChipAuthenticationOut:
        """Give out a challenge for Chip Authentication (raises what `ChipStep.challenge` does)."""
        return self._chip.challenge(row, dg14, short_identifiers=short_identifiers)

    def put_chip(self, row: SessionRow, data: bytes) -> SessionOut:
        """Verify the chip's evidence (raises what `ChipStep.put` does)."""
        self._chip.put(row, data)
        return self.describe(row.id)

    def begin_capture(self, row: SessionRow, request: CaptureIn) -> CaptureOut:
        """Choose a challenge and give it out (raises what `CaptureStep.begin` does)."""
        return self._capture.begin(row, request)

    def put_frame(
        self, row: SessionRow, number: int, t_ms: int, data: bytes, signature: str | None = None
    ) -> None:
        """Keep one frame of the capture (raises what `CaptureStep.put_frame` does)."""
        self._capture.put_frame(row, number, t_ms, data, signature)

    def decide(self, row: SessionRow) -> SessionOut:
        """Judge the capture, decide, sign if it passed, and forget the evidence.

        Raises:
            FramesIncompleteError: no frames, or a gap in their numbers; send what is missing.
            StateConflictError: the session has no capture to decide.
        """
        require_state(row.state, State.CAPTURE)
        require_complete(self.repository.numbers(row.id, FRAME))
        self.repository.move(row.id, State.CAPTURE, State.DECIDING, attempt=row.attempt)
        try:
            judged = self._capture.close(row)
            decision, issued = self._decide(row, judged)
        except BaseException:
            # With what is left of its time: asking again and again keeps no evidence.
            self.repository.move(row.id, State.DECIDING, State.CAPTURE, deadline=row.deadline)
            raise
        record = self.repository.record(row.id)
        record = {"captures": [*record.get("captures", []), judged.to_dict(row.attempt)]}
        if decision.outcome != "PASSED" and judged.may_retry and attempts_left(row):
            reasons = list(decision.reasons)
            self.repository.move(row.id, State.DECIDING, State.CHIP, record=record, reasons=reasons)
            return self.describe(row.id)
        self.repository.move(
            row.id,
            State.DECIDING,
            STATE_BY_OUTCOME[decision.outcome],
            record=record,
            outcome=decision.outcome,
            level=decision.level,
            reasons=list(decision.reasons),
            assertion=issued.assertion if issued else None,
            rows=issued.rows if issued else (),
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
        if self.statuses is not None:
            self.statuses.forget_links()

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
        self.captures.forget(capture_key(row))
        return self.describe(row.id)

    @property
    def _chip(self) -> ChipStep:
        return ChipStep(self.repository, self.catalogue, self.anchors, self.authority)

    @property
    def _capture(self) -> CaptureStep:
        return CaptureStep(
            repository=self.repository,
            pipeline=self.pipeline,
            fleet=self.fleet,
            clock=self.clock,
            choose=self.choose,
            live=self.captures,
            verified_chip=self._chip.verified,
        )

    def _request(self, row: SessionRow) -> tuple[SessionIn, Procedure]:
        request = SessionIn.of_row(row.request)
        return request, self.catalogue.get(request.procedure_code)

    def _decide(self, row: SessionRow, judged: JudgedCapture) -> tuple[Decision, Issued | None]:
        request, procedure = self._request(row)
        chip, face = self._chip.verified(row), judged.face
        document = chip.document
        if document is None:
            raise StateConflictError("the chip's evidence no longer verifies")
        if face.comparison is None:
            # Nothing compared is no pass, whatever the rest says; a refusal stays one.
            outcomes = (face.outcome, judged.injection.outcome)
            outcome = "FAILED" if Outcome.FAILED in outcomes else "INDETERMINATE"
            return Decision(outcome, None, (*face.reasons, *judged.injection.reasons)), None
        findings = Findings(chip, document, judged, face.comparison)
        parts = findings.parts(request, self.thresholds)
        decision = decide(procedure, (chip, face, judged.injection), findings_of(**parts))
        if decision.level is None:
            return decision, None
        issuing = Issuing(self.keys, self.statuses.allocation if self.statuses else None)
        return decision, issuing.issue(row.id, request, procedure, decision.level, findings, parts)
