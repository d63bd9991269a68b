"""Every forged, foreign, stale or hollow assertion is refused, each for its own reason."""

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from api.assertions import jws, sd_jwt
from api.assertions.crl_check import CrlUnusableError
from api.assertions.disclosures import Disclosure
from api.assertions.encoding import b64url_encode, dump_json
from api.assertions.errors import RootsUnusableError
from api.assertions.es256 import PrivateKeySigner
from api.assertions.jwk import to_jwk
from api.assertions.messages import LANGUAGES, load_messages
from api.assertions.seen import SeenAssertions
from api.assertions.verification import Outcome
from api.assertions.vocabulary import AssuranceLevel
from api.errors import InputUnusableError

Change = Callable[[dict[str, Any]], Any]


def refused(verification: Any, reason: str) -> None:
    assert verification.outcome is Outcome.FAILED
    assert verification.reasons == (reason,)
    assert verification.claims is None
    for language in LANGUAGES:
        assert reason in load_messages(language)["reason"]


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def with_header(assertion: str, signature: str | None = None, **header: Any) -> str:
    """Return the assertion under another header; without a signature it keeps the old one."""
    compact, rest = assertion.split("~", 1)
    _, payload, old_signature = compact.split(".")
    token = jws.parse(compact)
    changed = {k: v for k, v in {**token.header, **header}.items() if v is not None}
    parts = (b64url_encode(dump_json(changed)), payload)
    return ".".join([*parts, old_signature if signature is None else signature]) + "~" + rest


def test_the_specimen_itself_passes(office: Any) -> None:
    verification = office.verify(office.issue())
    assert verification.outcome is Outcome.PASSED
    assert verification.reasons == ()
    assert verification.claims["verified_claims"]["claims"]["name"] == "NGUYỄN THỊ MẪU"


# Step 1: format, algorithm, type, chain, signature


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


@pytest.mark.parametrize(
    "payload",
    [
        b'{"iss":"a","iss":"b"}',
        b'{"exp":NaN}',
        b'{"exp":1e999}',
        b'{"name":"\\ud800"}',
        b'{"name":"\xff"}',
        b"\xef\xbb\xbf{}",
        b"[]",
        b"7",
        b"",
        b"[" * 20_000,
        b'{"a":' * 30 + b"1" + b"}" * 30,
        b'{"n":' + b"9" * 5000 + b"}",
    ],
    ids=lambda b: b[:16].decode("latin-1"),
)
def test_payload_that_is_not_unambiguous_json(office: Any, payload: bytes) -> None:
    refused(office.verify(office.sign_bytes(payload) + "~"), "assertion-malformed")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda a: "",
        lambda a: "~",
        lambda a: "a.b.c",
        lambda a: a.split("~")[0],
        lambda a: a.rstrip("~"),
        lambda a: a + " ",
        lambda a: " " + a,
        lambda a: a.replace("~", "~~", 1),
        lambda a: a.replace(".", "..", 1),
        lambda a: a + "á",
        lambda a: a.encode() + b"\xff",
        lambda a: a.replace("~", "=~", 1),
        lambda a: a + "A" * 70_000,
        lambda a: a + "WyJhIiwgImIiLCAiYyJd~" * 200,
    ],
)
def test_not_an_sd_jwt(office: Any, spoil: Callable[[str], str | bytes]) -> None:
    verification = office.verify(spoil(office.issue()))
    assert verification.outcome is Outcome.FAILED
    assert verification.reasons in {("assertion-malformed",), ("key-binding-unexpected",)}


# Step 2: disclosures


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


# Step 3: time, audience, nonce, replay, key binding


@pytest.mark.parametrize("minutes", [17, 60, 24 * 60])
def test_expired(office: Any, minutes: int) -> None:
    verification = office.verify(office.issue(), at=office.at + timedelta(minutes=minutes))
    refused(verification, "expired")


@pytest.mark.parametrize("seconds", [0, 59, 15 * 60 + 59])
def test_within_skew(office: Any, seconds: int) -> None:
    verification = office.verify(office.issue(), at=office.at + timedelta(seconds=seconds))
    assert verification.outcome is Outcome.PASSED


