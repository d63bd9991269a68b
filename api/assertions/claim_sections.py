"""The sections of the claim set: what is said of transaction, person, chip, face and the rest.

Field names are claim names. A field made with `disclosable` is selectively disclosable; all
others are always visible.

Source: OpenID Connect for Identity Assurance 1.0 (`verified_claims`).
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from api.assertions.payload import disclosable
from api.assertions.vocabulary import (
    AssuranceLevel,
    AttendanceMode,
    Capture,
    CheckResult,
    ChipAccess,
    CloneMethod,
    OfficerDecision,
    PadKind,
)

TRUST_FRAMEWORK = "urn:chinhchu:trust-framework:1"


@dataclass(frozen=True)
class TxnDocument:
    """One document that the person signs or submits, by digest."""

    role: str
    """What it is in the dossier, such as ``contract``."""
    media_type: str
    digest: str
    """SHA-256 of the document's bytes, lower-case hex."""
    byte_length: int
    title_digest: str | None = None
    """SHA-256 of the title in UTF-8, lower-case hex."""
    alg: str = "sha-256"

    @classmethod
    def of(
        cls, data: bytes, *, role: str, media_type: str, title: str | None = None
    ) -> "TxnDocument":
        """Describe a document from its bytes."""
        return cls(
            role=role,
            media_type=media_type,
            digest=hashlib.sha256(data).hexdigest(),
            byte_length=len(data),
            title_digest=hashlib.sha256(title.encode()).hexdigest() if title else None,
        )


@dataclass(frozen=True)
class Transaction:
    """What the identity was proven for."""

    id: str
    purpose: str
    procedure_code: str
    dossier_id: str
    party_role: str
    documents: tuple[TxnDocument, ...]
    displayed_digest: str | None = None
    """SHA-256 of what the person was shown, lower-case hex."""


@dataclass(frozen=True)
class Issuer:
    """Who issued a document."""

    name: str
    country_code: str
    """ISO 3166-1 alpha-3, as in the MRZ."""


@dataclass(frozen=True)
class DocumentDetails:
    """The identity document that was read."""

    type: str
    """OIDC4IA document type, such as ``idcard``."""
    issuer: Issuer
    date_of_issuance: str | None = None
    """YYYY-MM-DD."""
    date_of_expiry: str | None = None
    """YYYY-MM-DD; absent for a card without expiry."""
    document_number: str | None = disclosable()


@dataclass(frozen=True)
class CheckDetail:
    """How one piece of evidence was checked."""

    check_method: str
    """OIDC4IA check method: ``vcrypt`` for the chip, ``bvr`` for a face compared by machine, …"""
    result: CheckResult
    time: datetime | None = None


@dataclass(frozen=True)
class DocumentEvidence:
    """Evidence: a document."""

    document_details: DocumentDetails
    check_details: tuple[CheckDetail, ...]
    type: str = "document"


@dataclass(frozen=True)
class Record:
    """An electronic record that an authority answered with."""

    type: str
    source: Issuer


@dataclass(frozen=True)
class ElectronicRecordEvidence:
    """Evidence: an electronic identity account or an authority's verdict."""

    record: Record
    check_details: tuple[CheckDetail, ...]
    type: str = "electronic_record"


@dataclass(frozen=True)
class IdentityVerification:
    """How and how well the claims were verified."""

    assurance_level: AssuranceLevel
    time: datetime
    verification_process: str
    """The session's id."""
    evidence: tuple[DocumentEvidence | ElectronicRecordEvidence, ...]
    trust_framework: str = TRUST_FRAMEWORK


@dataclass(frozen=True)
class PersonClaims:
    """What is said of the person; only what the procedure lets an office know."""

    name: str | None = disclosable()
    id_number: str | None = disclosable()
    birthdate: str | None = disclosable()
    """YYYY-MM-DD."""
    sex: str | None = disclosable()
    nationality: str | None = disclosable()
    residence: str | None = disclosable()
    age_over_18: bool | None = disclosable()


