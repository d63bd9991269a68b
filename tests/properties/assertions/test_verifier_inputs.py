"""Whatever lists and timestamps come beside an assertion, they are answered and never help it."""

import base64
import hashlib
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.assertions.crl_check import CrlUnusableError
from api.assertions.status_array import StatusArray
from api.assertions.status_list import Status, sign_status_list
from api.assertions.verification import CheckName, Outcome
from api.keys.revocation import Revocation, make_list
from tests.fixtures.office import AT, Office
from tests.fixtures.timestamp_authority import Ca, Tsa

URI = "urn:list"
shared = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
places = st.floats(0, 1, exclude_max=True)
values = st.integers(1, 255)


def changed(data: bytes, place: float, value: int) -> bytes:
    position = int(place * len(data))
    return data[:position] + bytes([data[position] ^ value]) + data[position + 1 :]


@pytest.fixture(scope="module")
def named(office: Office) -> str:
    reference = {"status_list": {"idx": 3, "uri": URI}}
    return office.sign(lambda payload: payload.update(status=reference))


@pytest.fixture(scope="module")
def revoking_list(office: Office) -> bytes:
    statuses = StatusArray.of_valid(64).set(3, Status.INVALID)
    token = sign_status_list(
        statuses, uri=URI, key=office.key, at=AT, expires_at=AT + timedelta(days=1), ttl_s=600
    )
    return token.encode()


@shared
@given(place=places, value=values)
def test_no_changed_byte_of_a_list_reinstates(
    office: Office, named: str, revoking_list: bytes, place: float, value: int
) -> None:
    assert office.verify(named, status_lists=[revoking_list]).reasons == ("revoked",)
    verification = office.verify(named, status_lists=[changed(revoking_list, place, value)])
    assert verification.outcome is not Outcome.PASSED


@shared
@given(junk=st.binary(max_size=300) | st.text(max_size=300))
def test_any_list_is_answered(office: Office, named: str, junk: str | bytes) -> None:
    verification = office.verify(named, status_lists=[junk])
    assert verification.outcome is Outcome.INDETERMINATE


@shared
@given(place=places, value=values)
def test_no_changed_byte_of_a_revocation_list_helps(
    office: Office, place: float, value: int
) -> None:
    leaf = x509.load_der_x509_certificate(base64.b64decode(office.key.x5c[0]))
    before = AT - timedelta(days=1)
    revoking = make_list(
        office.issuing_ca, before, days=30, add=[Revocation(leaf.serial_number, before)]
    )
    roots = make_list(office.root, before, days=30).public_bytes(Encoding.DER)
    der = revoking.public_bytes(Encoding.DER)
    assert office.verify(office.issue(), crls=[der, roots]).reasons == ("chain-revoked",)
    try:
        verification = office.verify(office.issue(), crls=[changed(der, place, value), roots])
    except CrlUnusableError:
        return
    assert verification.outcome is not Outcome.PASSED


@pytest.fixture(scope="module")
def stamped(office: Office, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes, bytes]:
    begin = AT - timedelta(days=30)
    root = Ca("Gốc", begin=begin)
    tsa = Tsa(tmp_path_factory.mktemp("tsa"), root=root, kind="rsa", begin=begin)
    assertion = office.issue()
    token = tsa.token_at(hashlib.sha256(assertion.encode()).digest(), AT)
    return assertion, token, root.pem


@settings(shared, max_examples=300)
@given(place=places, value=values)
def test_no_changed_byte_of_a_timestamp_moves_the_time(
    office: Office, stamped: tuple[str, bytes, bytes], place: float, value: int
) -> None:
    """What the signature does not cover may change, and then the time is the same."""
    assertion, token, root = stamped
    verification = office.verify(
        assertion,
        at=AT + timedelta(days=900),
        timestamp=changed(token, place, value),
        timestamp_roots=[root],
    )
    if verification.outcome is Outcome.PASSED:
        assert verification.judged_at == AT
    else:
        reasons = {check.name: check.reason for check in verification.checks}
        assert str(reasons[CheckName.TIMESTAMP]).startswith("timestamp-")


@shared
@given(junk=st.binary(max_size=300))
def test_any_timestamp_is_answered(
    office: Office, stamped: tuple[str, bytes, bytes], junk: bytes
) -> None:
    verification = office.verify(stamped[0], timestamp=junk, timestamp_roots=[stamped[2]])
    assert verification.reasons == ("timestamp-malformed",)