def test_not_yet_valid(office: Any) -> None:
    later = int(office.at.timestamp()) + 600
    refused(office.verify(office.sign(lambda p: p.update(nbf=later))), "not-yet-valid")


def test_issued_in_future(office: Any) -> None:
    later = int(office.at.timestamp()) + 600
    refused(office.verify(office.sign(lambda p: p.update(iat=later))), "issued-in-future")


def test_lives_too_long(office: Any) -> None:
    later = int(office.at.timestamp()) + 86_401
    refused(office.verify(office.sign(lambda p: p.update(exp=later))), "lifetime-too-long")


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", [None, "1795230000", 1.5, True])
def test_time_that_is_none(office: Any, claim: str, value: Any) -> None:
    refused(office.verify(office.sign(lambda p: p.update({claim: value}))), "validity-missing")


@pytest.mark.parametrize(
    "audience", ["van-phong-cong-chung-8", "VAN-PHONG-CONG-CHUNG-7", "vănphòng"]
)
def test_other_audience(office: Any, audience: str) -> None:
    refused(office.verify(office.issue(), audience=audience), "audience-mismatch")


def test_several_audiences(office: Any) -> None:
    assertion = office.sign(lambda p: p.update(aud=[p["aud"], "someone-else"]))
    refused(office.verify(assertion), "audience-mismatch")


def test_other_nonce(office: Any) -> None:
    refused(office.verify(office.issue(), nonce="n-another"), "nonce-mismatch")


def test_replayed(office: Any) -> None:
    seen: set[str] = set()
    assertion = office.issue()
    first = office.verify(assertion, seen_jti=seen)
    assert first.outcome is Outcome.PASSED
    seen.add(first.claims["jti"])
    refused(office.verify(assertion, seen_jti=seen), "assertion-replayed")


def test_replayed_by_who_tells_issuers_apart(office: Any, tmp_path: Path) -> None:
    assertion = office.issue()
    with SeenAssertions(tmp_path / "accepted.db") as seen:
        jti = office.verify(assertion).claims["jti"]
        seen.add("https://another.example", jti)
        first = office.verify(assertion, seen_jti=seen)
        assert first.outcome is Outcome.PASSED
        seen.add(first.claims["iss"], jti)
        refused(office.verify(assertion, seen_jti=seen), "assertion-replayed")


def _types(given: dict[str, Any]) -> str:
    """Name a case by types: an iterator's address differs from worker to worker."""
    return " ".join(f"{name}: {type(value).__name__}" for name, value in given.items())


@pytest.mark.parametrize(
    "given",
    [
        {"seen_jti": "a, b"},
        {"seen_jti": b"a"},
        {"policy_digests": "7a" * 40},
        {"documents": b"a document"},
        {"documents": ["a document"]},
        {"documents": None},
        {"documents": [None]},
        {"documents": 7},
        {"seen_jti": 7},
        {"seen_jti": iter(["an identifier"])},
        {"policy_digests": 7},
        {"policy_digests": iter(["7a" * 32])},
        {"policies": [b"a policy"]},
        {"policies": 7},
        {"audience": 7},
        {"audience": ["notary-7"]},
        {"nonce": b"n-1"},
        {"at": "2026-11-21T03:00:00Z"},
        {"at": date(2026, 11, 21)},
        {"minimum_level": "basic"},
        {"status_lists": b"a list"},
        {"status_lists": "a list"},
        {"status_lists": 7},
        {"status_lists": [7]},
        {"status_lists": [None]},
        {"timestamp": 7, "timestamp_roots": ()},
        {"timestamp": "a token"},
    ],
    ids=_types,
)
def test_what_is_given_in_another_type_is_not_passed_over(
    office: Any, given: dict[str, Any]
) -> None:
    with pytest.raises(InputUnusableError):
        office.verify(office.issue(), **given)


