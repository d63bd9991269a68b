"""The verdict about a chip: every check, what they add up to, and what the assertion records."""

from dataclasses import dataclass, field
from datetime import datetime

from devices.emrtd.checks import (
    ACTIVE_AUTHENTICATION,
    CHIP_AUTHENTICATION,
    DOWNGRADE,
    PASSIVE_AUTHENTICATION,
    Check,
    CheckResult,
    Outcome,
)
from devices.emrtd.verification.document import VerifiedDocument
from devices.emrtd.verification.online_verdict import SignedVerdict


@dataclass(frozen=True)
class ChipVerdict:
    """What the evidence proves."""

    outcome: Outcome
    reasons: tuple[str, ...]
    """Reason codes for any outcome but PASSED."""
    checks: tuple[Check, ...]
    """Every check, in a fixed order."""
    document: VerifiedDocument | None
    """Only if Passive Authentication is `ok`."""
    access: str
    """`PACE-CAN`, `PACE-MRZ` or `BAC`, as the terminal says."""
    sod_sha256: str | None
    """Digest of EF.SOD as read, hexadecimal; None if there is none."""
    lds_sha256: str | None
    """Digest of the LDS security object, hexadecimal: the same for a document whatever a terminal
    does to the unsigned bytes of EF.SOD; None unless its signature is right."""
    dsc_sha256: str | None
    """Digest of the document signer's certificate; None unless its key made the signature."""
    csca_ski: str | None
    """Key identifier of the trust anchor, hexadecimal; None unless the chain is `ok`."""
    path_sha256: tuple[str, ...]
    """Digests of the certificates from document signer to anchor; empty unless it is `ok`."""
    trust_list_id: str
    """Digest over all trust anchors."""
    crl_time: datetime | None
    """`thisUpdate` of the revocation list that the check rests on."""
    dg_listed: tuple[int, ...]
    """Data groups that the chip holds by its signed SOD, ascending; empty if that is not proven."""
    dg_verified: tuple[int, ...]
    """Data groups whose hashes were verified, ascending."""
    challenge: bytes | None = field(repr=False)
    """The verifier's own challenge."""
    ca_public_key: bytes | None = field(default=None, repr=False)
    """The verifier's ephemeral public key that Chip Authentication was run with; None unless that
    is `ok`."""
    online_verdict: SignedVerdict | None = None
    """The authority's signed answer about this document, if one was asked for and is authentic."""

    def check(self, name: str) -> Check:
        """Return the check of this name."""
        return next(check for check in self.checks if check.name == name)

    @property
    def passive_authentication(self) -> CheckResult:
        """`ok` if signature, chain and hashes all are; else `failed` or `not_performed`."""
        results = {self.check(name).result for name in PASSIVE_AUTHENTICATION}
        if results == {CheckResult.OK}:
            return CheckResult.OK
        is_failed = CheckResult.FAILED in results
        return CheckResult.FAILED if is_failed else CheckResult.NOT_PERFORMED

    @property
    def clone_method(self) -> str:
        """`CA`, `AA` or `none`: the clone check that gave `clone_result`."""
        for result in (CheckResult.FAILED, CheckResult.OK):
            for name, method in ((CHIP_AUTHENTICATION, "CA"), (ACTIVE_AUTHENTICATION, "AA")):
                if self.check(name).result is result:
                    return method
        return "none"

    @property
    def clone_methods(self) -> tuple[str, ...]:
        """All methods by which the chip proved to be no clone: `CA`, `AA`, both or none."""
        methods = ((CHIP_AUTHENTICATION, "CA"), (ACTIVE_AUTHENTICATION, "AA"))
        return tuple(m for name, m in methods if self.check(name).result is CheckResult.OK)

    @property
    def clone_challenge(self) -> bytes | None:
        """What the verifier had sent to the chip for `clone_method`; None for `none`."""
        if self.clone_method == "CA":
            return self.ca_public_key
        return self.challenge if self.clone_method == "AA" else None

    @property
    def clone_result(self) -> CheckResult:
        """The result of the clone check.

        `not_supported` only if the signed contents offer neither method.
        """
        results = {self.check(name).result for name in (CHIP_AUTHENTICATION, ACTIVE_AUTHENTICATION)}
        order = (CheckResult.FAILED, CheckResult.OK, CheckResult.NOT_PERFORMED)
        return next((r for r in order if r in results), CheckResult.NOT_SUPPORTED)

    @property
    def downgrade_check(self) -> CheckResult:
        """The result of the downgrade check."""
        return self.check(DOWNGRADE).result
