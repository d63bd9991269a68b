"""Status List Tokens: what a good one tells, and why each bad one tells nothing."""

import base64
import zlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509

from api.assertions import jws, sd_jwt
from api.assertions.chain import load_roots
from api.assertions.encoding import b64url_encode
from api.assertions.status_list import (
    Status,
    StatusArray,
    StatusReference,
    VerifiedStatusList,
    sign_status_list,
    verify_status,
    verify_status_list,
)
from api.errors import ApiError
from api.keys.revocation import Revocation, make_list

URI = "https://proofing.example/v1/status-lists/1"
ISSUER = "https://chinhchu.example"
STATUSES = StatusArray.of_valid(64).changed({3: Status.INVALID, 5: Status.SUSPENDED, 7: 3})


def token(office: Any, **changes: Any) -> str:
    at = office.at
    given: dict[str, Any] = {
        "uri": URI,
        "key": office.key,
        "at": at,
        "expires_at": at + timedelta(days=1),
        "ttl_s": 3600,
    }
    return sign_status_list(STATUSES, **{**given, **changes})


def read(office: Any, text: str | bytes, **changes: Any) -> VerifiedStatusList:
    given: dict[str, Any] = {
        "uri": URI,
        "roots": load_roots(office.root_pem),
        "issuer": ISSUER,
        "at": office.at,
    }
    return verify_status_list(text, **{**given, **changes})


def refused(call: Callable[[], Any]) -> tuple[str, str]:
    """Return the code of a refusal, and that of its cause."""
    with pytest.raises(ApiError) as error:
        call()
    return error.value.code, getattr(error.value, "cause_code", "")


def altered(office: Any, change: Callable[[dict[str, Any]], Any], **header: Any) -> str:
    """Sign a token with changed claims."""
    claims = jws.parse(token(office)).payload
    change(claims)
    return jws.sign(
        {"typ": "statuslist+jwt", "x5c": list(office.key.x5c), **header}, claims, office.key
    )


def test_each_place_has_its_status(office: Any) -> None:
    verified = read(office, token(office))
    assert [verified.status(idx) for idx in (0, 3, 5, 63)] == [0, 1, 2, 0]
    assert verified.status(3) is Status.INVALID
    assert verified.issued_at == office.at
    assert verified.stale_at == office.at + timedelta(hours=1)
    reference = StatusReference(5, URI)
    roots = load_roots(office.root_pem)
    status = verify_status(token(office), reference, roots=roots, issuer=ISSUER, at=office.at)
    assert status is Status.SUSPENDED
    assert read(office, token(office).encode() + b"\n").uri == URI


@pytest.mark.parametrize("idx", [64, 10**30, -1])
def test_index_beyond_the_list_has_no_status(office: Any, idx: int) -> None:
    verified = read(office, token(office))
    assert refused(lambda: verified.status(idx)) == ("status-index-out-of-range", "")


def test_status_of_another_profile_is_not_guessed(office: Any) -> None:
    verified = read(office, token(office))
    assert refused(lambda: verified.status(7)) == ("status-value-unknown", "")


def test_another_subject_is_another_list(office: Any) -> None:
    other = token(office, uri=f"{URI}2")
    assert refused(lambda: read(office, other)) == ("status-list-other-subject", "")


@pytest.mark.parametrize(
    ("later", "claims", "reason"),
    [
        (timedelta(hours=1, seconds=59), {}, None),
        (timedelta(hours=1, seconds=60), {}, "status-list-stale"),
        (timedelta(hours=2), {"ttl": 10**6}, None),
        (timedelta(days=1, seconds=60), {"ttl": 10**6}, "status-list-stale"),
        (timedelta(days=2), {"ttl": None, "exp": None}, "status-list-malformed"),
        (timedelta(seconds=-60), {}, None),
        (timedelta(seconds=-61), {}, "status-list-not-yet-valid"),
        (timedelta(hours=2), {"ttl": None}, None),
        (timedelta(hours=2), {"exp": None}, "status-list-stale"),
    ],
)
def test_list_is_fresh_or_says_nothing(
    office: Any, later: timedelta, claims: dict[str, Any], reason: str | None
) -> None:
    def change(payload: dict[str, Any]) -> None:
        payload.update({name: value for name, value in claims.items() if value is not None})
        for name, value in claims.items():
            if value is None:
                del payload[name]

    text = altered(office, change)
    if reason is None:
        assert read(office, text, at=office.at + later)
    else:
        assert refused(lambda: read(office, text, at=office.at + later)) == (reason, "")


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.pop("status_list"),
        lambda p: p.pop("iat"),
        lambda p: p.update(iat="1"),
        lambda p: p.update(iat=True),
        lambda p: p.update(exp=1.5),
        lambda p: (p.pop("ttl"), p.update(exp=10**18)),
        lambda p: p.update(ttl=0),
        lambda p: p.update(ttl=-5),
        lambda p: p.update(ttl="3600"),
        lambda p: p["status_list"].update(bits=3),
        lambda p: p["status_list"].update(bits=True),
        lambda p: p["status_list"].update(bits="2"),
        lambda p: p["status_list"].pop("bits"),
        lambda p: p["status_list"].update(lst=7),
        lambda p: p["status_list"].update(lst="eNo76fITAAPfAgc="),
        lambda p: p["status_list"].update(lst=""),
        lambda p: p["status_list"].update(lst=b64url_encode(b"not zlib")),
        lambda p: p["status_list"].update(lst=b64url_encode(zlib.compress(b""))),
        lambda p: p["status_list"].update(lst=b64url_encode(zlib.compress(b"12345")[:-1])),
        lambda p: p["status_list"].update(lst=b64url_encode(zlib.compress(b"12345") + b"x")),
        lambda p: p.update(status_list=[]),
    ],
)
def test_malformed_claims_say_nothing(office: Any, change: Callable[[dict[str, Any]], Any]) -> None:
    text = altered(office, change)
    assert refused(lambda: read(office, text)) == ("status-list-malformed", "")