@pytest.mark.parametrize(
    "given",
    [
        {"roots": None},
        {"roots": 7},
        {"roots": iter([b"a root"])},
        {"timestamp_roots": 7},
        {"timestamp_roots": [None]},
        {"crls": 7},
    ],
    ids=_types,
)
def test_certificates_and_lists_in_another_type(office: Any, given: dict[str, Any]) -> None:
    with pytest.raises((RootsUnusableError, CrlUnusableError)):
        office.verify(office.issue(), **given)


@pytest.mark.parametrize("given", [None, 7, ["a~"], {"a": "~"}, bytearray(b"a.b.c~"), object()])
def test_something_else_than_text_or_bytes(office: Any, given: Any) -> None:
    refused(office.verify(given), "assertion-malformed")


def test_without_id(office: Any) -> None:
    refused(office.verify(office.sign(lambda p: p.pop("jti"))), "assertion-id-missing")


def test_key_binding_missing(office: Any) -> None:
    refused(office.verify(office.bound(new_key())), "key-binding-missing")


def test_key_binding_by_another_key(office: Any) -> None:
    assertion = office.bound(new_key())
    proof = office.prove(assertion, new_key())
    refused(office.verify(assertion + proof), "key-binding-invalid")


def test_key_binding_over_other_disclosures(office: Any) -> None:
    holder = new_key()
    assertion = office.bound(holder)
    fewer = sd_jwt.present(assertion, [("face", "score")])
    refused(office.verify(fewer + office.prove(assertion, holder)), "key-binding-invalid")


@pytest.mark.parametrize("issued_at", [10**400, -(10**400), 1.5, True, None])
def test_key_binding_of_no_time(office: Any, issued_at: Any) -> None:
    """The holder signs what he likes; it is answered."""
    holder = new_key()
    assertion = office.bound(holder)
    claims = jws.parse(office.prove(assertion, holder)).payload | {"iat": issued_at}
    proof = jws.sign({"typ": "kb+jwt"}, claims, PrivateKeySigner(holder))
    refused(office.verify(assertion + proof), "key-binding-invalid")


@pytest.mark.parametrize(
    "times",
    [{"exp": -61}, {"nbf": 61}, {"exp": None}, {"nbf": 0.5}, {"exp": True}, {"iat": -961}],
    ids=str,
)
def test_key_binding_of_another_time(office: Any, times: dict[str, Any]) -> None:
    """RFC 9901 §7.3: what a JWT says of its own validity holds here too."""
    holder = new_key()
    assertion = office.bound(holder)
    proof = jws.parse(office.prove(assertion, holder)).payload
    now = int(office.at.timestamp())
    changed = {n: now + t if type(t) is int else t for n, t in times.items()}
    forged = jws.sign({"typ": "kb+jwt"}, proof | changed, PrivateKeySigner(holder))
    refused(office.verify(assertion + forged), "key-binding-invalid")
    in_time = proof | {"exp": now + 60, "nbf": now}
    good = jws.sign({"typ": "kb+jwt"}, in_time, PrivateKeySigner(holder))
    assert office.verify(assertion + good).outcome is Outcome.PASSED


def test_key_binding_that_holds(office: Any) -> None:
    holder = new_key()
    assertion = office.bound(holder)
    verification = office.verify(assertion + office.prove(assertion, holder))
    assert verification.outcome is Outcome.PASSED


def test_key_binding_for_a_key_that_is_not_named(office: Any) -> None:
    assertion = office.issue()
    proof = office.prove(assertion, new_key())
    refused(office.verify(assertion + proof), "key-binding-unexpected")


# Step 4: type, policy, documents, checks, level


@pytest.mark.parametrize("vct", ["urn:chinhchu:vct:identity-proofing:2", "", None])
def test_other_credential_type(office: Any, vct: Any) -> None:
    refused(office.verify(office.sign(lambda p: p.update(vct=vct))), "vct-unknown")


def test_other_type_metadata(office: Any) -> None:
    change: Change = lambda p: p.update({"vct#integrity": "sha256-AAAA"})  # noqa: E731
    refused(office.verify(office.sign(change)), "vct-unknown")


