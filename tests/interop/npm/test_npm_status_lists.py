"""npm's status lists and ours: each reads the other's, and what it does not see we refuse."""

import random
from typing import Any

import pytest

from api.assertions.chain import load_roots
from api.assertions.status_array import StatusArray
from api.assertions.status_list import verify_status_list
from api.assertions.verification import Outcome
from benchmarks.peers.npm import Npm
from tests.fixtures.office import AT, ISSUER, Office
from tests.interop.npm.alterations import ACCEPTED
from tests.interop.npm.conftest import RelyingParty
from tests.interop.npm.status_alterations import (
    DAY_S,
    IDX,
    SIZE,
    STATUS_ALTERATIONS,
    URI,
    StatusAlteration,
    made_valid_again,
    reference,
    status_list,
)
from tests.interop.npm.test_npm_makes_assertions import private_jwk
from tests.interop.npm.test_npm_verifies_assertions import rows_of_the_page


def our_verdict(office: Office, token: str, idx: int = IDX) -> str:
    verification = office.verify(with_status(office, idx), status_lists=[token])
    if verification.outcome is Outcome.PASSED:
        return "valid"
    (reason,) = verification.reasons
    return reason


def with_status(office: Office, idx: int = IDX) -> str:
    return office.sign(lambda p: p.update(status=reference(idx).to_claim()))


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_npm_reads_our_array(npm: Npm, office: Office, bits: int) -> None:
    draw = random.Random(bits)
    values = {i: draw.randrange(2**bits) for i in range(SIZE)}
    token = status_list(office, StatusArray.of_valid(SIZE, bits).changed(values))
    read = npm.call("statusList", "read", token=token, indices=list(range(SIZE)))
    assert read["bits"] == bits
    assert read["length"] == SIZE
    assert read["statuses"] == list(values.values())


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_we_read_npms_list(npm: Npm, office: Office, bits: int) -> None:
    draw = random.Random(bits)
    values = [draw.randrange(min(2**bits, 3)) for _ in range(SIZE)]
    at = int(AT.timestamp())
    token = npm.call(
        "statusList",
        "issue",
        statuses=values,
        bits=bits,
        claims={"iss": ISSUER, "sub": URI, "iat": at, "exp": at + DAY_S, "ttl": DAY_S},
        header={"alg": "ES256", "x5c": office.key.x5c},
        jwk=private_jwk(office.key.private_key),
    )
    verified = verify_status_list(
        token, uri=URI, roots=load_roots(office.root_pem), issuer=ISSUER, at=AT
    )
    assert [verified.status(i) for i in range(SIZE)] == values


def test_valid(office: Office, relying_party: RelyingParty) -> None:
    token = status_list(office)
    assert our_verdict(office, token) == "valid"
    assert relying_party.sd_jwt_vc(with_status(office), statusList=token)
    read = relying_party.jose(token, typ="statuslist+jwt", audience=None)
    assert read["payload"]["sub"] == URI


def test_jose_refuses_another_array(office: Office, relying_party: RelyingParty) -> None:
    for token in (made_valid_again(office), status_list(office, typ="JWT")):
        assert not relying_party.accepts("jose", token, typ="statuslist+jwt", audience=None)


def test_without_a_list(office: Office, relying_party: RelyingParty) -> None:
    assert not relying_party.accepts("sd_jwt_vc", with_status(office))


def test_list_of_an_issuer_whom_nobody_pinned(
    office: Office, other_office: Office, relying_party: RelyingParty
) -> None:
    token = status_list(other_office)
    assert our_verdict(office, token) == "status-list-untrusted"
    assert not relying_party.accepts("sd_jwt_vc", with_status(office), statusList=token)


@pytest.mark.parametrize("altered", STATUS_ALTERATIONS, ids=lambda a: a.what)
def test_altered(office: Office, relying_party: RelyingParty, altered: StatusAlteration) -> None:
    token = altered.make(office)
    assert our_verdict(office, token, altered.idx) == altered.reason
    assertion = with_status(office, altered.idx)
    taken = relying_party.accepts("sd_jwt_vc", assertion, statusList=token)
    assert taken is (altered.sd_jwt_vc == ACCEPTED)


def test_the_page_has_these_verdicts() -> None:
    rows: dict[str, Any] = rows_of_the_page()
    for a in STATUS_ALTERATIONS:
        assert rows.get(a.what) == (f"`{a.reason}`", a.sd_jwt_vc), a.what
