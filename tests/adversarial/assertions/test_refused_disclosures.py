"""Disclosures that were added, doubled, renamed or put where they do not belong."""

from typing import Any

import pytest

from api.assertions import sd_jwt
from api.assertions.disclosures import Disclosure
from api.assertions.encoding import b64url_encode, dump_json
from tests.fixtures.refusals import refused


def test_foreign_disclosure(office: Any) -> None:
    foreign = sd_jwt.parse(office.issue()).disclosures[0].encoded
    refused(office.verify(f"{office.issue()}{foreign}~"), "disclosure-unreferenced")


def test_invented_disclosure(office: Any) -> None:
    invented = Disclosure.make("079999999999", "id_number").encoded
    refused(office.verify(f"{office.issue()}{invented}~"), "disclosure-unreferenced")


def test_doubled_disclosure(office: Any) -> None:
    assertion = office.issue()
    twice = sd_jwt.parse(assertion).disclosures[0].encoded
    refused(office.verify(f"{assertion}{twice}~"), "disclosure-duplicate")


def test_digest_in_two_places(office: Any) -> None:
    hidden = Disclosure.make("x", "name")

    def change(payload: dict[str, Any]) -> None:
        payload["txn"]["_sd"] = [hidden.digest]
        payload["chip"]["_sd"] = [hidden.digest]

    assertion = office.sign(change, hide=False) + f"{hidden.encoded}~"
    refused(office.verify(assertion), "disclosure-duplicate")


@pytest.mark.parametrize("name", ["_sd", "..."])
def test_disclosure_with_a_name_of_the_format(office: Any, name: str) -> None:
    hidden = Disclosure.make(["x"], name)
    assertion = office.sign(lambda p: p["txn"].update(_sd=[hidden.digest]), hide=False)
    refused(office.verify(f"{assertion}{hidden.encoded}~"), "disclosure-name-forbidden")


@pytest.mark.parametrize("name", ["exp", "nbf", "iss", "cnf", "vct", "status", "vct#integrity"])
def test_disclosure_of_a_claim_that_must_be_visible(office: Any, name: str) -> None:
    hidden = Disclosure.make(0, name)
    original = office.claims().to_payload(office.key.issuer).claims.get(name)

    def change(payload: dict[str, Any]) -> None:
        payload.pop(name, None)
        payload["_sd"] = [hidden.digest]
        if name == "iss":
            payload["iss"] = original

    assertion = office.sign(change, hide=False)
    refused(office.verify(f"{assertion}{hidden.encoded}~"), "disclosure-name-forbidden")


def test_disclosure_that_overwrites(office: Any) -> None:
    hidden = Disclosure.make("txn-2", "id")
    assertion = office.sign(lambda p: p["txn"].update(_sd=[hidden.digest]), hide=False)
    refused(office.verify(f"{assertion}{hidden.encoded}~"), "disclosure-name-taken")


@pytest.mark.parametrize("algorithm", ["sha-512", "md5", None, 7])
def test_other_digest(office: Any, algorithm: Any) -> None:
    assertion = office.sign_raw(lambda p: p.update(_sd_alg=algorithm))
    refused(office.verify(assertion), "digest-algorithm-not-allowed")


@pytest.mark.parametrize(
    "content", [["salt"], ["salt", "name", "value", "more"], {"a": 1}, "x", [1, "name", "v"]]
)
def test_disclosure_of_another_shape(office: Any, content: Any) -> None:
    encoded = b64url_encode(dump_json(content))
    refused(office.verify(f"{office.issue()}{encoded}~"), "assertion-malformed")


def test_array_digest_where_an_object_belongs(office: Any) -> None:
    hidden = Disclosure.make("x")
    assertion = office.sign(lambda p: p["txn"].update(_sd=[hidden.digest]), hide=False)
    refused(office.verify(f"{assertion}{hidden.encoded}~"), "assertion-malformed")