@dataclass(frozen=True)
class VerifiedClaims:
    """Claims of the person with their verification."""

    verification: IdentityVerification
    claims: PersonClaims


@dataclass(frozen=True)
class PassiveAuthentication:
    """Doc 9303-11 §5.1: the chip's data is signed by its issuer."""

    result: CheckResult
    """ok only where the document signer chains to a trusted CSCA."""
    sod_sha256: str
    dsc_sha256: str
    csca_ski: str
    """Subject key identifier of the CSCA, lower-case hex."""
    trust_list_id: str
    """Digest or name of the trust anchors used."""
    crl_check: CheckResult = CheckResult.NOT_PERFORMED
    """ok: a fresh CRL does not list the document signer; not_performed: no CRL, or a stale one."""
    crl_time: datetime | None = None
    """`thisUpdate` of the CRL used."""


@dataclass(frozen=True)
class CloneCheck:
    """Doc 9303-11 §6: the chip is no copy."""

    method: CloneMethod
    result: CheckResult
    server_challenge: str | None = None
    """What the server had sent and the chip answered, lower-case hex: eight bytes for `AA`, an
    ephemeral public key for `CA`."""


@dataclass(frozen=True)
class Chip:
    """What the chip showed."""

    access: ChipAccess
    pa: PassiveAuthentication
    clone: CloneCheck
    dg_verified: tuple[int, ...]
    """Numbers of the data groups whose hashes match the SOD."""
    downgrade_check: CheckResult
    """failed: PACE was offered and not used; recorded, and it caps the level."""


@dataclass(frozen=True)
class Face:
    """The comparison of the chip's portrait with the live face."""

    result: CheckResult
    threshold: float
    fmr_at_threshold: float | None
    """False match rate measured at the threshold; None where it is not known."""
    model_sha256: str
    """Digest of the embedding model's published file; of several, SHA-256 of their digests."""
    manifest_sha256: str
    """Digest of the manifest that names models, thresholds and calibrations; with a pack, SHA-256
    of both digests."""
    quality_sha256: str
    """Digest of the limits of quality."""
    reference_quality: CheckResult = CheckResult.NOT_PERFORMED
    """failed: the portrait misses a limit and matched all the same; nobody can take it again."""
    probe_quality: CheckResult = CheckResult.NOT_PERFORMED
    score: float | None = disclosable()


@dataclass(frozen=True)
class PadMethod:
    """One method of presentation attack detection."""

    id: str
    version: str
    kind: PadKind
    result: CheckResult


@dataclass(frozen=True)
class Pad:
    """Presentation attack detection (ISO/IEC 30107)."""

    result: CheckResult
    methods: tuple[PadMethod, ...]
    challenge_id: str
    evidence_level: str = "self-tested"
    """``self-tested`` or ``lab:<letter>``."""
    report_ref: str | None = None


@dataclass(frozen=True)
class IadCheck:
    """One check against injected frames."""

    id: str
    result: CheckResult


@dataclass(frozen=True)
class InjectionDetection:
    """Where the frames came from."""

    capture: Capture
    agent_key: str | None = None
    """Thumbprint of the enrolled agent's key; without it a capture does not count as attested."""
    agent_version: str | None = None
    device_id: str | None = None
    checks: tuple[IadCheck, ...] = ()


@dataclass(frozen=True)
class Attendance:
    """Who was with the person."""

    mode: AttendanceMode
    site_id: str | None = None
    officer_decision: OfficerDecision = OfficerDecision.NOT_ASKED
    kiosk_seal: CheckResult = CheckResult.NOT_SUPPORTED
    """ok: a sealed, enrolled kiosk."""
    officer_ref: str | None = disclosable()


@dataclass(frozen=True)
class Policy:
    """The policy that decided."""

    id: str
    version: str
    digest: str
    """SHA-256 of the policy's file, lower-case hex."""
