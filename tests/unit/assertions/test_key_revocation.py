"""Revocation lists by the clauses of RFC 5280, and what OpenSSL makes of them."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from api.errors import InputUnusableError
from api.keys import keys
from api.keys.errors import CertificateRevokedError, CertificateUnknownError
from api.keys.folder import ROOT_LIST, KeyFolder, StoredCertificate, number_of
from api.keys.publication import publish
from api.keys.revocation import REASONS, find_certificate, renew_list, revoke

SECRETS = keys.KeySecrets()
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "keys"
    keys.init(folder, password=None, at=NOW)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "keys"))


def revoke_leaf(
    path: Path, reason: str | None = None, since: datetime | None = None
) -> x509.CertificateRevocationList:
    read = KeyFolder.read(path)
    ca = keys.open_newest_issuing_ca(read, SECRETS, NOW)
    return revoke(read, read.leaves[-1], ca, NOW, reason=reason, invalid_since=since)


def add_leaf(path: Path, at: datetime = NOW) -> StoredCertificate:
    read = KeyFolder.read(path)
    return keys.renew_leaf(read, keys.open_newest_issuing_ca(read, SECRETS, NOW), SECRETS, at)


def test_section_5_1_and_5_2_the_list(folder: Path) -> None:
    read = KeyFolder.read(folder)
    (ca,) = read.issuing_cas
    found = read.lists[ca.name]
    assert found.issuer == ca.certificate.subject
    assert found.signature_algorithm_oid.dotted_string == "1.2.840.10045.4.3.2"
    assert found.last_update_utc == NOW
    assert found.next_update_utc == NOW + timedelta(days=30)
    assert read.lists[ROOT_LIST].next_update_utc == NOW + timedelta(days=365)
    authority = found.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    own = ca.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    assert authority.value.key_identifier == own.value.digest
    number = found.extensions.get_extension_for_class(x509.CRLNumber)
    assert not number.critical
    assert number.value.crl_number == int(NOW.timestamp())
    # X.509, expiredCertsOnCRL: the entries of expired certificates stay.
    kept = found.extensions.get_extension_for_oid(x509.ObjectIdentifier("2.5.29.60"))
    begin = ca.certificate.not_valid_before_utc
    assert kept.value.value == b"\x18\x0f" + begin.strftime("%Y%m%d%H%M%SZ").encode()


@pytest.mark.parametrize("reason", [None, *REASONS])
def test_section_5_3_the_entry(folder: Path, reason: str | None) -> None:
    since = NOW - timedelta(days=3)
    made = revoke_leaf(folder, reason, since)
    serial = KeyFolder.read(folder).leaves[-1].certificate.serial_number
    entry = made.get_revoked_certificate_by_serial_number(serial)
    assert entry is not None
    assert entry.revocation_date_utc == NOW
    invalidity = entry.extensions.get_extension_for_class(x509.InvalidityDate)
    assert invalidity.value.invalidity_date_utc == since
    if reason is None:  # §5.3.1: absent instead of `unspecified`
        with pytest.raises(x509.ExtensionNotFound):
            entry.extensions.get_extension_for_class(x509.CRLReason)
    else:
        said = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
        assert said is REASONS[reason]


def test_numbers_rise_and_entries_stay_after_expiry(folder: Path) -> None:
    first = KeyFolder.read(folder).leaves[0].certificate
    revoke_leaf(folder, "key-compromise", NOW - timedelta(days=1))
    numbers = []
    for number in range(3, 6):
        read = KeyFolder.read(folder)
        (ca,) = read.issuing_cas
        later = NOW + timedelta(days=100 * number)
        made = renew_list(read, ca.name, keys.open_issuing_ca(read, ca.name, SECRETS), later)
        numbers.append(number_of(made))
        assert numbers[-1] == int(later.timestamp())
        entry = made.get_revoked_certificate_by_serial_number(first.serial_number)
        assert entry is not None
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
        assert reason is x509.ReasonFlags.key_compromise
        assert entry.extensions.get_extension_for_class(x509.InvalidityDate)
    assert KeyFolder.read(folder).list_numbers[ca.name] == numbers[-1]


def test_the_number_rises_where_the_clock_goes_back(folder: Path) -> None:
    read = KeyFolder.read(folder)
    (ca,) = read.issuing_cas
    before = read.list_numbers[ca.name]
    pair = keys.open_issuing_ca(read, ca.name, SECRETS)
    for step in (1, 2):
        renew_list(read, ca.name, pair, NOW - timedelta(minutes=50))
        assert KeyFolder.read(folder).list_numbers[ca.name] == before + step


def test_not_twice(folder: Path) -> None:
    revoke_leaf(folder)
    before = (KeyFolder.read(folder)).list_numbers
    with pytest.raises(CertificateRevokedError):
        revoke_leaf(folder)
    assert KeyFolder.read(folder).list_numbers == before


def test_two_people_revoke_at_once(folder: Path) -> None:
    """Who read the folder first and signs last must not undo the other's revocation."""
    add_leaf(folder)
    read = KeyFolder.read(folder)
    ca = keys.open_newest_issuing_ca(read, SECRETS, NOW)
    for stored in read.leaves:
        revoke(read, stored, ca, NOW)
    assert KeyFolder.read(folder).revoked == {stored.name for stored in read.leaves}
    name = read.issuing_cas[0].name
    assert KeyFolder.read(folder).list_numbers[name] == read.list_numbers[name] + 2


def test_unfit_reasons_and_times(folder: Path) -> None:
    with pytest.raises(InputUnusableError):
        revoke_leaf(folder, "certificate-hold")
    with pytest.raises(InputUnusableError):
        revoke_leaf(folder, since=NOW + timedelta(seconds=1))
    assert KeyFolder.read(folder).revoked == frozenset()


def test_found_by_name_file_or_serial(folder: Path) -> None:
    add_leaf(folder)
    read = KeyFolder.read(folder)
    for stored in (*read.leaves, *read.issuing_cas):
        serial = f"{stored.certificate.serial_number:x}"
        colons = ":".join(
            f"{stored.certificate.serial_number:040x}"[i : i + 2] for i in range(0, 40, 2)
        )
        for wanted in (
            stored.name,
            str(stored.path),
            serial,
            serial.upper(),
            f"0x{serial}",
            colons,
        ):
            assert find_certificate(read, wanted) == stored
    for wanted in ("", "0", "none", "../root.pem", "root.pem", "*", "a" * 5000):
        with pytest.raises(CertificateUnknownError):
            find_certificate(read, wanted)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_refuses_the_revoked_and_takes_the_others(folder: Path, tmp_path: Path) -> None:
    add_leaf(folder)
    revoke_leaf(folder, "superseded")
    read = KeyFolder.read(folder)
    root = keys.open_root(read, None)
    keys.renew_issuing_ca(read, root, SECRETS, NOW, in_token=False)
    out = tmp_path / "published"
    publish(KeyFolder.read(folder), NOW).write(out)

    def verify(leaf: StoredCertificate) -> str:
        arguments = ["openssl", "verify", "-crl_check_all", "-trusted", "root.pem"]
        arguments += ["-untrusted", "issuing-ca.pem"]
        for file in sorted(out.glob("*.crl.pem")):
            arguments += ["-CRLfile", file.name]
        done = subprocess.run(
            [*arguments, str(leaf.path)], cwd=out, capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr

    good, revoked = read.leaves
    assert verify(good).endswith(": OK\n")
    assert "certificate revoked" in verify(revoked)