def test_other_policy(office: Any) -> None:
    known = hashlib.sha256(b"the catalogue's file").hexdigest()
    refused(office.verify(office.issue(), policy_digests={known}), "policy-unknown")
    assert office.verify(office.issue(), policy_digests={"7a" * 32}).outcome is Outcome.PASSED


def test_document_changed(office: Any) -> None:
    changed = office.document.replace(b"1.7", b"1.6")
    refused(office.verify(office.issue(), documents=[changed]), "document-changed")


def test_document_added(office: Any) -> None:
    refused(
        office.verify(office.issue(), documents=[office.document, b"another"]), "document-changed"
    )


def not_ok(section: str, *path: str, value: str = "failed") -> Change:
    def change(payload: dict[str, Any]) -> None:
        target = payload[section]
        for step in path[:-1]:
            target = target[step]
        target[path[-1]] = value

    return change


def evidence_of(payload: dict[str, Any]) -> list[dict[str, Any]]:
    evidence: list[dict[str, Any]] = payload["verified_claims"]["verification"]["evidence"]
    return evidence


HOLLOW: dict[str, Change] = {
    "chip.pa": not_ok("chip", "pa", "result"),
    "chip.pa-not-performed": not_ok("chip", "pa", "result", value="not_performed"),
    "chip.pa-boolean": lambda p: p["chip"]["pa"].update(result=True),
    "chip.revoked": not_ok("chip", "pa", "crl_check"),
    "chip.absent": lambda p: p.pop("chip"),
    "chip.clone": not_ok("chip", "clone", "result"),
    "chip.clone-challenge-boolean": lambda p: p["chip"]["clone"].update(server_challenge=True),
    "chip.clone-without-challenge": lambda p: p["chip"]["clone"].pop("server_challenge"),
    "chip.no-portrait-verified": lambda p: p["chip"].update(dg_verified=[1, 13]),
    "face": not_ok("face", "result"),
    "face.absent": lambda p: p.pop("face"),
    "pad": not_ok("pad", "result"),
    "pad.no-methods": lambda p: p["pad"].update(methods=[]),
    "pad.passive-only": lambda p: p["pad"].update(methods=p["pad"]["methods"][1:]),
    "pad.passive-suspects": lambda p: p["pad"]["methods"][1].update(result="failed"),
    "pad.method-of-no-kind-suspects": lambda p: p["pad"]["methods"].append(
        {"id": "x", "version": "1", "kind": "other", "result": "failed"}
    ),
    "pad.method-boolean": lambda p: p["pad"]["methods"][0].update(result=True),
    "seal-broken": not_ok("attendance", "kiosk_seal"),
    "evidence.absent": lambda p: p["verified_claims"]["verification"].pop("evidence"),
    "evidence.empty": lambda p: evidence_of(p).clear(),
    "evidence.no-document": lambda p: evidence_of(p)[0].update(type="electronic_record"),
    "evidence.failed": lambda p: evidence_of(p)[0]["check_details"][1].update(result="failed"),
    "evidence.boolean": lambda p: evidence_of(p)[0]["check_details"][0].update(result=True),
    "evidence.not-checked": lambda p: evidence_of(p)[0].update(check_details=[]),
    "evidence.authority-disagreed": lambda p: evidence_of(p).append(
        {"type": "electronic_record", "check_details": [{"result": "failed"}]}
    ),
    "policy.absent": lambda p: p.pop("policy"),
    "policy.digest-empty": lambda p: p["policy"].update(digest=""),
    "officer-refused": not_ok("attendance", "officer_decision", value="refused"),
}


@pytest.mark.parametrize("change", HOLLOW.values(), ids=HOLLOW)
def test_session_without_a_mandatory_check(office: Any, change: Change) -> None:
    verification = office.verify(office.sign(change, hide=False))
    assert verification.outcome is Outcome.FAILED
    assert verification.reasons[0] == "mandatory-check-not-ok"
    assert set(verification.reasons[1:]) <= {"level-exceeds-checks"}


@pytest.mark.parametrize("documents", [[], None, [{"alg": "md5", "digest": "00"}], "x"])
def test_without_documents(office: Any, documents: Any) -> None:
    verification = office.verify(office.sign(lambda p: p["txn"].update(documents=documents)))
    refused(verification, "mandatory-check-not-ok")


