"""Assertions that another algorithm, certificate or key signed, each refused for its own reason."""

import base64
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from api.assertions import jws, sd_jwt
from api.assertions.encoding import b64url_encode, dump_json
from api.assertions.es256 import PrivateKeySigner
from api.assertions.jwk import to_jwk
from api.assertions.verification import Outcome
from tests.fixtures.refusals import new_key, refused, with_header


def test_the_specimen_itself_passes(office: Any) -> None:
    verification = office.verify(office.issue())
    assert verification.outcome is Outcome.PASSED
    assert verification.reasons == ()
    assert verification.claims["verified_claims"]["claims"]["name"] == "NGUYỄN THỊ MẪU"


@pytest.mark.parametrize(
    "alg", ["ES384", "RS256", "EdDSA", "es256", "", "none", None, 256, ["ES256"]]
)
def test_other_algorithm(office: Any, alg: Any) -> None:
    refused(office.verify(with_header(office.issue(), alg=alg)), "algorithm-not-allowed")


def test_algorithm_none_without_signature(office: Any) -> None:
    stripped = with_header(office.issue(), signature="", alg="none")
    refused(office.verify(stripped), "algorithm-not-allowed")


def test_public_key_as_hmac_secret(office: Any) -> None:
    public = office.key.private_key.public_key()
    secret = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    unsigned = with_header(office.issue(), alg="HS256", signature="")
    signing_input = unsigned.split("~")[0].rpartition(".")[0]
    mac = b64url_encode(hmac.digest(secret, signing_input.encode(), "sha256"))
    refused(
        office.verify(with_header(office.issue(), alg="HS256", signature=mac)),
        "algorithm-not-allowed",
    )


@pytest.mark.parametrize(
    "typ", ["JWT", "vc+sd-jwt", "kb+jwt", "application/dc+sd-jwt", "DC+SD-JWT", None, 7]
)
def test_other_type(office: Any, typ: Any) -> None:
    refused(office.verify(with_header(office.issue(), typ=typ)), "type-not-allowed")


def test_root_of_another_issuer(office: Any, other_office: Any) -> None:
    refused(office.verify(office.issue(), roots=[other_office.root_pem]), "chain-unpinned-root")


def test_impostor_brings_the_root_along(office: Any, other_office: Any) -> None:
    key = other_office.key
    root = other_office.root.certificate.public_bytes(Encoding.DER)
    forged = other_office.sign_as(key, x5c=[*key.x5c, other_office.b64(root)])
    refused(office.verify(forged), "chain-unpinned-root")


def test_impostor_copies_the_names_of_the_genuine_authority(office: Any, office_type: Any) -> None:
    impostor = office_type()
    assert impostor.root.certificate.subject == office.root.certificate.subject
    refused(office.verify(impostor.issue()), "chain-unpinned-root")


def test_chain_without_issuing_ca(office: Any) -> None:
    refused(
        office.verify(office.sign_as(office.key, x5c=office.key.x5c[:1])), "chain-unpinned-root"
    )


@pytest.mark.parametrize("which", [0, 1], ids=["leaf", "issuing-ca"])
def test_a_certificate_spelled_in_another_way(office_type: Any, which: int) -> None:
    """A signature's last zero bit, declared as unused, changes no bit that is signed."""
    while True:  # one in two ends with a zero bit
        office = office_type()
        der = base64.b64decode(office.key.x5c[which])
        signature = x509.load_der_x509_certificate(der).signature
        if not signature[-1] & 1:
            break
    x5c = list(office.key.x5c)
    assert der.endswith(b"\0" + signature)
    x5c[which] = office.b64(der[: -len(signature) - 1] + b"\1" + signature)
    assert office.verify(office.sign_as(office.key)).outcome is Outcome.PASSED
    refused(office.verify(office.sign_as(office.key, x5c=x5c)), "assertion-malformed")


def test_leaf_signed_by_a_leaf(office: Any) -> None:
    below = office.leaf_under(office.leaf())
    refused(office.verify(office.sign_as(below)), "chain-unpinned-root")


@pytest.mark.parametrize("days", [-30, 91, 1200, 4000])
def test_leaf_not_valid_then(office: Any, days: int) -> None:
    verification = office.verify(office.issue(), at=office.at + timedelta(days=days))
    refused(verification, "chain-expired")


@pytest.mark.parametrize(
    "flaw", ["no-key-usage", "wrong-key-usage", "no-purpose", "tls-purpose", "is-ca", "p384"]
)
def test_leaf_for_another_use(office: Any, flaw: str) -> None:
    refused(office.verify(office.sign_as(office.flawed_leaf(flaw))), "key-usage-missing")


def test_issuer_that_the_leaf_does_not_speak_for(office: Any) -> None:
    assertion = office.sign(lambda p: p.update(iss="https://other.example"))
    refused(office.verify(assertion), "issuer-mismatch")


def test_signature_of_another_assertion(office: Any) -> None:
    first, second = office.issue(), office.issue()
    signature = second.split("~")[0].rpartition(".")[2]
    refused(office.verify(with_header(first, signature=signature)), "signature-invalid")


def test_payload_changed_after_signing(office: Any) -> None:
    compact, rest = office.issue().split("~", 1)
    header, _payload, signature = compact.split(".")
    claims = jws.parse(compact).payload
    claims["aud"] = "someone-else"
    forged = f"{header}.{b64url_encode(dump_json(claims))}.{signature}~{rest}"
    refused(office.verify(forged), "signature-invalid")


def test_zero_signature(office: Any) -> None:
    # CVE-2022-21449: r = s = 0
    forged = with_header(office.issue(), signature=b64url_encode(bytes(64)))
    refused(office.verify(forged), "signature-invalid")


@pytest.mark.parametrize(
    "header",
    [
        {"x5c": None},
        {"x5c": []},
        {"x5c": "MIIB"},
        {"x5c": ["not base64!"]},
        {"x5c": ["AAAA"]},
        {"x5c": [7]},
        {"crit": ["exp"]},
        {"crit": []},
        {"b64": False},
    ],
    ids=lambda h: json.dumps(h),
)
def test_header_that_asks_for_or_lacks_something(office: Any, header: dict[str, Any]) -> None:
    refused(office.verify(with_header(office.issue(), **header)), "assertion-malformed")


def test_x5c_as_long_as_the_sender_likes(office: Any) -> None:
    refused(
        office.verify(office.sign_as(office.key, x5c=[*office.key.x5c, *office.key.x5c * 2])),
        "assertion-malformed",
    )


def test_keys_in_the_header_are_never_used(office: Any) -> None:
    own = new_key()
    token = sd_jwt.parse(office.issue())
    header = {**token.issued.header, "jwk": to_jwk(own.public_key())}
    forged = jws.sign(header, token.issued.payload, PrivateKeySigner(own)) + "~"
    refused(office.verify(forged), "signature-invalid")
