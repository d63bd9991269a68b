"""What is withheld looks like a decoy: it must not be able to change the verdict for the better."""

from collections.abc import Callable
from typing import Any

import pytest

from api.assertions.disclosures import ALWAYS_VISIBLE, Disclosure
from api.assertions.jwk import to_jwk
from api.assertions.verification import Outcome

Payload = dict[str, Any]
Fails = Callable[..., None]


def at(payload: Payload, *path: str | int) -> Any:
    holder: Any = payload
    for step in path:
        holder = holder[step]
    return holder


def hide(payload: Payload, path: tuple[str | int, ...], name: str) -> Disclosure:
    """Put a claim behind a digest."""
    holder = at(payload, *path)
    hidden = Disclosure.make(holder.pop(name), name)
    holder.setdefault("_sd", []).append(hidden.digest)
    return hidden


def withheld(office: Any, *path: str | int, name: str) -> str:
    """Return an assertion with a claim that is hidden and not shown."""
    assertion: str = office.sign(lambda p: hide(p, path, name), hide=False)
    return assertion


def test_the_holders_key(office: Any, fails: Fails) -> None:
    """Without its claim no proof of possession would be asked for."""
    jwk = to_jwk(office.key.private_key.public_key())

    def change(payload: Payload) -> None:
        payload["cnf"] = {"jwk": jwk}
        hide(payload, (), "cnf")

    fails(office.verify(office.sign(change, hide=False)), "disclosure-withheld")


def test_the_status_list(office: Any, fails: Fails) -> None:
    def change(payload: Payload) -> None:
        payload["status"] = {"status_list": {"idx": 3, "uri": "urn:list"}}
        hide(payload, (), "status")

    fails(office.verify(office.sign(change, hide=False)), "disclosure-withheld")


@pytest.mark.parametrize("name", sorted(ALWAYS_VISIBLE - {"iss", "cnf", "status"}))
def test_claim_of_the_top(office: Any, fails: Fails, name: str) -> None:
    made: list[Disclosure] = []
    assertion = office.sign(lambda p: made.append(hide(p, (), name)), hide=False)
    fails(office.verify(assertion), "disclosure-withheld")
    fails(office.verify(f"{assertion}{made[0].encoded}~"), "disclosure-name-forbidden")


def test_one_of_the_documents(office: Any, fails: Fails) -> None:
    """It would stand for one document where the issuer bound two."""
    made: list[Disclosure] = []

    def change(payload: Payload) -> None:
        documents = payload["txn"]["documents"]
        made.append(Disclosure.make({**documents[0], "digest": "00" * 32}))
        documents.append({"...": made[0].digest})

    assertion = office.sign(change, hide=False)
    fails(office.verify(assertion), "disclosure-withheld")
    shown = office.verify(f"{assertion}{made[0].encoded}~")
    assert shown.reasons == ("document-missing",)


@pytest.mark.parametrize(
    "path",
    [
        ("pad", "methods"),
        ("iad", "checks"),
        ("verified_claims", "verification", "evidence"),
        ("verified_claims", "verification", "evidence", 0, "check_details"),
    ],
    ids=lambda path: ".".join(map(str, path)),
)
def test_adverse_finding(office: Any, fails: Fails, path: tuple[str | int, ...]) -> None:
    adverse = Disclosure.make({"id": "x", "version": "1", "kind": "passive", "result": "failed"})
    assertion = office.sign(lambda p: at(p, *path).append({"...": adverse.digest}), hide=False)
    fails(office.verify(assertion), "disclosure-withheld")
    assert office.verify(f"{assertion}{adverse.encoded}~").outcome is Outcome.FAILED


def test_officers_refusal(office: Any, fails: Fails) -> None:
    """At the level that asks for no officer it would look as if none had been asked."""

    def change(payload: Payload) -> None:
        payload["verified_claims"]["verification"]["assurance_level"] = "basic"
        payload["attendance"]["officer_decision"] = "refused"
        hide(payload, ("attendance",), "officer_decision")

    fails(office.verify(office.sign(change, hide=False)), "disclosure-withheld")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (("txn",), "id"),
        (("chip", "pa"), "crl_check"),
        (("chip",), "downgrade_check"),
        (("policy",), "id"),
        (("verified_claims", "verification"), "time"),
    ],
    ids=lambda given: ".".join(given) if isinstance(given, tuple) else given,
)
def test_claim_of_a_section(office: Any, fails: Fails, path: tuple[str, ...], name: str) -> None:
    fails(office.verify(withheld(office, *path, name=name)), "disclosure-withheld")


def test_decoy_where_nothing_is_hidden(office: Any, fails: Fails) -> None:
    """It cannot be told from a claim that is withheld."""
    decoy = Disclosure.make("nothing").digest
    fails(office.verify(office.sign(lambda p: p.update(_sd=[decoy]))), "disclosure-withheld")


def test_hidden_inside_what_is_disclosed(office: Any, fails: Fails) -> None:
    made: list[Disclosure] = []

    def change(payload: Payload) -> None:
        hide(payload, ("txn", "documents", 0), "media_type")
        made.append(hide(payload, ("txn",), "documents"))

    assertion = office.sign(change, hide=False)
    fails(office.verify(f"{assertion}{made[0].encoded}~"), "disclosure-withheld")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (("verified_claims", "claims"), "name"),
        (("verified_claims", "verification", "evidence", 0, "document_details"), "document_number"),
        (("face",), "score"),
        (("attendance",), "officer_ref"),
    ],
    ids=["person", "card", "score", "officer"],
)
def test_what_the_profile_lets_be_hidden(
    office: Any, path: tuple[str | int, ...], name: str
) -> None:
    assert office.verify(withheld(office, *path, name=name)).outcome is Outcome.PASSED


def test_parts_of_what_is_said_of_the_person(office: Any) -> None:
    """Part of an address, and one of several nationalities."""

    def change(payload: Payload) -> None:
        person = payload["verified_claims"]["claims"]
        person["residence"] = {"street": "12 Phố Mẫu", "city": "Thành phố Mẫu"}
        hide(payload, ("verified_claims", "claims", "residence"), "street")
        person["nationalities"] = ["VNM", {"...": Disclosure.make("XXA").digest}]

    verification = office.verify(office.sign(change, hide=False))
    assert verification.outcome is Outcome.PASSED
    person = verification.claims["verified_claims"]["claims"]
    assert person["residence"] == {"city": "Thành phố Mẫu"}
    assert person["nationalities"] == ["VNM"]
