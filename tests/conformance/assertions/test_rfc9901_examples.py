"""RFC 9901's own examples: digests, processing, signature and key binding."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from api.assertions import jws, sd_jwt
from api.assertions.disclosures import Disclosure, reveal
from api.assertions.errors import KeyBindingInvalidError, SignatureInvalidError
from api.assertions.jwk import parse_jwk
from api.assertions.key_binding import check_key_binding

VECTORS = json.loads((Path(__file__).parent / "rfc9901.json").read_text("utf-8"))
ISSUER = parse_jwk(VECTORS["issuer_jwk"])
AT = datetime.fromtimestamp(1748537250, UTC)


@pytest.mark.parametrize(
    "vector", VECTORS["disclosures"], ids=lambda v: f"{v['clause']}-{v['content'][-2]}"
)
def test_4_2_disclosure_and_its_digest(vector: dict) -> None:
    disclosure = Disclosure.parse(vector["disclosure"])
    assert disclosure.digest == vector["digest"]
    assert disclosure.value == vector["content"][-1]
    assert disclosure.name == (vector["content"][1] if len(vector["content"]) == 3 else None)


def test_5_1_issuer_signature() -> None:
    token = jws.parse(VECTORS["issuer_signed_jwt"])
    jws.check_algorithm(token.header)
    jws.verify(token, ISSUER)
    with pytest.raises(SignatureInvalidError):
        jws.verify(token, ec.generate_private_key(ec.SECP256R1()).public_key())


def test_5_2_presentation_processed() -> None:
    token = sd_jwt.parse(VECTORS["presentation"])
    jws.verify(token.issued, ISSUER)
    assert token.reveal().payload == VECTORS["processed_payload"]


def test_5_1_holder_selects_the_presentation_of_5_2() -> None:
    of_5_1 = [v["disclosure"] for v in VECTORS["disclosures"] if v["clause"] == "§5.1"]
    issued = "~".join([VECTORS["issuer_signed_jwt"], *of_5_1, ""])
    chosen = {("family_name",), ("address",), ("given_name",), ("nationalities", 0)}
    presented = sd_jwt.parse(sd_jwt.present(issued, chosen))
    assert presented.reveal().payload == VECTORS["processed_payload"]


def binding_arguments() -> dict:
    token = sd_jwt.parse(VECTORS["presentation"])
    return {
        "key_binding": token.key_binding,
        "confirmation": token.issued.payload["cnf"],
        "presented": token.without_key_binding,
        "audience": "https://verifier.example.org",
        "nonce": "1234567890",
        "at": AT,
        "skew_s": 60,
    }


def test_5_2_key_binding() -> None:
    arguments = binding_arguments()
    check_key_binding(arguments.pop("key_binding"), **arguments)


@pytest.mark.parametrize(
    "change",
    [
        {"audience": "https://other.example.org"},
        {"nonce": "1234567891"},
        {"at": datetime.fromtimestamp(1748537244 + 3600, UTC)},
        {"at": datetime.fromtimestamp(1748537244 - 3600, UTC)},
        {"presented": VECTORS["issuer_signed_jwt"] + "~"},
        {"confirmation": {"jwk": VECTORS["issuer_jwk"]}},
        {"confirmation": {"kid": "elsewhere"}},
        {"key_binding": VECTORS["issuer_signed_jwt"]},
    ],
    ids=["audience", "nonce", "late", "early", "fewer-claims", "other-key", "no-key", "other-type"],
)
def test_7_3_key_binding_of_something_else(change: dict) -> None:
    arguments = {**binding_arguments(), **change}
    with pytest.raises(KeyBindingInvalidError):
        check_key_binding(arguments.pop("key_binding"), **arguments)


def test_6_3_recursive_disclosures() -> None:
    of_6_3 = [v["disclosure"] for v in VECTORS["disclosures"] if v["clause"] == "§6.3"]
    revealed = reveal(VECTORS["recursive"]["payload"], [Disclosure.parse(d) for d in of_6_3])
    assert revealed.payload["address"] == {
        "street_address": "Schulstr. 12",
        "locality": "Schulpforta",
        "region": "Sachsen-Anhalt",
        "country": "DE",
    }
    assert ("address", "region") in revealed.paths


def test_6_3_parent_alone_hides_what_is_in_it() -> None:
    address = next(
        v["disclosure"]
        for v in VECTORS["disclosures"]
        if v["clause"] == "§6.3" and v["content"][1] == "address"
    )
    revealed = reveal(VECTORS["recursive"]["payload"], [Disclosure.parse(address)])
    assert revealed.payload["address"] == {}
