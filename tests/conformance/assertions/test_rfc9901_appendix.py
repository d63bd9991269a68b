"""RFC 9901's further examples: the structures of section 6, the presentations of appendix A."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.assertions import jws, sd_jwt
from api.assertions.disclosures import Disclosure, reveal
from api.assertions.errors import KeyBindingInvalidError, TypeNotAllowedError
from api.assertions.jwk import parse_jwk
from api.assertions.key_binding import check_key_binding

HERE = Path(__file__).parent
VECTORS = json.loads((HERE / "rfc9901_appendix.json").read_text("utf-8"))
ISSUER = parse_jwk(json.loads((HERE / "rfc9901.json").read_text("utf-8"))["issuer_jwk"])
PRESENTATIONS = {vector["clause"]: vector for vector in VECTORS["presentations"]}
BOUND = [clause for clause, v in PRESENTATIONS.items() if not v["presentation"].endswith("~")]


@pytest.mark.parametrize("vector", VECTORS["structures"], ids=lambda v: v["clause"])
def test_6_one_address_in_three_structures(vector: dict[str, Any]) -> None:
    disclosures = [Disclosure.parse(encoded) for encoded in vector["disclosures"]]
    assert reveal(vector["payload"], disclosures).payload == VECTORS["structured_claims"]


@pytest.mark.parametrize("clause", PRESENTATIONS)
def test_a_signature_and_processed_payload(clause: str) -> None:
    token = sd_jwt.parse(PRESENTATIONS[clause]["presentation"])
    jws.check_algorithm(token.issued.header)
    jws.verify(token.issued, ISSUER)
    assert token.reveal().payload == PRESENTATIONS[clause]["processed_payload"]


def test_a_3_is_the_only_one_of_the_type_of_a_credential() -> None:
    headers = {c: sd_jwt.parse(v["presentation"]).issued.header for c, v in PRESENTATIONS.items()}
    jws.check_type(headers.pop("A.3"), sd_jwt.TYPE)
    for header in headers.values():
        with pytest.raises(TypeNotAllowedError):
            jws.check_type(header, sd_jwt.TYPE)


def test_a_2_holder_leaves_out_what_is_inside_an_array_element() -> None:
    presented = PRESENTATIONS["A.2"]["presentation"]
    paths = sd_jwt.parse(presented).reveal().paths
    element = ("verified_claims", "verification", "evidence", 0)
    assert element in paths
    assert (*element, "method") in paths
    fewer = sd_jwt.parse(sd_jwt.present(presented, [element])).reveal().payload
    assert fewer["verified_claims"]["verification"]["evidence"] == [{}]
    assert fewer["verified_claims"]["claims"] == {}


def binding(clause: str) -> dict[str, Any]:
    token = sd_jwt.parse(PRESENTATIONS[clause]["presentation"])
    return {
        "key_binding": token.key_binding,
        "confirmation": token.issued.payload["cnf"],
        "presented": token.without_key_binding,
        "audience": VECTORS["audience"],
        "nonce": VECTORS["nonce"],
        "at": datetime.fromtimestamp(VECTORS["presented_at"], UTC),
        "skew_s": 60,
    }


@pytest.mark.parametrize("clause", BOUND)
def test_a_key_binding(clause: str) -> None:
    arguments = binding(clause)
    check_key_binding(arguments.pop("key_binding"), **arguments)


def test_a_key_binding_of_the_other_example() -> None:
    assert BOUND == ["A.3", "A.4"]
    one, other = (binding(clause) for clause in BOUND)
    one.pop("key_binding")
    with pytest.raises(KeyBindingInvalidError):
        check_key_binding(other["key_binding"], **one)