@pytest.mark.parametrize("text", ["", ".", "a.b.c", "é", b"\xff\xfe", "e30.e30.AAAA"])
def test_something_else_is_no_token(office: Any, text: str | bytes) -> None:
    code, _ = refused(lambda: read(office, text))
    assert code in ("status-list-malformed", "status-list-untrusted")


def test_who_signed_it_matters(office: Any, other_office: Any) -> None:
    good = token(office)
    head, body, signature = good.split(".")
    flipped = base64.urlsafe_b64decode(signature + "==")
    broken = b64url_encode(bytes([flipped[0] ^ 1]) + flipped[1:])
    cases = {
        "signature-invalid": f"{head}.{body}.{broken}",
        "chain-unpinned-root": token(office, key=other_office.key),
        "type-not-allowed": altered(office, lambda p: None, typ="dc+sd-jwt"),
        "key-usage-missing": token(office, key=office.flawed_leaf("no-purpose")),
        "issuer-mismatch": altered(office, lambda p: p.update(iss="https://other.example")),
    }
    for cause, text in cases.items():
        assert refused(lambda text=text: read(office, text)) == ("status-list-untrusted", cause)
    assert refused(lambda: read(office, good, issuer="https://other.example")) == (
        "status-list-untrusted",
        "issuer-mismatch",
    )
    expired = office.at + timedelta(days=200)
    # Its leaf has expired with it, and still it is the issuer's list, only too old.
    assert refused(lambda: read(office, good, at=expired)) == ("status-list-stale", "")
    until_then = altered(office, lambda p: p.update(exp=int(expired.timestamp()) + 1, ttl=None))
    assert refused(lambda: read(office, until_then, at=expired)) == (
        "status-list-untrusted",
        "chain-expired",
    )


@pytest.mark.parametrize("alg", ["none", "HS256", "ES384", None])
def test_only_one_algorithm_counts(office: Any, alg: str | None) -> None:
    text = altered(office, lambda p: None, alg=alg)
    assert refused(lambda: read(office, text)) == (
        "status-list-untrusted",
        "algorithm-not-allowed",
    )


def test_a_list_without_iss_is_the_leafs(office: Any) -> None:
    assert read(office, altered(office, lambda p: p.pop("iss"))).status(3) is Status.INVALID


@pytest.mark.parametrize(
    "status",
    [
        None,
        [],
        {},
        {"status_list": None},
        {"status_list": {"idx": 1}},
        {"status_list": {"uri": URI}},
        {"status_list": {"idx": "1", "uri": URI}},
        {"status_list": {"idx": True, "uri": URI}},
        {"status_list": {"idx": -1, "uri": URI}},
        {"status_list": {"idx": 1, "uri": ""}},
        {"status_list": {"idx": 1, "uri": 7}},
    ],
)
def test_a_reference_names_a_place_or_is_malformed(status: Any) -> None:
    with pytest.raises(ApiError) as error:
        StatusReference.from_payload({"status": status})
    assert error.value.code == "status-reference-malformed"


def test_reference_is_what_the_claim_says() -> None:
    reference = StatusReference(9, URI)
    assert StatusReference.from_payload({"status": reference.to_claim()}) == reference
    assert StatusReference.from_payload({"iss": ISSUER}) is None
    assert reference.to_claim() == {"status_list": {"idx": 9, "uri": URI}}


def test_assertion_names_its_place_always_visible(office: Any) -> None:
    assertion = office.issue(status=StatusReference(9, URI))
    payload = sd_jwt.parse(assertion).issued.payload
    assert payload["status"] == {"status_list": {"idx": 9, "uri": URI}}
    assert "status" not in sd_jwt.parse(office.issue()).issued.payload


def test_what_a_revoked_key_signed_is_not_believed(office: Any) -> None:
    """Whoever stole a leaf's key would sign lists in which nothing is revoked."""
    begin = office.at - timedelta(hours=1)
    root = make_list(office.root, begin, days=30)
    clean = make_list(office.issuing_ca, begin, days=30)
    text = token(office)
    assert read(office, text, crls=[root, clean]).status(3) is Status.INVALID
    serial = x509.load_der_x509_certificate(base64.b64decode(office.key.x5c[0])).serial_number
    entry = Revocation(serial, office.at, "key-compromise")
    revoked = make_list(office.issuing_ca, begin, days=30, previous=clean, add=[entry])
    for crls, cause in (
        ([root, revoked], "chain-revoked"),
        ([root], "crl-missing"),
        ([root, make_list(office.issuing_ca, begin - timedelta(days=40), days=30)], "crl-stale"),
    ):
        assert refused(lambda crls=crls: read(office, text, crls=crls)) == (
            "status-list-untrusted",
            cause,
        )
    # In the verifier: the signature of another leaf's assertion holds, its status is unknown.
    other = office.key_of(office.leaf())
    claims = office.claims(status=StatusReference(0, URI))
    judged = office.verify(sd_jwt.issue(claims, other), status_lists=[text], crls=[root, revoked])
    assert (judged.outcome, judged.reasons) == ("INDETERMINATE", ("status-list-untrusted",))
    judged = office.verify(sd_jwt.issue(claims, other), status_lists=[text], crls=[root, clean])
    assert judged.outcome == "PASSED"
