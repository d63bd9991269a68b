"""RFC 7515, appendix A: ES256 verifies; each other algorithm, valid as it is, is refused."""

import json
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws as joserfc_jws
from joserfc.jwk import import_key

from api.assertions import jws
from api.assertions.encoding import b64url_decode, b64url_encode
from api.assertions.errors import (
    AlgorithmNotAllowedError,
    AssertionMalformedError,
    SignatureInvalidError,
)
from api.assertions.jwk import parse_jwk

VECTORS = json.loads((Path(__file__).parent / "rfc7515.json").read_text("utf-8"))
CLAIMS = {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}
KEY = parse_jwk(VECTORS["A.3"]["key"])


@pytest.mark.parametrize("clause", ["A.1", "A.2", "A.3", "A.4"])
def test_another_implementation_accepts_the_vector(clause: str) -> None:
    vector: dict[str, Any] = VECTORS[clause]
    algorithms = ["HS256", "RS256", "ES256", "ES512"]
    joserfc_jws.deserialize_compact(vector["jws"], import_key(vector["key"]), algorithms=algorithms)


def test_a_3_es256() -> None:
    token = jws.parse(VECTORS["A.3"]["jws"])
    jws.check_algorithm(token.header)
    jws.verify(token, KEY)
    assert token.payload == CLAIMS


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_3_changed(part: int) -> None:
    parts = VECTORS["A.3"]["jws"].split(".")
    changed = bytearray(b64url_decode(parts[part]))
    changed[-3] ^= 1
    parts[part] = b64url_encode(bytes(changed))
    with pytest.raises((SignatureInvalidError, AssertionMalformedError)):
        jws.verify(jws.parse(".".join(parts)), KEY)


@pytest.mark.parametrize("clause", ["A.1", "A.2", "A.5"])
def test_other_algorithms_and_none(clause: str) -> None:
    token = jws.parse(VECTORS[clause]["jws"])
    assert token.payload == CLAIMS
    with pytest.raises(AlgorithmNotAllowedError):
        jws.check_algorithm(token.header)
    # Whatever the header says, only ES256 is ever computed.
    with pytest.raises(SignatureInvalidError):
        jws.verify(token, KEY)


def test_a_4_signs_what_is_no_claim_set() -> None:
    with pytest.raises(AssertionMalformedError):
        jws.parse(VECTORS["A.4"]["jws"])