@pytest.mark.parametrize(
    "change",
    [
        not_ok("chip", "pa", "crl_check", value="not_performed"),
        not_ok("chip", "downgrade_check"),
        not_ok("iad", "capture", value="browser"),
        lambda p: p["iad"].pop("agent_key"),
        lambda p: p["iad"].update(agent_key=True),
        lambda p: p["iad"]["checks"][0].update(result="failed"),
        lambda p: p["iad"]["checks"][0].update(result=True),
        lambda p: p["iad"].update(checks=[]),
        lambda p: p.pop("iad"),
        not_ok("attendance", "mode", value="attended_offline"),
        not_ok("attendance", "officer_decision", value="not_asked"),
        lambda p: p["face"].update(fmr_at_threshold=1e-3),
        lambda p: p["face"].update(fmr_at_threshold=0),
        lambda p: p["face"].update(fmr_at_threshold=True),
        lambda p: p["face"].update(fmr_at_threshold=10**400),
        lambda p: p["face"].pop("fmr_at_threshold"),
        lambda p: p["pad"].update(methods=p["pad"]["methods"][:1]),
    ],
)
def test_level_that_the_checks_do_not_carry(office: Any, change: Change) -> None:
    refused(office.verify(office.sign(change, hide=False)), "level-exceeds-checks")


@pytest.mark.parametrize("level", ["very high", None, "HIGH", 3])
def test_level_that_is_none(office: Any, level: Any) -> None:
    verification = office.verify(
        office.sign(lambda p: p["verified_claims"]["verification"].update(assurance_level=level))
    )
    refused(verification, "level-unknown")


def test_level_below_what_is_demanded(office: Any) -> None:
    assertion = office.sign(
        lambda p: p["verified_claims"]["verification"].update(assurance_level="basic")
    )
    assert office.verify(assertion).outcome is Outcome.PASSED
    refused(
        office.verify(assertion, minimum_level=AssuranceLevel.SUBSTANTIAL), "level-below-minimum"
    )


# What is not given is not checked, and that is never a pass.


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ({"audience": None}, "audience-not-given"),
        ({"audience": ""}, "audience-not-given"),
        ({"nonce": None}, "nonce-not-given"),
        ({"nonce": ""}, "nonce-not-given"),
        ({"documents": []}, "document-missing"),
    ],
)
def test_not_given_is_indeterminate(office: Any, missing: dict[str, Any], reason: str) -> None:
    verification = office.verify(office.issue(), **missing)
    assert verification.outcome is Outcome.INDETERMINATE
    assert verification.reasons == (reason,)


def test_what_was_asked_in_no_encoding(office: Any) -> None:
    """An argument of the command line that is not UTF-8 comes as lone surrogates."""
    refused(office.verify(office.issue(), audience="notary-\udcff"), "audience-mismatch")
    refused(office.verify(office.issue(), nonce="\udcff"), "nonce-mismatch")


def test_roots_that_are_none_are_not_passed_over(office: Any) -> None:
    for given in (office.root_pem, [office.root_pem, "root.pem"], [bytearray(office.root_pem)]):
        with pytest.raises(RootsUnusableError):
            office.verify(office.issue(), roots=given)


def test_one_of_two_documents_is_indeterminate(office: Any) -> None:
    assertion = office.issue(txn=office.transaction(b"one", b"two"))
    verification = office.verify(assertion, documents=[b"two"])
    assert verification.outcome is Outcome.INDETERMINATE
    assert verification.reasons == ("document-missing",)
    assert office.verify(assertion, documents=[b"two", b"one"]).outcome is Outcome.PASSED


def test_status_list_that_cannot_be_checked_is_indeterminate(office: Any) -> None:
    verification = office.verify(
        office.sign(lambda p: p.update(status={"status_list": {"idx": 3, "uri": "https://s"}}))
    )
    assert verification.outcome is Outcome.INDETERMINATE
    assert verification.reasons == ("status-unknown",)
