"""What the verdicts of chip and face become in the assertion: sections of the claim set."""

import hashlib
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta, timezone

from api.assertions.claim_sections import (
    Attendance,
    CheckDetail,
    Chip,
    CloneCheck,
    DocumentDetails,
    DocumentEvidence,
    ElectronicRecordEvidence,
    Face,
    IadCheck,
    IdentityVerification,
    InjectionDetection,
    Issuer,
    Pad,
    PadMethod,
    PassiveAuthentication,
    PersonClaims,
    Policy,
    Record,
    Transaction,
    TxnDocument,
    VerifiedClaims,
)
from api.assertions.vocabulary import (
    AssuranceLevel,
    AttendanceMode,
    Capture,
    CheckResult,
    ChipAccess,
    CloneMethod,
    PadKind,
)
from api.procedures.catalogue import Procedure
from api.proofing.injection import InjectionVerdict
from api.proofing.schemas import SessionIn
from biometrics.analysis import EVIDENCE_LEVEL, FaceVerdict
from biometrics.quality import MEASURE_INVALID, QualityRequirements, QualityVerdict
from biometrics.types import ComparisonVerdict
from biometrics.types import Outcome as FaceOutcome
from devices.emrtd.checks import CRL, ONLINE_VERDICT
from devices.emrtd.verification.document import VerifiedDocument, age_years
from devices.emrtd.verification.verifier import ChipVerdict

DOCUMENT_REGISTER = "identity_document_register"
"""Type of the record that an authority looks a document up in; OIDC4IA predefines none for it."""

VIETNAM = timezone(timedelta(hours=7))
"""Whose day decides whether a card has expired and whether a person is of age."""

_RESULT_BY_OUTCOME = {
    FaceOutcome.PASSED: CheckResult.OK,
    FaceOutcome.FAILED: CheckResult.FAILED,
    FaceOutcome.INDETERMINATE: CheckResult.NOT_PERFORMED,
}


@dataclass(frozen=True)
class FaceThresholds:
    """What the face is judged by, and its digests."""

    manifest_sha256: str
    """Of models, calibrations and all thresholds but those of quality."""
    quality: QualityRequirements


def attendance_section(request: SessionIn) -> Attendance:
    """Return who was with the person."""
    return Attendance(mode=AttendanceMode(request.attendance_mode))


def capture_section(verdict: InjectionVerdict) -> InjectionDetection:
    """Return where the frames came from."""
    return InjectionDetection(
        capture=Capture(verdict.capture),
        agent_key=verdict.agent_key,
        agent_version=verdict.agent_version,
        device_id=verdict.device_id,
        checks=tuple(IadCheck(name, CheckResult(result.value)) for name, result in verdict.checks),
    )


def chip_section(verdict: ChipVerdict) -> Chip:
    """Return what the chip showed."""
    return Chip(
        access=ChipAccess(verdict.access),
        pa=PassiveAuthentication(
            result=CheckResult(verdict.passive_authentication.value),
            sod_sha256=verdict.sod_sha256 or "",
            dsc_sha256=verdict.dsc_sha256 or "",
            csca_ski=verdict.csca_ski or "",
            trust_list_id=verdict.trust_list_id,
            crl_check=CheckResult(verdict.check(CRL).result.value),
            crl_time=verdict.crl_time,
        ),
        clone=CloneCheck(
            method=CloneMethod(verdict.clone_method),
            result=CheckResult(verdict.clone_result.value),
            server_challenge=verdict.clone_challenge.hex() if verdict.clone_challenge else None,
        ),
        dg_verified=verdict.dg_verified,
        downgrade_check=CheckResult(verdict.downgrade_check.value),
    )


def face_section(
    verdict: FaceVerdict, comparison: ComparisonVerdict, thresholds: FaceThresholds
) -> Face:
    """Return the comparison of portrait and live face, and how good the pictures were."""
    return Face(
        result=_RESULT_BY_OUTCOME[comparison.outcome],
        threshold=comparison.threshold,
        fmr_at_threshold=comparison.fmr_at_threshold,
        model_sha256=comparison.model_sha256,
        manifest_sha256=thresholds.manifest_sha256,
        quality_sha256=thresholds.quality.sha256,
        reference_quality=_quality_result(verdict.reference_quality),
        probe_quality=_quality_result(verdict.probe_quality),
    )


