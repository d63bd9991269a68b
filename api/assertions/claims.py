"""The claim set of the assertion, and the refusal to make one that its checks do not carry.

Its sections are in `claim_sections`; `audit` stays out until a log exists.

Source: SD-JWT VC (`vct`).
"""

import math
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from api.assertions.claim_sections import (
    Attendance,
    Chip,
    Face,
    InjectionDetection,
    Pad,
    Policy,
    Transaction,
    VerifiedClaims,
)
from api.assertions.errors import (
    ClaimsIncompleteError,
    LevelExceedsChecksError,
    MandatoryCheckError,
)
from api.assertions.findings import Findings, mandatory_shortfalls
from api.assertions.levels import cap_level
from api.assertions.payload import Payload, as_json, as_payload
from api.assertions.status_array import StatusReference
from api.assertions.vct import MAX_LIFETIME_S, VCT, VCT_INTEGRITY

DEFAULT_LIFETIME_S = 15 * 60


@dataclass(frozen=True)
class AssertionClaims:
    """Everything one assertion says; it exists only for a session whose checks carry it.

    Raises:
        MandatoryCheckError: a mandatory check is not ok.
        LevelExceedsChecksError: the level is above what the published table allows.
        ClaimsIncompleteError: no audience, nonce, evidence or personal claim, or a lifetime or time
            out of range.
    """

    audience: str
    """The one relying party."""
    nonce: str
    """The relying party's nonce for this session."""
    txn: Transaction
    verified_claims: VerifiedClaims
    chip: Chip
    face: Face
    pad: Pad
    iad: InjectionDetection
    attendance: Attendance
    policy: Policy
    issued_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    lifetime_s: int = DEFAULT_LIFETIME_S
    """1 s to 24 h."""
    jti: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    """128 random bits."""
    status: StatusReference | None = None
    """Where it is said whether the assertion has been revoked; None: it cannot be."""

    def __post_init__(self) -> None:
        if not 0 < self.lifetime_s <= MAX_LIFETIME_S:
            raise ClaimsIncompleteError("an assertion lives between one second and 24 hours")
        if self.issued_at.tzinfo is None:
            raise ClaimsIncompleteError("the time of issue needs a time zone")
        needed = {
            "audience": self.audience,
            "nonce": self.nonce,
            "jti": self.jti,
            "txn.id": self.txn.id,
            "txn.procedure_code": self.txn.procedure_code,
            "verified_claims.verification.evidence": self.verified_claims.verification.evidence,
            "verified_claims.claims": self._sections.claims["verified_claims"]["claims"],
            "policy.digest": self.policy.digest,
            "chip.pa.sod_sha256": self.chip.pa.sod_sha256,
            "chip.pa.csca_ski": self.chip.pa.csca_ski,
            "chip.pa.trust_list_id": self.chip.pa.trust_list_id,
            "face.model_sha256": self.face.model_sha256,
            "face.manifest_sha256": self.face.manifest_sha256,
            "face.quality_sha256": self.face.quality_sha256,
            "pad.challenge_id": self.pad.challenge_id,
        }
        empty = [name for name, value in needed.items() if not value]
        if empty:
            raise ClaimsIncompleteError(f"an assertion needs {', '.join(empty)}")
        missing = mandatory_shortfalls(self._sections.claims)
        if missing:
            raise MandatoryCheckError(missing)
        cap = cap_level(Findings.from_payload(self._sections.claims))
        level = self.verified_claims.verification.assurance_level
        if cap is None or level.rank > cap.rank:
            allowed = cap or "no level"
            raise LevelExceedsChecksError(f"{level} is claimed and the checks allow {allowed}")
        # JSON has no other, and no other claim is a number with a fraction.
        numbers = (self.face.threshold, self.face.fmr_at_threshold, self.face.score)
        if not all(math.isfinite(number) for number in numbers if number is not None):
            raise ClaimsIncompleteError("a number in the claims is not finite")

    @cached_property
    def _sections(self) -> Payload:
        """The sections as JSON, read once: what was checked is what is signed."""
        return as_payload({name: getattr(self, name) for name in _SECTIONS})

    def to_payload(self, issuer: str) -> Payload:
        """Return the claims of the JWT, in the name of an issuer.

        The sections in it belong to this object and must not be changed.
        """
        issued_at = int(self.issued_at.timestamp())
        claims: dict[str, Any] = {
            "iss": issuer,
            "vct": VCT,
            "vct#integrity": VCT_INTEGRITY,
            "jti": self.jti,
            "iat": issued_at,
            "nbf": issued_at,
            "exp": issued_at + self.lifetime_s,
            "aud": self.audience,
            "nonce": self.nonce,
            **({"status": self.status.to_claim()} if self.status else {}),
            **self._sections.claims,
        }
        return Payload(claims, self._sections.disclosable)


_SECTIONS = ("txn", "verified_claims", "chip", "face", "pad", "iad", "attendance", "policy")


def findings_of(
    *, chip: Chip, face: Face, pad: Pad, iad: InjectionDetection, attendance: Attendance
) -> Findings:
    """Return what the table of levels sees in a session's results."""
    sections = {"chip": chip, "face": face, "pad": pad, "iad": iad, "attendance": attendance}
    return Findings.from_payload({name: as_json(value) for name, value in sections.items()})
