"""Issuing and presenting."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from api.assertions import jws, sd_jwt
from api.assertions.disclosures import conceal
from api.assertions.errors import (
    AssertionMalformedError,
    ClaimsUnwritableError,
    DisclosureUnknownError,
    SigningKeyExpiredError,
)
from api.assertions.verification import Outcome
from api.proofing.schemas import DocumentIn, SessionIn

NAME = ("verified_claims", "claims", "name")
NUMBER = ("verified_claims", "verification", "evidence", 0, "document_details", "document_number")


def test_present_only_what_is_chosen(office: Any) -> None:
    presented = sd_jwt.present(office.issue(), [NAME, NUMBER])
    verification = office.verify(presented)
    assert verification.outcome is Outcome.PASSED
    verified = verification.claims["verified_claims"]
    assert verified["claims"] == {"name": "NGUYỄN THỊ MẪU"}
    evidence = verified["verification"]["evidence"][0]
    assert evidence["document_details"]["document_number"] == "079200000001"
    assert "score" not in verification.claims["face"]


def test_present_nothing(office: Any) -> None:
    verification = office.verify(sd_jwt.present(office.issue(), []))
    assert verification.outcome is Outcome.PASSED
    assert verification.claims["verified_claims"]["claims"] == {}


def test_present_what_is_not_there(office: Any) -> None:
    with pytest.raises(DisclosureUnknownError):
        sd_jwt.present(office.issue(), [("verified_claims", "claims", "religion")])
    with pytest.raises(DisclosureUnknownError):
        sd_jwt.present(sd_jwt.present(office.issue(), []), [NAME])


def test_present_what_is_bound_already(office: Any) -> None:
    with pytest.raises(AssertionMalformedError):
        sd_jwt.present(office.issue() + "a.b.c", [NAME])


def test_hide_what_is_not_there() -> None:
    for path in (("b",), ("a", "c"), ("a", 0, "x")):
        with pytest.raises(DisclosureUnknownError):
            conceal({"a": 1}, [path])


def test_decoys_hide_how_many_claims_there_are(office: Any) -> None:
    plain = office.issue()
    decoyed = sd_jwt.issue(office.claims(), office.key, decoys=3)
    count = [
        len(jws.parse(a.split("~")[0]).payload["verified_claims"]["claims"]["_sd"])
        for a in (plain, decoyed)
    ]
    assert count == [7, 10]
    assert office.verify(decoyed).outcome is Outcome.PASSED


def test_filled_up_objects_do_not_tell_how_many_claims_they_have(office: Any) -> None:
    claims = office.claims()
    person = replace(claims.verified_claims.claims, residence=None, age_over_18=None)
    fewer = replace(claims, verified_claims=replace(claims.verified_claims, claims=person))
    for each in (claims, fewer):
        assertion = sd_jwt.issue(each, office.key, fill_to=8)
        payload = jws.parse(assertion.split("~")[0]).payload["verified_claims"]
        details = payload["verification"]["evidence"][0]["document_details"]
        assert (len(payload["claims"]["_sd"]), len(details["_sd"])) == (8, 8)
        assert office.verify(assertion).outcome is Outcome.PASSED


def test_salts_are_fresh_and_long_enough(office: Any) -> None:
    from api.assertions.encoding import b64url_decode, parse_json

    tokens = [sd_jwt.parse(office.issue()) for _ in range(5)]
    salts = [parse_json(b64url_decode(d.encoded))[0] for t in tokens for d in t.disclosures]
    assert len(set(salts)) == len(salts)
    assert all(len(b64url_decode(salt)) >= 16 for salt in salts)


def test_header(office: Any) -> None:
    header = sd_jwt.parse(office.issue()).issued.header
    assert header["alg"] == "ES256"
    assert header["typ"] == "dc+sd-jwt"
    assert len(header["x5c"]) == 2  # leaf and issuing CA; the root is pinned, never sent


def test_key_that_does_not_cover_the_life_of_the_assertion(office: Any) -> None:
    for issued_at in (office.key.not_after - timedelta(minutes=5), office.at - timedelta(days=2)):
        with pytest.raises(SigningKeyExpiredError):
            sd_jwt.issue(office.claims(issued_at=issued_at), office.key)


def test_assertion_is_as_small_as_the_reference_says(office: Any) -> None:
    assert len(office.issue()) < 7 * 1024


def test_verification_is_no_condition(office: Any) -> None:
    with pytest.raises(TypeError, match="outcome"):
        bool(office.verify(office.issue()))


def test_what_no_verifier_would_read_is_not_issued(office: Any) -> None:
    """As many documents as a request may name, each in the longest of words."""
    role = "𝒜" * 200
    issued = 0
    for count in range(1, 51):
        documents = [bytes([number]) for number in range(count)]
        txn = office.transaction(*documents)
        txn = replace(txn, documents=tuple(replace(d, role=role) for d in txn.documents))
        try:
            assertion = office.issue(txn=txn)
        except ClaimsUnwritableError:
            break
        assert office.verify(assertion, documents=documents).outcome is Outcome.PASSED
        issued = count
    assert 20 < issued < 50


def test_the_longest_request_fits_into_an_assertion(office: Any) -> None:
    """As many documents as a session may have, all words as long as a request may make them."""

    def longest(message: type[BaseModel], name: str) -> str:
        bounds = message.model_fields[name].metadata
        return "𝒜" * next(b.max_length for b in bounds if hasattr(b, "max_length"))

    most = next(
        bound.max_length
        for bound in SessionIn.model_fields["documents"].metadata
        if hasattr(bound, "max_length")
    )
    documents = [bytes([number]) for number in range(most)]
    txn = office.transaction(*documents)
    txn = replace(
        txn,
        documents=tuple(
            replace(
                document,
                role=longest(DocumentIn, "role"),
                media_type="a/" + "a" * 98,
                byte_length=2**40,
            )
            for document in txn.documents
        ),
        purpose=longest(SessionIn, "purpose"),
        party_role=longest(SessionIn, "party_role"),
        dossier_id=longest(SessionIn, "dossier_id"),
    )
    said = {"audience": longest(SessionIn, "audience"), "nonce": longest(SessionIn, "nonce")}
    assertion = office.issue(txn=txn, **said)
    assert office.verify(assertion, documents=documents, **said).outcome is Outcome.PASSED


@pytest.mark.parametrize("where", ["audience", "purpose", "name"])
def test_text_that_utf_8_cannot_write(office: Any, where: str) -> None:
    lone = "Nguyễn \ud83d"
    verified = office.claims().verified_claims
    changes = {
        "audience": lone,
        "txn": replace(office.claims().txn, purpose=lone if where == "purpose" else "x"),
        "verified_claims": replace(verified, claims=replace(verified.claims, name=lone)),
    }
    changed = {"audience": "audience", "purpose": "txn", "name": "verified_claims"}[where]
    with pytest.raises(ClaimsUnwritableError) as refused:
        office.issue(**{changed: changes[changed]})
    assert "Nguyễn" not in str(refused.value)


@pytest.mark.parametrize("name", ["\N{RIGHT-TO-LEFT OVERRIDE}a", "a\0b", "𝒜" * 2000, '\\"~.\n'])
def test_any_text_is_signed_as_it_is(office: Any, name: str) -> None:
    verified = office.claims().verified_claims
    verified = replace(verified, claims=replace(verified.claims, name=name))
    verification = office.verify(office.issue(verified_claims=verified))
    assert verification.outcome is Outcome.PASSED
    assert verification.claims["verified_claims"]["claims"]["name"] == name
