"""What the refusals of lists and timestamps share."""

from collections.abc import Callable
from typing import Any

import pytest

from api.assertions.messages import LANGUAGES, load_messages
from api.assertions.verification import Check, CheckName, Outcome, Verification


def check_of(verification: Verification, name: CheckName) -> Check:
    return next(check for check in verification.checks if check.name is name)


@pytest.fixture
def fails() -> Callable[..., None]:
    """Demand that a verification fails for one reason, which both languages can tell."""

    def demand(verification: Verification, reason: str) -> None:
        assert verification.reasons == (reason,)
        assert verification.outcome is Outcome.FAILED
        assert verification.claims is None
        _told(reason)

    return demand


@pytest.fixture
def is_unknown() -> Callable[..., None]:
    """Demand that nothing is wrong, and one thing keeps the outcome from PASSED."""

    def demand(verification: Verification, reason: str) -> None:
        assert verification.reasons == (reason,)
        assert verification.outcome is Outcome.INDETERMINATE
        assert check_of(verification, CheckName.SIGNATURE).result == "ok"
        _told(reason)

    return demand


@pytest.fixture
def passes() -> Callable[..., None]:
    """Demand that a verification passes with one check among those that are ok."""

    def demand(verification: Verification, *names: CheckName) -> None:
        assert verification.reasons == ()
        assert verification.outcome is Outcome.PASSED
        assert all(check_of(verification, name).result == "ok" for name in names)

    return demand


def _told(reason: str) -> None:
    words: list[Any] = [load_messages(language)["reason"][reason] for language in LANGUAGES]
    assert all(words)
