"""Issuing and verifying an assertion, against the bare ES256 operations and digests."""

import hashlib
import secrets
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from api.assertions import keys
from api.assertions.chain import load_roots
from api.assertions.claims import (
    AssertionClaims,
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
from api.assertions.sd_jwt import issue, parse
from api.assertions.verifier import verify
from api.assertions.vocabulary import (
    AssuranceLevel,
    AttendanceMode,
    Capture,
    CheckResult,
    ChipAccess,
    CloneMethod,
    PadKind,
)
from benchmarks.result import Metric, median_ms

DOCUMENT = bytes(10_000)
AUDIENCE, NONCE = "https://notary.example", "specimen-nonce"
DIGEST = hashlib.sha256(b"specimen").hexdigest()
OK = CheckResult.OK
ES256 = ec.ECDSA(hashes.SHA256())


def measure(quick: bool) -> dict[str, Metric]:
    """Issue with a file key; verify with the document, from the pinned root."""
    n = 50 if quick else 500
    with tempfile.TemporaryDirectory() as folder:
        key = keys.init(Path(folder) / "keys", password=None)
        roots = load_roots((Path(folder) / "keys" / keys.ROOT).read_bytes())
    claims = _claims()
    assertion = issue(claims, key)
    disclosures = len(parse(assertion).disclosures)
    signed = assertion.split("~")[0].encode()
    signature = key.private_key.sign(signed, ES256)
    public = key.private_key.public_key()

    def digests() -> None:
        for _ in range(disclosures):
            hashlib.sha256(signed[:100]).digest()

    sign_ms = median_ms(lambda: key.private_key.sign(signed, ES256), n) + median_ms(digests, n)
    # The assertion's own signature, and those of leaf and issuing CA.
    verify_ms = 3 * median_ms(lambda: public.verify(signature, signed, ES256), n)
    verify_ms += median_ms(digests, n)

    def check() -> None:
        report = verify(
            assertion, documents=[DOCUMENT], roots=roots, audience=AUDIENCE, nonce=NONCE
        )
        if report.outcome != "PASSED":
            raise RuntimeError("the specimen does not verify: its time means nothing")

    return {
        "assertion.issue": Metric(median_ms(lambda: issue(claims, key), n), "ms", n, sign_ms),
        "assertion.verify": Metric(median_ms(check, n), "ms", n, verify_ms),
        "assertion.size": Metric(len(assertion), "bytes", 1),
    }


def _claims() -> AssertionClaims:
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
