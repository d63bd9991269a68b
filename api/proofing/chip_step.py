"""The chip's part of a session: a challenge for it, its evidence, and what that proves."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from api.errors import ApiError
from api.procedures.catalogue import Catalogue, Procedure
from api.proofing import sections
from api.proofing.online_authority import OnlineAuthority
from api.proofing.repository import EXPECTED, ONLINE, Piece, Repository, utc_now
from api.proofing.schemas import ChipAuthenticationOut
from api.proofing.states import (
    ASSERTION_KEPT_S,
    STATE_BY_OUTCOME,
    State,
    StateConflictError,
    require_state,
)
from api.store.tables import SessionRow
from devices.emrtd.evidence import ChipEvidence
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.verification.chip_authentication import (
    ChipAuthenticationChallenge,
    challenge_chip,
)
from devices.emrtd.verification.online_verdict import OnlineVerdictRecord, ask_authority
from devices.emrtd.verification.verifier import ChipVerdict, verify_evidence

MAX_SESSIONS_PER_CARD = 3
"""In which a capture was begun, in a day, without a pass: nobody climbs a hill of scores."""


class OtherCardError(ApiError):
    """The session has a card already, and this is another."""

    code = "other-card"


@dataclass(frozen=True)
class ChipStep:
    """What a session does about the chip; what the agent says of it is evidence, verified here."""

    repository: Repository
    catalogue: Catalogue
    anchors: TrustAnchors
    authority: OnlineAuthority | None

    def challenge(
        self, row: SessionRow, dg14: bytes, *, short_identifiers: bool
    ) -> ChipAuthenticationOut:
        """Give out a challenge for Chip Authentication, in place of the one before.

        DG14 is as the agent says: a key that is not the document's is found with the evidence.

        Raises:
            ChipAuthenticationUnsupportedError: DG14 offers no variant that this server runs.
            FileMalformedError, TlvMalformedError: this is no DG14.
            StateConflictError: the session does not wait for a chip.
        """
        require_state(row.state, State.CONSENTED)
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

    def put(self, row: SessionRow, data: bytes) -> None:
        """Verify the chip's evidence; if it passes, a capture may begin.

        Raises:
            EvidenceMalformedError: it is not evidence; nothing changes, it may be sent again.
            OtherCardError: the session has the evidence of another card.
            StateConflictError: the session does not wait for it.
        """
        require_state(row.state, State.CONSENTED, State.CHIP)
        procedure = self._procedure(row)
        # What the procedure does not ask for is dropped before anything is kept of it.
        evidence = ChipEvidence.from_bytes(data).only(procedure.data_groups)
        kept = evidence.to_bytes()
        if row.state == State.CHIP:
            held = self._evidence(row)
            if held.to_bytes() == kept:
                return
            if held.sod != evidence.sod:
                raise OtherCardError("the session has another card's evidence: open a new session")
        require_state(row.state, State.CONSENTED)
        received_at = utc_now()
        outcome, reasons, pieces = self._judge(row, evidence, received_at)
        if outcome != "PASSED":
            then = STATE_BY_OUTCOME[outcome]
            self.repository.move(
                *(row.id, State.CONSENTED, then),
                *pieces,
                outcome=outcome,
                reasons=list(reasons),
            )
            return
        self.repository.move(
            row.id,
            State.CONSENTED,
            State.CHIP,
            Piece("chip", 0, 0, kept, received_at),
            *pieces,
        )

    def verified(self, row: SessionRow) -> ChipVerdict:
        """Verify once more what was accepted, for the decision that rests on it.

        Raises:
            StateConflictError: the session has ended meanwhile.
        """
        held = self.repository.pieces(row.id, "chip")
        if not held:
            raise StateConflictError("the session has ended meanwhile")
        (piece,) = held
        answers = [
            OnlineVerdictRecord.from_bytes(answer.data)
            for answer in self.repository.pieces(row.id, ONLINE)
        ]
        evidence = ChipEvidence.from_bytes(piece.data)
        return self._verify(row, evidence, piece.received_at, self.authority, *answers)

    def _procedure(self, row: SessionRow) -> Procedure:
        return self.catalogue.get(row.request["procedure_code"])

    def _evidence(self, row: SessionRow) -> ChipEvidence:
        (piece,) = self.repository.pieces(row.id, "chip")
        return ChipEvidence.from_bytes(piece.data)

    def _ca_challenge(self, row: SessionRow) -> ChipAuthenticationChallenge | None:
        pieces = self.repository.pieces(row.id, "ca")
        return ChipAuthenticationChallenge.from_dict(json.loads(pieces[0].data)) if pieces else None

    def _judge(
        self, row: SessionRow, evidence: ChipEvidence, received_at: datetime
    ) -> tuple[str, Sequence[str], Sequence[Piece]]:
        """Return outcome and reasons, and what an authority answered, if one was asked.

        It is asked last: about nobody whose card does not do.
        """
        procedure = self._procedure(row)
        verdict = self._verify(row, evidence, received_at)
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
        verdict = self._verify(row, evidence, received_at, self.authority, online)
        piece = Piece(ONLINE, 0, 0, online.to_bytes(), utc_now())
        return str(verdict.outcome), verdict.reasons, (piece,)

    def _verify(
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