def pad_section(verdict: FaceVerdict) -> Pad:
    """Return presentation-attack detection, a method each signal."""
    return Pad(
        result=CheckResult(verdict.pad_result.value),
        methods=tuple(
            PadMethod(
                id=signal.method.id,
                version=signal.method.version,
                kind=PadKind.PASSIVE if signal.is_passive else PadKind.ACTIVE,
                result=CheckResult(signal.result.value),
            )
            for signal in verdict.liveness.signals
        ),
        challenge_id=verdict.liveness.challenge_id,
        evidence_level=EVIDENCE_LEVEL,
    )


def verified_claims_section(
    session_id: str,
    procedure: Procedure,
    level: AssuranceLevel,
    document: VerifiedDocument,
    chip: ChipVerdict,
    face: ComparisonVerdict,
    at: datetime,
) -> VerifiedClaims:
    """Return what is said of the person: what the procedure lets an office know, and no more."""
    details = DocumentDetails(
        type="idcard" if document.document_code.startswith("I") else "passport",
        issuer=Issuer(name=document.issuer, country_code=document.issuer),
        date_of_issuance=_iso(document.date_of_issue),
        date_of_expiry=_iso(document.date_of_expiry),
        # It is the end of a Vietnamese card's personal number.
        document_number=document.document_number if "id_number" in procedure.claims else None,
    )
    authority = _authority_evidence(chip, details.issuer)
    checks = (
        CheckDetail("vcrypt", CheckResult(chip.passive_authentication.value), at),
        CheckDetail("bvr", _RESULT_BY_OUTCOME[face.outcome], at),
    )
    everything = PersonClaims(
        name=document.name,
        id_number=document.id_number,
        birthdate=_iso(document.date_of_birth),
        sex=document.sex,
        nationality=document.nationality,
        residence=document.place_of_residence,
        age_over_18=_is_over_18(document.date_of_birth, at),
    )
    disclosed = {claim.name: None for claim in fields(everything)} | {
        name: getattr(everything, name) for name in procedure.claims
    }
    return VerifiedClaims(
        verification=IdentityVerification(
            assurance_level=level,
            time=at,
            verification_process=session_id,
            evidence=(DocumentEvidence(details, checks), *authority),
        ),
        claims=replace(everything, **disclosed),
    )


def _authority_evidence(chip: ChipVerdict, issuer: Issuer) -> tuple[ElectronicRecordEvidence, ...]:
    """Return what an authority answered about the document, where one was asked: it agreed."""
    answer = chip.online_verdict
    if answer is None:
        return ()
    result = CheckResult(chip.check(ONLINE_VERDICT).result.value)
    check = CheckDetail("data", result, answer.issued_at)
    return (ElectronicRecordEvidence(Record(DOCUMENT_REGISTER, issuer), (check,)),)


def transaction_section(session_id: str, request: SessionIn) -> Transaction:
    """Return what the identity is proven for, bound to the documents' digests."""
    return Transaction(
        id=session_id,
        purpose=request.purpose,
        procedure_code=request.procedure_code,
        dossier_id=request.dossier_id,
        party_role=request.party_role,
        documents=tuple(
            TxnDocument(
                role=document.role,
                media_type=document.media_type,
                digest=document.sha256,
                byte_length=document.byte_length,
                title_digest=hashlib.sha256(document.title.encode()).hexdigest()
                if document.title
                else None,
            )
            for document in request.documents
        ),
        displayed_digest=request.displayed_sha256,
    )


def policy_section(procedure: Procedure) -> Policy:
    """Return the policy that decided: the procedure's file."""
    return Policy(id=procedure.code, version=procedure.version, digest=procedure.digest)


def _quality_result(verdict: QualityVerdict | None) -> CheckResult:
    """Return `failed` where a limit was missed: what was judged is not `not_performed`."""
    if verdict is None or MEASURE_INVALID in verdict.reasons:
        return CheckResult.NOT_PERFORMED
    return CheckResult.OK if verdict.outcome is FaceOutcome.PASSED else CheckResult.FAILED


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _is_over_18(born: date | None, at: datetime) -> bool | None:
    return None if born is None else age_years(born, at.astimezone(VIETNAM).date()) >= 18
