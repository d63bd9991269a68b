"""What checks add up to: nothing empty passes, nothing unperformed passes."""

import pytest

from devices.emrtd.checks import (
    ACTIVE_AUTHENTICATION,
    CHIP_AUTHENTICATION,
    CRL,
    DATA_GROUP_HASHES,
    DOCUMENT_CONSISTENCY,
    DOCUMENT_EXPIRY,
    DOWNGRADE,
    DSC_CHAIN,
    PORTRAIT,
    SOD_SIGNATURE,
    Check,
    CheckResult,
    Outcome,
    decide_outcome,
)

CLEAN = {
    **dict.fromkeys((SOD_SIGNATURE, DSC_CHAIN, DATA_GROUP_HASHES), CheckResult.OK),
    **dict.fromkeys((ACTIVE_AUTHENTICATION, DOWNGRADE), CheckResult.OK),
    **dict.fromkeys((DOCUMENT_EXPIRY, DOCUMENT_CONSISTENCY), CheckResult.OK),
    **dict.fromkeys((CHIP_AUTHENTICATION, CRL, PORTRAIT), CheckResult.NOT_PERFORMED),
}


def _outcome(**changes: CheckResult | None) -> Outcome:
    results = CLEAN | {name.replace("_", "-"): result for name, result in changes.items()}
    checks = [Check(n, r, f"{n}-reason") for n, r in results.items() if r is not None]
    return decide_outcome(checks)[0]


def test_clean() -> None:
    assert _outcome() is Outcome.PASSED


def test_empty_does_not_pass() -> None:
    assert decide_outcome([])[0] is Outcome.INDETERMINATE


@pytest.mark.parametrize("name", CLEAN)
def test_any_failed_check_fails(name: str) -> None:
    assert _outcome(**{name.replace("-", "_"): CheckResult.FAILED}) is Outcome.FAILED


@pytest.mark.parametrize("result", [CheckResult.NOT_PERFORMED, None])
@pytest.mark.parametrize("name", [n for n, r in CLEAN.items() if r is CheckResult.OK])
def test_a_mandatory_check_that_is_missing_leaves_it_open(
    name: str, result: CheckResult | None
) -> None:
    assert _outcome(**{name.replace("-", "_"): result}) is Outcome.INDETERMINATE


def test_either_clone_check_is_enough() -> None:
    swapped = {
        "active_authentication": CheckResult.NOT_SUPPORTED,
        "chip_authentication": CheckResult.OK,
    }
    assert _outcome(**swapped) is Outcome.PASSED


def test_a_policy_may_accept_bac() -> None:
    checks = [
        Check(name, CheckResult.OK)
        for name in CLEAN
        if name not in (DOWNGRADE, CHIP_AUTHENTICATION)
    ]
    checks += [
        Check(DOWNGRADE, CheckResult.FAILED, "bac-despite-pace"),
        Check(CHIP_AUTHENTICATION, CheckResult.NOT_SUPPORTED, "ca-not-supported"),
    ]
    assert decide_outcome(checks) == (Outcome.INDETERMINATE, ("bac-despite-pace",))
