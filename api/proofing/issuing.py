"""From what was found to a signed assertion: typed findings in, never a boolean.

`AssertionClaims` refuses what the checks do not carry, so that nothing signed here can say more
than they found.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypedDict

from api.assertions.claim_sections import (
    Attendance,
    Chip,
    Face,
    InjectionDetection,
    Pad,
)
from api.assertions.claims import AssertionClaims
from api.assertions.sd_jwt import issue
from api.assertions.vocabulary import AssuranceLevel
from api.procedures.catalogue import Procedure
from api.proofing import sections
from api.proofing.capture_step import JudgedCapture
from api.proofing.schemas import SessionIn
from api.proofing.sections import FaceThresholds
from api.status.allocation import StatusAllocation
from api.status.publishing import SigningKeys
from api.store.status_tables import StatusEntryRow
from biometrics.types import ComparisonVerdict
from devices.emrtd.verification.document import VerifiedDocument
from devices.emrtd.verification.verifier import ChipVerdict

DIGESTS_AT_LEAST = 8
"""In each object that has some. The claims of a person are seven at most, so that their number is
always this: a card without a residence, or a birth date that says no age, shows in none of what is
not disclosed (RFC 9901 §4.2.5, §10.4)."""


class Parts(TypedDict):
    """The sections of the claim set that say what was checked."""

    chip: Chip
    face: Face
    pad: Pad
    iad: InjectionDetection
    attendance: Attendance


@dataclass(frozen=True)
class Findings:
    """Everything that a session found, where a document was verified and a face compared."""

    chip: ChipVerdict
    document: VerifiedDocument
    capture: JudgedCapture
    comparison: ComparisonVerdict

    def parts(self, request: SessionIn, thresholds: FaceThresholds) -> Parts:
        """Return it as sections of the claim set."""
        face = self.capture.face
        return {
            "chip": sections.chip_section(self.chip),
            "face": sections.face_section(face, self.comparison, thresholds),
            "pad": sections.pad_section(face),
            "iad": sections.capture_section(self.capture.injection),
            "attendance": sections.attendance_section(request),
        }


@dataclass(frozen=True)
class Issued:
    """A signed assertion, with what has to be stored in one transaction with it."""

    assertion: str
    rows: tuple[StatusEntryRow, ...]
    """Which index of which status list it has; empty where no lists are kept."""


@dataclass(frozen=True)
class Issuing:
    """Signs assertions with the key of the day."""

    keys: SigningKeys
    statuses: StatusAllocation | None
    """None: assertions that cannot be revoked."""

    def issue(
        self,
        session_id: str,
        request: SessionIn,
        procedure: Procedure,
        level: AssuranceLevel,
        findings: Findings,
        parts: Parts,
    ) -> Issued:
        """Sign what a session found.

        Raises:
            MandatoryCheckError: a mandatory check is not ok.
            LevelExceedsChecksError: the level is above what the checks carry.
            ClaimsIncompleteError: something that every assertion says is missing.
            SigningKeyExpiredError: no key covers the assertion's life.
        """
        at = datetime.now(UTC)
        key = self.keys.current(at)
        # An index that no assertion gets in the end stays unused: nothing has to be undone.
        reserved = self.statuses.reserve(key.issuer) if self.statuses else None
        claims = AssertionClaims(
            audience=request.audience,
            nonce=request.nonce,
            txn=sections.transaction_section(session_id, request),
            verified_claims=sections.verified_claims_section(
                session_id,
                procedure,
                level,
                findings.document,
                findings.chip,
                findings.comparison,
                at,
            ),
            policy=sections.policy_section(procedure),
            issued_at=at,
            status=reserved.reference if reserved else None,
            **parts,
        )
        assertion = issue(claims, key, fill_to=DIGESTS_AT_LEAST)
        if reserved is None:
            return Issued(assertion, ())
        return Issued(assertion, (reserved.entry(jti=claims.jti, session_id=session_id),))
