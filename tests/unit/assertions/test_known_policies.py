"""Policies that a relying party knows as files: who decided, and was what they demand met."""

from pathlib import Path
from typing import Any

import pytest

from api.assertions.policy_file import MAX_POLICY_BYTES, parse_policy
from api.assertions.verification import Outcome
from api.errors import InputUnusableError
from api.procedures.catalogue import CATALOGUE, Catalogue

FILES = sorted(CATALOGUE.glob("*.toml"))
POLICY = b"""
code = "2.001035"
version = "1"
minimum_level = "substantial"
party_roles = ["transferor", "transferee"]
attendance = ["attended_local"]
"""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_procedure_of_the_catalogue_is_read_as_the_catalogue_reads_it(file: Path) -> None:
    policy = parse_policy(file.read_bytes())
    procedure = Catalogue.load().get(policy.code)
    assert policy.digest == procedure.digest
    assert policy.minimum_level == procedure.minimum_level
    assert policy.attendance == procedure.attendance
    assert policy.party_roles == procedure.party_roles


def judge(office: Any, file: bytes, **changes: dict[str, Any]) -> Any:
    policy = parse_policy(file)

    def change(payload: dict[str, Any]) -> None:
        payload["policy"]["digest"] = policy.digest
        for section, values in changes.items():
            payload[section].update(values)

    return office.verify(office.sign(change), policies=[policy])


def test_met(office: Any) -> None:
    assert judge(office, POLICY).outcome is Outcome.PASSED
    portal = judge(office, POLICY, txn={"procedure_code": "2.001035.000.00.00.H55"})
    assert portal.outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("old", "new", "detail"),
    [
        (b"2.001035", b"2.001036", "txn.procedure_code"),
        (b'"transferor", ', b"", "txn.party_role"),
        (b"attended_local", b"unattended", "attendance.mode"),
    ],
)
def test_not_met(office: Any, old: bytes, new: bytes, detail: str) -> None:
    verification = judge(office, POLICY.replace(old, new))
    assert verification.reasons == ("policy-not-met",)
    assert detail in {check.detail for check in verification.checks}


def test_level_below_what_the_policy_demands(office: Any) -> None:
    policy = parse_policy(POLICY)

    def change(payload: dict[str, Any]) -> None:
        payload["policy"]["digest"] = policy.digest
        payload["verified_claims"]["verification"]["assurance_level"] = "basic"

    verification = office.verify(office.sign(change), policies=[policy])
    assert verification.reasons == ("policy-not-met",)


@pytest.mark.parametrize("value", [None, 3, ["transferor"], {"a": 1}])
def test_values_of_another_kind_do_not_meet_it(office: Any, value: Any) -> None:
    verification = judge(office, POLICY, txn={"party_role": value, "procedure_code": value})
    assert verification.reasons == ("policy-not-met",)


def test_policy_that_did_not_decide(office: Any) -> None:
    verification = office.verify(office.issue(), policies=[parse_policy(POLICY)])
    assert verification.reasons == ("policy-unknown",)


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"\xff",
        b"code = 1",
        POLICY.replace(b"substantial", b"very high"),
        POLICY + b"attendance = []",
        b"a = " + b"[" * 5000,
        b"#" * (MAX_POLICY_BYTES + 1),
        (b"a" + b".a" * MAX_POLICY_BYTES)[: MAX_POLICY_BYTES - 2] + b"=1",
        POLICY.replace(b'["attended_local"]', b'"attended_local"'),
        POLICY.replace(b'["attended_local"]', b"[]"),
        POLICY.replace(b'["attended_local"]', b'["attended_local", 7]'),
        POLICY.replace(b'["transferor", "transferee"]', b'{ transferor = "transferee" }'),
    ],
    ids=range(12),
)
def test_something_else_than_a_policy(file: bytes) -> None:
    with pytest.raises(InputUnusableError):
        parse_policy(file)
