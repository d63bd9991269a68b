"""The results of checks and what they add up to."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Outcome(StrEnum):
    """The three outcomes of a verification."""

    PASSED = "PASSED"
    INDETERMINATE = "INDETERMINATE"
    FAILED = "FAILED"


class CheckResult(StrEnum):
    """The four results of a check; never a boolean."""

    OK = "ok"
    FAILED = "failed"
    NOT_PERFORMED = "not_performed"
    NOT_SUPPORTED = "not_supported"


@dataclass(frozen=True)
class Check:
    """One check of the verifier."""

    name: str
    """Permanent kebab-case name."""
    result: CheckResult
    reason: str | None = None
    """Permanent kebab-case reason code; None only where the result is `ok` and needs none."""


SOD_SIGNATURE = "sod-signature"
DSC_CHAIN = "dsc-chain"
DATA_GROUP_HASHES = "data-group-hashes"
ACTIVE_AUTHENTICATION = "active-authentication"
CHIP_AUTHENTICATION = "chip-authentication"
CHIP_AUTHENTICATION_MAPPING = "chip-authentication-mapping"
CARD_SECURITY = "card-security"
DOWNGRADE = "downgrade"
DOCUMENT_EXPIRY = "document-expiry"
DOCUMENT_CONSISTENCY = "document-consistency"
PORTRAIT = "portrait"
CRL = "crl"
ONLINE_VERDICT = "online-verdict"

PASSIVE_AUTHENTICATION = (SOD_SIGNATURE, DSC_CHAIN, DATA_GROUP_HASHES)
"""The checks that together are Passive Authentication."""

_MANDATORY = {*PASSIVE_AUTHENTICATION, DOWNGRADE, DOCUMENT_EXPIRY, DOCUMENT_CONSISTENCY}
_CLONE_CHECKS = {ACTIVE_AUTHENTICATION, CHIP_AUTHENTICATION}
ONLINE_VERDICT_NOT_CONFIGURED = "online-verdict-not-configured"
"""Reason of the check on an authority's online verdict where nobody is to be asked."""
# Weaker than it could be, but honest: a procedure's policy decides.
_POLICY_REASONS = {"bac-despite-pace"}


# Names and reasons are constants of the code, so there are few checks, and each is made once.
@lru_cache(maxsize=256)
def ok(name: str, reason: str | None = None) -> Check:
    """Return a check that passed."""
    return Check(name, CheckResult.OK, reason)


@lru_cache(maxsize=256)
def failed(name: str, reason: str) -> Check:
    """Return a check that found against the chip."""
    return Check(name, CheckResult.FAILED, reason)


@lru_cache(maxsize=256)
def not_performed(name: str, reason: str) -> Check:
    """Return a check that could not be carried out."""
    return Check(name, CheckResult.NOT_PERFORMED, reason)


@lru_cache(maxsize=256)
def not_supported(name: str, reason: str) -> Check:
    """Return a check that the chip, by its signed contents, does not offer."""
    return Check(name, CheckResult.NOT_SUPPORTED, reason)


def decide_outcome(checks: Iterable[Check]) -> tuple[Outcome, tuple[str, ...]]:
    """Return what the checks add up to, and the reasons for anything but PASSED.

    A failed check fails all, except where a policy may accept it. A mandatory check that was not
    performed leaves the outcome open, and so does a chip that offers a clone check of which none
    is `ok`, and an authority that was to be asked online and said nothing that counts. What the
    chip does not support is for the level table to judge.
    """
    checks = tuple(checks)
    against = [c for c in checks if c.result is CheckResult.FAILED]
    fatal = [c for c in against if c.reason not in _POLICY_REASONS]
    if fatal:
        return Outcome.FAILED, _reasons(fatal)
    clone = [c for c in checks if c.name in _CLONE_CHECKS]
    open_checks = against + [
        c for c in checks if _is_mandatory(c) and c.result is CheckResult.NOT_PERFORMED
    ]
    if not any(c.result is CheckResult.OK for c in clone):
        open_checks += [c for c in clone if c.result is CheckResult.NOT_PERFORMED]
    present = {c.name for c in checks}
    if open_checks or not present >= (_MANDATORY | _CLONE_CHECKS):
        return Outcome.INDETERMINATE, _reasons(open_checks)
    return Outcome.PASSED, ()


def _is_mandatory(check: Check) -> bool:
    if check.name == ONLINE_VERDICT:
        return check.reason != ONLINE_VERDICT_NOT_CONFIGURED
    return check.name in _MANDATORY


def _reasons(checks: list[Check]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(c.reason for c in checks if c.reason))
