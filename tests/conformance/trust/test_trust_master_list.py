"""The German master list of 2026-05-28: all 588 certificates, and nothing that was altered.

Data: `chip/masterlists` of the test data. Source: ICAO Doc 9303-12, 8.
"""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import x509

from devices.emrtd.crypto.public_keys import EcKey
from devices.emrtd.errors import AuthenticationRefusedError
from devices.emrtd.trust.certificates import Certificate, parse_certificate
from devices.emrtd.trust.master_list import VerifiedMasterList, verify_master_list
from devices.emrtd.trust.trust_import import ImportOutcome, import_objects
from devices.emrtd.trust.trust_status import unusable_reason
from devices.emrtd.trust.trust_store import TrustStore
from devices.errors import DeviceError
from tests.fixtures.trust_pki import authority

AT = datetime(2026, 11, 22, tzinfo=UTC)
NAME = "DE_ML_2026-05-28-08-28-45.ml"


@pytest.fixture(scope="module")
def folder(test_data: Path) -> Path:
    return test_data / "chip/masterlists"


@pytest.fixture(scope="module")
def data(folder: Path) -> bytes:
    return (folder / NAME).read_bytes()


@pytest.fixture(scope="module")
def root(folder: Path) -> Certificate:
    return parse_certificate((folder / "DE_ROOT_CA_CSCA07.cer").read_bytes())


@pytest.fixture(scope="module")
def master_list(data: bytes, root: Certificate) -> VerifiedMasterList:
    return verify_master_list(data, root, at=AT)


def test_all_certificates_load_and_their_keys(master_list: VerifiedMasterList) -> None:
    assert (len(master_list.certificates), master_list.malformed) == (588, ())
    assert len({c.sha256 for c in master_list.certificates}) == 588
    for certificate in master_list.certificates:
        assert certificate.public_key
        assert certificate.signature_algorithm
    explicit = [c for c in master_list.certificates if isinstance(c.public_key, EcKey)]
    assert len(explicit) == 164


def test_the_reader_agrees_with_asn1crypto(master_list: VerifiedMasterList) -> None:
    for certificate in master_list.certificates:
        other = x509.Certificate.load(certificate.der)
        extensions = certificate.extensions
        usage, constraints = other.key_usage_value, other.basic_constraints_value
        assert certificate.serial_number == other.serial_number
        assert certificate.not_before == other.not_valid_before
        assert certificate.not_after == other.not_valid_after
        assert extensions.subject_key_identifier == other.key_identifier
        assert extensions.authority_key_identifier == other.authority_key_identifier
        assert extensions.key_usage == (usage and frozenset(usage.native))
        assert extensions.is_ca == bool(constraints and constraints["ca"].native)
        assert certificate.is_self_issued == (other.issuer.hashable == other.subject.hashable)
        assert certificate.country == other.subject.native["country_name"].upper()


def test_the_vietnamese_authority_is_among_them(master_list: VerifiedMasterList) -> None:
    (vietnamese,) = (c for c in master_list.certificates if c.country == "VN")
    assert isinstance(vietnamese.public_key, EcKey)
    assert vietnamese.public_key.curve.name == "brainpoolP512r1"
    assert vietnamese.is_self_signed


def test_every_certificate_is_usable_or_says_why_not(data: bytes, root: Certificate) -> None:
    store, entries = import_objects(TrustStore(), [(NAME, data)], root=root, pin=False, at=AT)
    assert {entry.outcome for entry in entries} == {ImportOutcome.NEW}
    anchors = store.anchors
    reasons = {c.sha256: unusable_reason(c, anchors, AT) for c in anchors.certificates}
    unusable = [reason for reason in reasons.values() if reason is not None]
    assert len(reasons) == 588
    assert len(unusable) < 50
    assert set(unusable) <= {"csca-expired", "csca-key-usage", "csca-unknown", "dsc-expired"}
    again, entries = import_objects(store, [(NAME, data)], root=root, pin=False, at=AT)
    assert {entry.outcome for entry in entries} == {ImportOutcome.UNCHANGED}
    assert again.anchors.digest == anchors.digest


def test_another_root(data: bytes) -> None:
    with pytest.raises(AuthenticationRefusedError) as refusal:
        verify_master_list(data, authority(country="DE").certificate, at=AT)
    assert refusal.value.reason == "master-list-root-mismatch"


def test_a_root_that_is_no_authority(data: bytes, master_list: VerifiedMasterList) -> None:
    with pytest.raises(AuthenticationRefusedError) as refusal:
        verify_master_list(data, master_list.signer, at=AT)
    assert refusal.value.reason == "master-list-root-unusable"


def test_signer_not_valid_yet(data: bytes, root: Certificate) -> None:
    with pytest.raises(AuthenticationRefusedError) as refusal:
        verify_master_list(data, root, at=datetime(2024, 10, 10, tzinfo=UTC))
    assert refusal.value.reason == "master-list-signer-not-valid"


def test_altered_contents_and_signature(data: bytes, root: Certificate) -> None:
    vietnamese = data.index(b"CSCA ePassport Vietnam")
    for position, reason in ((vietnamese, "digest-mismatch"), (len(data) - 1, "signature-invalid")):
        altered = bytearray(data)
        altered[position] ^= 1
        with pytest.raises(AuthenticationRefusedError) as refusal:
            verify_master_list(bytes(altered), root, at=AT)
        assert refusal.value.reason == f"master-list-{reason}"


@pytest.mark.parametrize("length", [0, 1, 100, 10_000, 900_000])
def test_cut_off(data: bytes, root: Certificate, length: int) -> None:
    with pytest.raises(DeviceError):
        verify_master_list(data[:length], root, at=AT)
