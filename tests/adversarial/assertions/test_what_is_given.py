"""What is not given is not checked, and what is given in another type is not passed over."""

from datetime import date
from typing import Any

import pytest

from api.assertions.crl_check import CrlUnusableError
from api.assertions.errors import RootsUnusableError
from api.assertions.verification import Outcome
from api.errors import InputUnusableError
from tests.fixtures.refusals import refused


def _types(given: dict[str, Any]) -> str:
    """Name a case by types: an iterator's address differs from worker to worker."""
    return " ".join(f"{name}: {type(value).__name__}" for name, value in given.items())


@pytest.mark.parametrize(
    "given",
    [
        {"seen_jti": "a, b"},
        {"seen_jti": b"a"},
        {"policy_digests": "7a" * 40},
        {"documents": b"a document"},
        {"documents": ["a document"]},
        {"documents": None},
        {"documents": [None]},
        {"documents": 7},
        {"seen_jti": 7},
        {"seen_jti": iter(["an identifier"])},
        {"policy_digests": 7},
        {"policy_digests": iter(["7a" * 32])},
        {"policies": [b"a policy"]},
        {"policies": 7},
        {"audience": 7},
        {"audience": ["notary-7"]},
        {"nonce": b"n-1"},
        {"at": "2026-11-21T03:00:00Z"},
        {"at": date(2026, 11, 21)},
        {"minimum_level": "basic"},
        {"status_lists": b"a list"},
        {"status_lists": "a list"},
        {"status_lists": 7},
        {"status_lists": [7]},
        {"status_lists": [None]},
        {"timestamp": 7, "timestamp_roots": ()},
        {"timestamp": "a token"},
    ],
    ids=_types,
)
def test_what_is_given_in_another_type_is_not_passed_over(
    office: Any, given: dict[str, Any]
) -> None:
    with pytest.raises(InputUnusableError):
        office.verify(office.issue(), **given)


@pytest.mark.parametrize(
    "given",
    [
        {"roots": None},
        {"roots": 7},
        {"roots": iter([b"a root"])},
        {"timestamp_roots": 7},
        {"timestamp_roots": [None]},
        {"crls": 7},
    ],
    ids=_types,
)
def test_certificates_and_lists_in_another_type(office: Any, given: dict[str, Any]) -> None:
    with pytest.raises((RootsUnusableError, CrlUnusableError)):
        office.verify(office.issue(), **given)


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ({"audience": None}, "audience-not-given"),
        ({"audience": ""}, "audience-not-given"),
        ({"nonce": None}, "nonce-not-given"),
        ({"nonce": ""}, "nonce-not-given"),
        ({"documents": []}, "document-missing"),
    ],
)
def test_not_given_is_indeterminate(office: Any, missing: dict[str, Any], reason: str) -> None:
    verification = office.verify(office.issue(), **missing)
    assert verification.outcome is Outcome.INDETERMINATE
    assert verification.reasons == (reason,)


def test_what_was_asked_in_no_encoding(office: Any) -> None:
    """An argument of the command line that is not UTF-8 comes as lone surrogates."""
    refused(office.verify(office.issue(), audience="notary-\udcff"), "audience-mismatch")
    refused(office.verify(office.issue(), nonce="\udcff"), "nonce-mismatch")


def test_roots_that_are_none_are_not_passed_over(office: Any) -> None:
    for given in (office.root_pem, [office.root_pem, "root.pem"], [bytearray(office.root_pem)]):
        with pytest.raises(RootsUnusableError):
            office.verify(office.issue(), roots=given)


def test_one_of_two_documents_is_indeterminate(office: Any) -> None:
    assertion = office.issue(txn=office.transaction(b"one", b"two"))
    verification = office.verify(assertion, documents=[b"two"])
    assert verification.outcome is Outcome.INDETERMINATE
    assert verification.reasons == ("document-missing",)
    assert office.verify(assertion, documents=[b"two", b"one"]).outcome is Outcome.PASSED


def test_status_list_that_cannot_be_checked_is_indeterminate(office: Any) -> None:
    verification = office.verify(
        office.sign(lambda p: p.update(status={"status_list": {"idx": 3, "uri": "https://s"}}))
    )
    assert verification.outcome is Outcome.INDETERMINATE
    assert verification.reasons == ("status-unknown",)
