"""The assertion that is issued and verified: a session without an officer, four claims hidden."""

import hashlib
import secrets
from datetime import UTC, datetime

from api.assertions.claim_sections import (
    Attendance,
    CheckDetail,
    Chip,
    CloneCheck,
    DocumentDetails,
    DocumentEvidence,
    Face,
    IdentityVerification,
    InjectionDetection,
    Issuer,
    Pad,
    PadMethod,
    PassiveAuthentication,
    PersonClaims,
    Policy,
    Transaction,
    TxnDocument,
    VerifiedClaims,
)
from api.assertions.claims import AssertionClaims
from api.assertions.vocabulary import (
    AssuranceLevel,
    AttendanceMode,
    Capture,
    CheckResult,
    ChipAccess,
    CloneMethod,
    PadKind,
)

DOCUMENT = bytes(10_000)
AUDIENCE, NONCE = "https://notary.example", "specimen-nonce"
DIGEST = hashlib.sha256(b"specimen").hexdigest()
OK = CheckResult.OK


def claims() -> AssertionClaims:
    """Return claims of now, with every check that the level `basic` needs."""
    now = datetime.now(UTC)
    details = DocumentDetails("idcard", Issuer("VNM", "VNM"), "2024-07-15", "2030-05-20", "1")
    return AssertionClaims(
        audience=AUDIENCE,
        nonce=NONCE,
        txn=Transaction(
            id=secrets.token_hex(16),
            purpose="benchmark",
            procedure_code="2.000884",
            dossier_id="B-1",
            party_role="applicant",
            documents=(TxnDocument.of(DOCUMENT, role="main", media_type="application/pdf"),),
        ),
        verified_claims=VerifiedClaims(
            IdentityVerification(
                AssuranceLevel.BASIC,
                now,
                "benchmark",
                (DocumentEvidence(details, (CheckDetail("vcrypt", OK, now),)),),
            ),
            PersonClaims(name="NGUYỄN THỊ MẪU", id_number="001190123456", age_over_18=True),
        ),
        chip=Chip(
            ChipAccess.PACE_CAN,
            PassiveAuthentication(OK, DIGEST, DIGEST, DIGEST[:40], DIGEST),
            CloneCheck(CloneMethod.ACTIVE_AUTHENTICATION, OK, "00" * 8),
            (1, 2, 13, 14, 15),
            OK,
        ),
        face=Face(OK, 0.42, 1e-4, DIGEST, DIGEST, DIGEST),
        pad=Pad(OK, (PadMethod("mesh-parallax", "1", PadKind.ACTIVE, OK),), DIGEST[:32]),
        iad=InjectionDetection(Capture.BROWSER),
        attendance=Attendance(AttendanceMode.UNATTENDED),
        policy=Policy("2.000884", "1", DIGEST),
    )
