"""npm jose and @sd-jwt/sd-jwt-vc take what we issue, and what they do not see we refuse."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from api.assertions import sd_jwt
from api.assertions.jwk import to_jwk
from api.assertions.verification import Outcome
from benchmarks.peers.npm import NpmRefusedError
from benchmarks.peers.npm_build import SOURCES
from tests.fixtures.office import AUDIENCE, NONCE, Office
from tests.interop.npm.alterations import (
    ACCEPTED,
    ALTERATIONS,
    NOT_LOOKED_AT,
    Alteration,
    disclosure_changed,
)
from tests.interop.npm.conftest import RelyingParty

PAGE = Path(__file__).resolve().parents[3] / "docs" / "interoperability.md"
PERSON = "verified_claims.claims"


def test_jose_verifies_and_reads_what_was_signed(
    office: Office, relying_party: RelyingParty
) -> None:
    assertion = office.issue()
    read = relying_party.jose(assertion)
    signed = sd_jwt.parse(assertion).issued
    assert read == {"payload": signed.payload, "header": signed.header}


@pytest.mark.parametrize("decoys", [0, 5])
def test_sd_jwt_vc_verifies_and_reads_every_claim(
    office: Office, relying_party: RelyingParty, decoys: int
) -> None:
    assertion = sd_jwt.issue(office.claims(), office.key, decoys=decoys)
    read = relying_party.sd_jwt_vc(assertion, required=[f"{PERSON}.name", f"{PERSON}.age_over_18"])
    assert read["payload"] == office.verify(assertion).claims
    assert read["payload"]["verified_claims"]["claims"]["name"] == "NGUYỄN THỊ MẪU"


def test_sd_jwt_vc_reads_only_what_is_presented(
    office: Office, relying_party: RelyingParty
) -> None:
    age = ("verified_claims", "claims", "age_over_18")
    presented = sd_jwt.present(office.issue(), [age])
    read = relying_party.sd_jwt_vc(presented, required=[f"{PERSON}.age_over_18"])
    assert read["payload"]["verified_claims"]["claims"] == {"age_over_18": True}
    assert read["payload"] == office.verify(presented).claims
    with pytest.raises(NpmRefusedError, match=f"{PERSON}.name"):
        relying_party.sd_jwt_vc(presented, required=[f"{PERSON}.name"])


def test_sd_jwt_vc_verifies_the_holders_proof(office: Office, relying_party: RelyingParty) -> None:
    holder = ec.generate_private_key(ec.SECP256R1())
    assertion = office.bound(holder)
    proven = assertion + office.prove(assertion, holder)
    assert office.verify(proven).outcome is Outcome.PASSED
    read = relying_party.sd_jwt_vc(proven, nonce=NONCE)
    assert read["keyBinding"]["nonce"] == NONCE
    proof = relying_party.jose_by_key(
        proven.rpartition("~")[2], to_jwk(holder.public_key()), typ="kb+jwt", audience=AUDIENCE
    )
    assert proof["payload"] == read["keyBinding"]


def test_libraries_are_pinned_by_digest_and_no_registry_is_named() -> None:
    packages = json.loads((SOURCES / "package-lock.json").read_text("utf-8"))["packages"]
    libraries = [package for folder, package in packages.items() if folder]
    assert libraries
    for package in libraries:
        assert package["integrity"].startswith("sha512-")
        assert "resolved" not in package


def test_foreign_root(other_office: Office, relying_party: RelyingParty) -> None:
    assertion = other_office.issue()
    assert not relying_party.accepts("jose", assertion)
    assert not relying_party.accepts("sd_jwt_vc", assertion)


def test_sd_jwt_vc_misses_a_claim_whose_disclosure_was_changed(
    office: Office, relying_party: RelyingParty
) -> None:
    changed = disclosure_changed(office)
    assert "name" not in relying_party.sd_jwt_vc(changed)["payload"]["verified_claims"]["claims"]
    assert not relying_party.accepts("sd_jwt_vc", changed, required=[f"{PERSON}.name"])


@pytest.mark.parametrize("altered", ALTERATIONS, ids=lambda a: a.what)
def test_altered(office: Office, relying_party: RelyingParty, altered: Alteration) -> None:
    assertion = altered.make(office)
    verification = office.verify(assertion)
    assert verification.outcome is Outcome.FAILED
    assert altered.reason in verification.reasons
    if altered.jose != NOT_LOOKED_AT:
        assert relying_party.accepts("jose", assertion) is (altered.jose == ACCEPTED)
    taken = relying_party.accepts("sd_jwt_vc", assertion, nonce=altered.nonce)
    assert taken is (altered.sd_jwt_vc == ACCEPTED)


def rows_of_the_page() -> dict[str, tuple[str, ...]]:
    lines = PAGE.read_text("utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: tuple(row[1:]) for row in cells}


def test_the_page_has_these_verdicts() -> None:
    rows = rows_of_the_page()
    for a in ALTERATIONS:
        assert rows.get(a.what) == (f"`{a.reason}`", a.jose, a.sd_jwt_vc), a.what
