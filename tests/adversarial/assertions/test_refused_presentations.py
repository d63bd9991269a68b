"""Assertions of another time, for another party or request, used before, or not the holder's."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from api.assertions import jws, sd_jwt
from api.assertions.es256 import PrivateKeySigner
from api.assertions.seen import SeenAssertions
from api.assertions.verification import Outcome
from tests.fixtures.refusals import new_key, refused


@pytest.mark.parametrize("minutes", [17, 60, 24 * 60])
def test_expired(office: Any, minutes: int) -> None:
    verification = office.verify(office.issue(), at=office.at + timedelta(minutes=minutes))
    refused(verification, "expired")


@pytest.mark.parametrize("seconds", [0, 59, 15 * 60 + 59])
def test_within_skew(office: Any, seconds: int) -> None:
    verification = office.verify(office.issue(), at=office.at + timedelta(seconds=seconds))
    assert verification.outcome is Outcome.PASSED


def test_not_yet_valid(office: Any) -> None:
    later = int(office.at.timestamp()) + 600
    refused(office.verify(office.sign(lambda p: p.update(nbf=later))), "not-yet-valid")


def test_issued_in_future(office: Any) -> None:
    later = int(office.at.timestamp()) + 600
    refused(office.verify(office.sign(lambda p: p.update(iat=later))), "issued-in-future")


def test_lives_too_long(office: Any) -> None:
    later = int(office.at.timestamp()) + 86_401
    refused(office.verify(office.sign(lambda p: p.update(exp=later))), "lifetime-too-long")


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", [None, "1795230000", 1.5, True])
def test_time_that_is_none(office: Any, claim: str, value: Any) -> None:
    refused(office.verify(office.sign(lambda p: p.update({claim: value}))), "validity-missing")


@pytest.mark.parametrize(
    "audience", ["van-phong-cong-chung-8", "VAN-PHONG-CONG-CHUNG-7", "vănphòng"]
)
def test_other_audience(office: Any, audience: str) -> None:
    refused(office.verify(office.issue(), audience=audience), "audience-mismatch")


def test_several_audiences(office: Any) -> None:
    assertion = office.sign(lambda p: p.update(aud=[p["aud"], "someone-else"]))
    refused(office.verify(assertion), "audience-mismatch")


def test_other_nonce(office: Any) -> None:
    refused(office.verify(office.issue(), nonce="n-another"), "nonce-mismatch")


def test_replayed(office: Any) -> None:
    seen: set[str] = set()
    assertion = office.issue()
    first = office.verify(assertion, seen_jti=seen)
    assert first.outcome is Outcome.PASSED
    seen.add(first.claims["jti"])
    refused(office.verify(assertion, seen_jti=seen), "assertion-replayed")


def test_replayed_by_who_tells_issuers_apart(office: Any, tmp_path: Path) -> None:
    assertion = office.issue()
    with SeenAssertions(tmp_path / "accepted.db") as seen:
        jti = office.verify(assertion).claims["jti"]
        seen.add("https://another.example", jti)
        first = office.verify(assertion, seen_jti=seen)
        assert first.outcome is Outcome.PASSED
        seen.add(first.claims["iss"], jti)
        refused(office.verify(assertion, seen_jti=seen), "assertion-replayed")


def test_without_id(office: Any) -> None:
    refused(office.verify(office.sign(lambda p: p.pop("jti"))), "assertion-id-missing")


def test_key_binding_missing(office: Any) -> None:
    refused(office.verify(office.bound(new_key())), "key-binding-missing")


def test_key_binding_by_another_key(office: Any) -> None:
    assertion = office.bound(new_key())
    proof = office.prove(assertion, new_key())
    refused(office.verify(assertion + proof), "key-binding-invalid")


def test_key_binding_over_other_disclosures(office: Any) -> None:
    holder = new_key()
    assertion = office.bound(holder)
    fewer = sd_jwt.present(assertion, [("face", "score")])
    refused(office.verify(fewer + office.prove(assertion, holder)), "key-binding-invalid")


@pytest.mark.parametrize("issued_at", [10**400, -(10**400), 1.5, True, None])
def test_key_binding_of_no_time(office: Any, issued_at: Any) -> None:
    """The holder signs what he likes; it is answered."""
    holder = new_key()
    assertion = office.bound(holder)
    claims = jws.parse(office.prove(assertion, holder)).payload | {"iat": issued_at}
    proof = jws.sign({"typ": "kb+jwt"}, claims, PrivateKeySigner(holder))
    refused(office.verify(assertion + proof), "key-binding-invalid")


@pytest.mark.parametrize(
    "times",
    [{"exp": -61}, {"nbf": 61}, {"exp": None}, {"nbf": 0.5}, {"exp": True}, {"iat": -961}],
    ids=str,
)
def test_key_binding_of_another_time(office: Any, times: dict[str, Any]) -> None:
    """RFC 9901 §7.3: what a JWT says of its own validity holds here too."""
    holder = new_key()
    assertion = office.bound(holder)
    proof = jws.parse(office.prove(assertion, holder)).payload
    now = int(office.at.timestamp())
    changed = {n: now + t if type(t) is int else t for n, t in times.items()}
    forged = jws.sign({"typ": "kb+jwt"}, proof | changed, PrivateKeySigner(holder))
    refused(office.verify(assertion + forged), "key-binding-invalid")
    in_time = proof | {"exp": now + 60, "nbf": now}
    good = jws.sign({"typ": "kb+jwt"}, in_time, PrivateKeySigner(holder))
    assert office.verify(assertion + good).outcome is Outcome.PASSED


def test_key_binding_that_holds(office: Any) -> None:
    holder = new_key()
    assertion = office.bound(holder)
    verification = office.verify(assertion + office.prove(assertion, holder))
    assert verification.outcome is Outcome.PASSED


def test_key_binding_for_a_key_that_is_not_named(office: Any) -> None:
    assertion = office.issue()
    proof = office.prove(assertion, new_key())
    refused(office.verify(assertion + proof), "key-binding-unexpected")
