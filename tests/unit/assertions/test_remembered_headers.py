"""What is remembered of headers and CAs is never another's, and what is personal never shown."""

import math
from dataclasses import replace
from typing import Any

import pytest

from api.assertions import chain, jws, sd_jwt
from api.assertions.disclosures import Disclosure
from api.assertions.encoding import b64url_encode, dump_json
from api.assertions.errors import AssertionMalformedError, ClaimsIncompleteError
from api.assertions.verification import Outcome


def test_one_header_for_all_assertions_of_a_leaf(office: Any) -> None:
    first, second = (sd_jwt.parse(office.issue()).issued.header for _ in range(2))
    assert first is second
    with pytest.raises(TypeError):
        first["alg"] = "none"  # type: ignore[index]
    assert jws.certificates(first) is jws.certificates(second)


def test_header_that_differs_in_anything_is_read_anew(office: Any) -> None:
    known = office.issue()
    assert office.verify(known).outcome is Outcome.PASSED
    header = dict(sd_jwt.parse(known).issued.header)
    for change, reason in (
        ({"alg": "none"}, "algorithm-not-allowed"),
        ({"typ": "JWT"}, "type-not-allowed"),
        ({"crit": ["x"]}, "assertion-malformed"),
        ({"x5c": [*header["x5c"], 1]}, "assertion-malformed"),
        ({"x5c": header["x5c"][:1]}, "chain-unpinned-root"),
        ({"kid": "another"}, "signature-invalid"),
    ):
        encoded = b64url_encode(dump_json({**header, **change}))
        assertion = encoded + known[known.index(".") :]
        for _ in range(2):  # nor is what was refused remembered as anything else
            assert office.verify(assertion).reasons == (reason,)
    assert office.verify(known).outcome is Outcome.PASSED


def test_two_issuers_in_turn(office: Any, other_office: Any) -> None:
    for _ in range(2):
        for one, other in ((office, other_office), (other_office, office)):
            assert one.verify(one.issue()).outcome is Outcome.PASSED
            assert one.verify(other.issue()).reasons == ("chain-unpinned-root",)


def test_ca_is_read_once_and_the_leaf_each_time(office: Any) -> None:
    x5c = jws.certificates(sd_jwt.parse(office.issue()).issued.header)
    first, second = chain.parse_chain(x5c), chain.parse_chain(x5c)
    assert first == second
    assert first[1] is second[1] and first[0] is not second[0]
    with pytest.raises(AssertionMalformedError):
        chain.parse_chain((x5c[0], x5c[1][:-1]))


def test_disclosure_shows_nothing_of_a_person() -> None:
    made = Disclosure.make("NGUYỄN THỊ MẪU", "name")
    assert repr(made) == "Disclosure(name='name')"
    assert repr([Disclosure.parse(made.encoded)]) == "[Disclosure(name='name')]"


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_claims_hold_only_finite_numbers(office: Any, number: float) -> None:
    claims = office.claims()
    for change in ({"threshold": number}, {"score": number}):
        with pytest.raises(ClaimsIncompleteError, match="finite"):
            replace(claims, face=replace(claims.face, **change))
