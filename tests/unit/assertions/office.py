"""A specimen issuer with its relying party: what the tests of assertions share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding

from api.assertions import authority, keys, sd_jwt
from api.assertions.claims import (
    AssertionClaims,
    Attendance,
    CheckDetail,
    Chip,
    CloneCheck,
    DocumentDetails,
    DocumentEvidence,
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
    Transaction,
    TxnDocument,
    VerifiedClaims,
)
from api.assertions.verification import Verification
from api.assertions.verifier import verify
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

OK = CheckResult.OK
AT = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
DOCUMENT = "%PDF-1.7 Hợp đồng chuyển nhượng quyền sử dụng đất".encode()
AUDIENCE = "van-phong-cong-chung-7"
NONCE = "n-0S6_WzA2Mj"
ISSUER = "https://chinhchu.example"


def transaction(*documents: bytes) -> Transaction:
    return Transaction(
        id="txn-1",
        purpose="Công chứng hợp đồng",
        procedure_code="2.001035",
        dossier_id="HS-2026-1",
        party_role="transferor",
        documents=tuple(
            TxnDocument.of(d, role="contract", media_type="application/pdf", title="Hợp đồng")
            for d in documents
        ),
    )


def sections() -> dict[str, Any]:
    """Everything ok and attended: what the level `high` needs."""
    return {
        "txn": transaction(DOCUMENT),
        "verified_claims": verified_claims(AssuranceLevel.HIGH),
        "chip": Chip(
            access=ChipAccess.PACE_CAN,
            pa=PassiveAuthentication(
                result=OK,
                sod_sha256="1a" * 32,
                dsc_sha256="2b" * 32,
                csca_ski="3c" * 20,
                trust_list_id="test-csca",
                crl_check=OK,
                crl_time=AT - timedelta(days=1),
            ),
            clone=CloneCheck(CloneMethod.ACTIVE_AUTHENTICATION, OK, "4d" * 8),
            dg_verified=(1, 2, 13, 14, 15),
            downgrade_check=OK,
        ),
        "face": Face(
            result=OK,
            threshold=0.42,
            fmr_at_threshold=1e-4,
            model_sha256="5e" * 32,
            reference_quality=OK,
            probe_quality=OK,
            score=0.71,
        ),
        "pad": Pad(
            result=OK,
            methods=(
                PadMethod("turn-parallax", "1", PadKind.ACTIVE, OK),
                PadMethod("minifasnet", "2", PadKind.PASSIVE, OK),
            ),
            challenge_id="challenge-1",
        ),
        "iad": InjectionDetection(
            capture=Capture.ATTESTED_AGENT,
            agent_key="6f" * 32,
            agent_version="0.1.0",
            device_id="counter-3",
            checks=(IadCheck("signed-frames", OK),),
        ),
        "attendance": Attendance(
            mode=AttendanceMode.ATTENDED_LOCAL,
            site_id="commune-1",
            officer_decision=OfficerDecision.AGREED,
            officer_ref="officer-12",
        ),
        "policy": Policy("2.001035", "1", "7a" * 32),
    }


def verified_claims(level: AssuranceLevel) -> VerifiedClaims:
    return VerifiedClaims(
        verification=IdentityVerification(
            assurance_level=level,
            time=AT,
            verification_process="session-1",
            evidence=(
                DocumentEvidence(
                    document_details=DocumentDetails(
                        type="idcard",
                        issuer=Issuer("Bộ Công an", "VNM"),
                        date_of_issuance="2021-06-01",
                        date_of_expiry="2031-06-01",
                        document_number="079200000001",
                    ),
                    check_details=(CheckDetail("vcrypt", OK, AT), CheckDetail("bvr", OK, AT)),
                ),
            ),
        ),
        claims=PersonClaims(
            name="NGUYỄN THỊ MẪU",
            id_number="079200000001",
            birthdate="2000-01-02",
            sex="F",
            nationality="VNM",
            residence="Phường Mẫu, Thành phố Mẫu",
            age_over_18=True,
        ),
    )


@dataclass
class Office:
    """An issuer with its little authority, and the relying party that pinned its root."""

    root: authority.KeyPair = field(
        default_factory=lambda: authority.make_root("Văn phòng Mẫu", AT - timedelta(days=1))
    )

    def __post_init__(self) -> None:
        self.issuing_ca = authority.make_issuing_ca("Mẫu", self.root, AT - timedelta(days=1))
        self.key = self.key_of(self.leaf())

    @property
    def root_pem(self) -> bytes:
        return self.root.certificate.public_bytes(Encoding.PEM)

    def leaf(self, at: datetime = AT) -> authority.KeyPair:
        return authority.make_leaf("Mẫu", ISSUER, self.issuing_ca, at)

    def key_of(self, leaf: authority.KeyPair) -> keys.SigningKey:
        return keys.signing_key(
            leaf.private_key, (leaf.certificate, self.issuing_ca.certificate)
        )

    def claims(self, **changes: Any) -> AssertionClaims:
        base: dict[str, Any] = {"audience": AUDIENCE, "nonce": NONCE, "issued_at": AT}
        return AssertionClaims(**{**base, **sections(), **changes})

    def issue(self, **changes: Any) -> str:
        return sd_jwt.issue(self.claims(**changes), self.key)

    def sign(
        self,
        change: Callable[[dict[str, Any]], None] = lambda payload: None,
        *,
        key: keys.SigningKey | None = None,
        hide: bool = True,
    ) -> str:
        """Sign what an issuer that forgot its rules would sign."""
        payload = self.claims().to_payload(ISSUER)
        change(payload.claims)
        paths = payload.disclosable if hide else ()
        return sd_jwt.sign_payload(payload.claims, paths, key or self.key)

    def verify(self, assertion: str | bytes, **changes: Any) -> Verification:
        asked: dict[str, Any] = {
            "documents": [DOCUMENT],
            "roots": [self.root_pem],
            "audience": AUDIENCE,
            "nonce": NONCE,
            "at": AT,
        }
        return verify(assertion, **{**asked, **changes})


def write_folder(folder: Path, password: str | None = None) -> keys.SigningKey:
    return keys.init(folder, name="Văn phòng Mẫu", issuer=ISSUER, password=password)
