"""Our verifier takes what the npm libraries issue and present, where it keeps to the profile."""

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from api.assertions import jwk, sd_jwt
from api.assertions.encoding import b64url_encode
from api.assertions.verification import Outcome
from benchmarks.peers.npm import Npm
from tests.fixtures.office import AT, AUDIENCE, ISSUER, NONCE, Office

FRAME = {
    "verified_claims": {"claims": {"_sd": ["name", "id_number", "birthdate"], "_sd_decoy": 3}},
    "face": {"_sd": ["score"]},
}


def private_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    d = key.private_numbers().private_value
    return {**jwk.to_jwk(key.public_key()), "d": b64url_encode(d.to_bytes(32))}


def payload(office: Office) -> dict[str, Any]:
    return office.claims(jti="jti-of-the-specimen").to_payload(ISSUER).claims


@pytest.fixture
def issued_by_npm(npm: Npm, office: Office) -> str:
    assertion = npm.call(
        "sdJwtVc",
        "issue",
        claims=payload(office),
        frame=FRAME,
        header={"x5c": office.key.x5c},
        jwk=private_jwk(office.key.private_key),
    )
    assert isinstance(assertion, str)
    return assertion


def test_sd_jwt_vc_issues(office: Office, issued_by_npm: str) -> None:
    verification = office.verify(issued_by_npm)
    assert verification.outcome is Outcome.PASSED
    assert verification.claims == payload(office)


def test_cut_down_by_us(office: Office, issued_by_npm: str) -> None:
    presented = sd_jwt.present(issued_by_npm, [("verified_claims", "claims", "birthdate")])
    claims = office.verify(presented).claims
    assert claims is not None
    expected = payload(office)
    del expected["face"]["score"]
    for name in ("name", "id_number"):
        del expected["verified_claims"]["claims"][name]
    assert claims == expected


def test_recursive_and_array_disclosures(npm: Npm, office: Office) -> None:
    frame = {
        "verified_claims": {"_sd": ["claims"], "claims": {"_sd": ["name"]}},
        "chip": {"dg_verified": {"_sd": [4]}},
    }
    assertion = npm.call(
        "sdJwtVc",
        "issue",
        claims=payload(office),
        frame=frame,
        header={"x5c": office.key.x5c},
        jwk=private_jwk(office.key.private_key),
    )
    assert office.verify(assertion).claims == payload(office)
    without_element = sd_jwt.present(assertion, [("verified_claims", "claims", "name")])
    claims = office.verify(without_element).claims
    assert claims is not None
    assert claims["chip"]["dg_verified"] == payload(office)["chip"]["dg_verified"][:4]


def test_sd_jwt_vc_presents_with_the_holders_proof(npm: Npm, office: Office) -> None:
    holder = ec.generate_private_key(ec.SECP256R1())
    presented = npm.call(
        "sdJwtVc",
        "present",
        token=office.bound(holder),
        frame={"verified_claims": {"claims": {"name": True}}},
        holder=private_jwk(holder),
        binding={"iat": int(AT.timestamp()), "aud": AUDIENCE, "nonce": NONCE},
    )
    verification = office.verify(presented)
    assert verification.outcome is Outcome.PASSED
    assert verification.claims is not None
    assert verification.claims["verified_claims"]["claims"] == {"name": "NGUYỄN THỊ MẪU"}
    thief = npm.call(
        "sdJwtVc",
        "present",
        token=office.bound(holder),
        frame={"verified_claims": {"claims": {"name": True}}},
        holder=private_jwk(ec.generate_private_key(ec.SECP256R1())),
        binding={"iat": int(AT.timestamp()), "aud": AUDIENCE, "nonce": NONCE},
    )
    assert office.verify(thief).reasons == ("key-binding-invalid",)


def signed_by_jose(npm: Npm, office: Office, **changes: Any) -> str:
    header = {"alg": "ES256", "typ": "dc+sd-jwt", "x5c": list(office.key.x5c)}
    compact = npm.call(
        "jose",
        "sign",
        payload=payload(office),
        header={name: v for name, v in {**header, **changes}.items() if v is not None},
        jwk=private_jwk(office.key.private_key),
    )
    return f"{compact}~"


def test_jose_signs(npm: Npm, office: Office) -> None:
    verification = office.verify(signed_by_jose(npm, office))
    assert verification.outcome is Outcome.PASSED
    assert verification.claims == payload(office)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"typ": "vc+sd-jwt"}, "type-not-allowed"),
        ({"typ": None}, "type-not-allowed"),
        ({"x5c": None}, "assertion-malformed"),
        ({"b64": True, "crit": ["b64"]}, "assertion-malformed"),
    ],
)
def test_jose_signs_outside_the_profile(
    npm: Npm, office: Office, header: dict[str, Any], reason: str
) -> None:
    assert office.verify(signed_by_jose(npm, office, **header)).reasons == (reason,)


def test_thumbprint_of_a_key(npm: Npm) -> None:
    for _ in range(20):
        key = ec.generate_private_key(ec.SECP256R1()).public_key()
        assert npm.call("jose", "thumbprint", jwk=jwk.to_jwk(key)) == jwk.thumbprint(key)
