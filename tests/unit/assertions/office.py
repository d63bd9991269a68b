"""A specimen issuer with its relying party: what the tests of assertions share."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from joserfc.jwk import ECKey

from api.assertions import authority, chain, jws, keys, sd_jwt
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
from api.assertions.disclosures import conceal
from api.assertions.encoding import b64url_encode, dump_json
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
UNUSED_USAGES = (
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "encipher_only",
    "decipher_only",
)
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
        return keys.signing_key(leaf.private_key, (leaf.certificate, self.issuing_ca.certificate))

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

    # What only a dishonest or careless issuer does.

    def sign_as(self, key: keys.SigningKey, x5c: Sequence[str] | None = None) -> str:
        """Sign the specimen with another key or chain."""
        payload = self.claims().to_payload(ISSUER)
        hidden, disclosures = conceal(payload.claims, payload.disclosable)
        header = {"typ": sd_jwt.TYPE, "x5c": list(key.x5c if x5c is None else x5c)}
        if isinstance(key.private_key.curve, ec.SECP384R1):
            # An ES256 header over a key on another curve: no library would sign this.
            compact = f"{b64url_encode(dump_json({'alg': 'ES256', **header}))}.e30.AAAA"
        else:
            compact = jws.sign(header, hidden, key.jwk)
        return "~".join([compact, *(d.encoded for d in disclosures), ""])

    def sign_raw(self, change: Callable[[dict[str, Any]], None]) -> str:
        """Sign the specimen changed after its claims were hidden; nothing is disclosed."""
        payload = self.claims().to_payload(ISSUER)
        hidden, _ = conceal(payload.claims, payload.disclosable)
        change(hidden)
        return jws.sign({"typ": sd_jwt.TYPE, "x5c": list(self.key.x5c)}, hidden, self.key.jwk) + "~"

    def sign_bytes(self, payload: bytes) -> str:
        """Sign bytes that need not be JSON."""
        header = {"alg": "ES256", "typ": sd_jwt.TYPE, "x5c": list(self.key.x5c)}
        signing_input = f"{b64url_encode(dump_json(header))}.{b64url_encode(payload)}"
        der = self.key.private_key.sign(signing_input.encode(), ec.ECDSA(hashes.SHA256()))
        r, s = utils.decode_dss_signature(der)
        return f"{signing_input}.{b64url_encode(r.to_bytes(32) + s.to_bytes(32))}"

    def bound(self, holder: ECKey) -> str:
        """Bind the specimen to a holder's key."""
        return self.sign(lambda p: p.update(cnf={"jwk": holder.as_dict(private=False)}))

    def prove(self, presented: str, holder: ECKey) -> str:
        """Prove possession of the holder's key for a presentation."""
        digest = b64url_encode(hashlib.sha256(presented.encode()).digest())
        claims = {"iat": int(AT.timestamp()), "aud": AUDIENCE, "nonce": NONCE, "sd_hash": digest}
        return jws.sign({"typ": "kb+jwt"}, claims, holder)

    def leaf_under(self, ca: authority.KeyPair) -> keys.SigningKey:
        """Return a leaf that a certificate signed which is no CA."""
        leaf = authority.make_leaf("Mẫu", ISSUER, ca, AT)
        return keys.signing_key(
            leaf.private_key, (leaf.certificate, ca.certificate, self.issuing_ca.certificate)
        )

    def flawed_leaf(self, flaw: str) -> keys.SigningKey:
        """Return a key whose certificate is for something else."""
        key = ec.generate_private_key(ec.SECP384R1() if flaw == "p384" else ec.SECP256R1())
        is_ca = flaw == "is-ca"
        usage = dict.fromkeys(
            (
                "content_commitment",
                "key_encipherment",
                "data_encipherment",
                "encipher_only",
                "decipher_only",
            ),
            False,
        )
        signs = flaw != "wrong-key-usage"
        extensions: list[x509.ExtensionType] = [
            x509.BasicConstraints(ca=is_ca, path_length=None),
            x509.SubjectAlternativeName([x509.UniformResourceIdentifier(ISSUER)]),
            x509.AuthorityKeyIdentifier.from_issuer_public_key(
                self.issuing_ca.private_key.public_key()
            ),
        ]
        if flaw != "no-key-usage":
            extensions.append(
                x509.KeyUsage(
                    digital_signature=signs,
                    key_agreement=not signs,
                    key_cert_sign=is_ca,
                    crl_sign=False,
                    **usage,
                )
            )
        if flaw != "no-purpose":
            tls = flaw == "tls-purpose"
            purpose = ExtendedKeyUsageOID.SERVER_AUTH if tls else chain.DOCUMENT_SIGNING
            extensions.append(x509.ExtendedKeyUsage([purpose]))
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, flaw)]))
            .issuer_name(self.issuing_ca.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(AT - timedelta(hours=1))
            .not_valid_after(AT + timedelta(days=30))
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        certificate = builder.sign(self.issuing_ca.private_key, hashes.SHA256())
        return keys.signing_key(key, (certificate, self.issuing_ca.certificate))

    @staticmethod
    def b64(der: bytes) -> str:
        return base64.b64encode(der).decode()

    at = AT
    document = DOCUMENT
    transaction = staticmethod(transaction)


def write_folder(folder: Path, password: str | None = None) -> keys.SigningKey:
    return keys.init(folder, name="Văn phòng Mẫu", issuer=ISSUER, password=password)
