"""The Python package `sd-jwt` as an oracle for issuing: what we make it reads, and the reverse.

As a verifier it lets too much through (an expired token, one more disclosure); where a claim is
disclosed, and what a digest covers, it knows independently.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.assertions import jws, sd_jwt
from api.assertions.disclosures import ClaimPath
from api.assertions.jwk import to_jwk

common = pytest.importorskip("sd_jwt.common", reason="the package sd-jwt is not installed")
issuer = pytest.importorskip("sd_jwt.issuer")
verifier = pytest.importorskip("sd_jwt.verifier")
jwcrypto_jwk = pytest.importorskip("jwcrypto.jwk")


def read_by_oracle(assertion: str, key: Any) -> Any:
    public = jwcrypto_jwk.JWK.from_json(json.dumps(to_jwk(key.private_key.public_key())))
    return verifier.SDJWTVerifier(assertion, lambda iss, header: public).get_verified_payload()


def test_it_reads_what_we_issue(office: Any) -> None:
    assertion = office.issue()
    assert read_by_oracle(assertion, office.key) == sd_jwt.parse(assertion).reveal().payload


def test_it_reads_what_a_holder_presents(office: Any) -> None:
    assertion = office.issue()
    for wanted in ([], [("face", "score")], [("verified_claims", "claims", "name")]):
        fewer = sd_jwt.present(assertion, wanted)
        assert read_by_oracle(fewer, office.key) == sd_jwt.parse(fewer).reveal().payload


names = st.text("abcdeàễ_.", min_size=1, max_size=5).filter(lambda n: n not in ("...", "_sd"))
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=12,
)
payloads = st.dictionaries(names, values, min_size=1, max_size=5)


def places(value: Any, path: ClaimPath = ()) -> Iterator[ClaimPath]:
    """Yield every claim and array element of a payload."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for step, item in pairs:
        yield (*path, step)
        if isinstance(item, (dict, list)):
            yield from places(item, (*path, step))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(payload=payloads, data=st.data())
def test_it_reads_whatever_is_hidden_wherever(
    office: Any, payload: dict[str, Any], data: st.DataObject
) -> None:
    payload = {**payload, "iss": "urn:issuer"}
    open_to_hide = sorted(places({k: v for k, v in payload.items() if k != "iss"}), key=repr)
    hidden = data.draw(st.lists(st.sampled_from(open_to_hide), unique=True, max_size=6))
    decoys = data.draw(st.integers(0, 3))
    signed = sd_jwt.sign_payload(payload, hidden, office.key, decoys=decoys)
    assert read_by_oracle(signed, office.key) == payload
    assert sd_jwt.parse(signed).reveal().payload == payload


def test_we_read_what_it_issues(office: Any) -> None:

    pem = office.key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    hiding = {
        "iss": "urn:issuer",
        common.SDObj("name"): "NGUYỄN THỊ MẪU",
        "list": [common.SDObj("one"), "two"],
        common.SDObj("inside"): {common.SDObj("deep"): 1},
    }
    issued = issuer.SDJWTIssuer(
        hiding,
        jwcrypto_jwk.JWK.from_pem(pem),
        extra_header_parameters={"typ": sd_jwt.TYPE},
        add_decoy_claims=True,
    ).sd_jwt_issuance
    token = sd_jwt.parse(issued)
    jws.check_type(token.issued.header, sd_jwt.TYPE)
    jws.verify(token.issued, office.key.private_key.public_key())
    assert token.reveal().payload == {
        "iss": "urn:issuer",
        "name": "NGUYỄN THỊ MẪU",
        "list": ["one", "two"],
        "inside": {"deep": 1},
    }
