"""The folder of keys: made once, encrypted, loaded only if all fits."""

import shutil
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from api.assertions.errors import (
    KeysExistError,
    KeysPasswordError,
    KeysPasswordWeakError,
    SigningKeyExpiredError,
    SigningKeyUnusableError,
)
from api.errors import ApiError
from api.keys import files as key_files
from api.keys import keys
from api.keys.errors import AuthorityKeyMissingError, KeyFolderUnusableError
from api.keys.folder import KeyFolder
from api.keys.state import keys_state

PASSWORD = "một mật khẩu đủ dài"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "keys"
    keys.init(folder, name="Văn phòng Mẫu", password=PASSWORD)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "keys"))


def leaf_files(folder: Path) -> tuple[Path, Path]:
    """Return the certificate's and the key's file of the only leaf."""
    (stored,) = KeyFolder.read(folder).leaves
    return stored.path, stored.key_path


def private_files(folder: Path) -> list[Path]:
    files = list(folder.rglob("*.key.pem"))
    assert len(files) == 3
    return files


def test_load_what_was_made(folder: Path) -> None:
    key = keys.load(folder, PASSWORD)
    assert key.issuer.startswith("urn:uuid:")
    assert len(key.x5c) == 2
    assert key.not_after - key.not_before == timedelta(days=90, hours=1)


def test_tiers_and_their_lives(folder: Path) -> None:
    now = datetime.now(UTC)
    state = keys_state(KeyFolder.read(folder), now)
    assert [c.days_left for c in state.certificates] == [3650, 1095, 90]
    assert state.warnings == ()
    (ca,) = KeyFolder.read(folder).issuing_cas
    constraints = ca.certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value.path_length == 0


def test_no_certificate_outlives_its_issuer(tmp_path: Path) -> None:
    """Else an assertion under a live leaf would not verify."""
    begin = datetime.now(UTC) - timedelta(days=1095 - 40)
    keys.init(tmp_path / "keys", password=None, at=begin)
    folder = KeyFolder.read(tmp_path / "keys")
    now = datetime.now(UTC)
    secrets = keys.KeySecrets()
    ca = keys.open_newest_issuing_ca(folder, secrets, now)
    leaf = keys.renew_leaf(folder, ca, secrets, now)
    assert leaf.certificate.not_valid_after_utc == ca.certificate.not_valid_after_utc
    late = begin + timedelta(days=3650 - 10)
    root = keys.open_root(folder, None)
    renewed = keys.renew_issuing_ca(folder, root, secrets, late, in_token=False)
    assert renewed.certificate.not_valid_after_utc == folder.root.not_valid_after_utc


def test_private_keys_are_encrypted(folder: Path) -> None:
    for file in private_files(folder):
        assert b"BEGIN ENCRYPTED PRIVATE KEY" in file.read_bytes()


def test_a_guess_of_the_password_costs_600_000_rounds(folder: Path) -> None:
    """RFC 8018 §A.2; cryptography itself would write 2048."""
    from asn1crypto import keys as asn1_keys
    from asn1crypto import pem

    for file in private_files(folder):
        _, _, der = pem.unarmor(file.read_bytes())
        algorithm = asn1_keys.EncryptedPrivateKeyInfo.load(der)["encryption_algorithm"]
        assert algorithm.kdf == "pbkdf2"
        assert algorithm.kdf_hmac == "sha256"
        assert algorithm.kdf_iterations == key_files.KDF_ROUNDS == 600_000
        assert algorithm.encryption_cipher == "aes"
        assert algorithm.key_length == 32


def test_no_two_salts_are_the_same() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    first, second = (key_files.encode_private_key(key, PASSWORD) for _ in range(2))
    assert first != second
    for data in (first, second):
        opened = serialization.load_pem_private_key(data, PASSWORD.encode())
        assert opened.public_key() == key.public_key()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has access lists instead of modes")
def test_private_keys_are_for_the_owner_only(folder: Path) -> None:
    for file in private_files(folder):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_nothing_unfinished_stays(folder: Path) -> None:
    assert not [file for file in folder.rglob("*") if file.name.startswith(".")]


def test_never_overwritten(folder: Path) -> None:
    before = (folder / keys.ROOT).read_bytes()
    with pytest.raises(KeysExistError):
        keys.init(folder, password=None)
    with pytest.raises(KeysExistError):
        key_files.write_file(folder / keys.ROOT, b"other")
    assert (folder / keys.ROOT).read_bytes() == before


def test_no_foreign_file_is_joined(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(KeysExistError):
        keys.init(tmp_path, password=None)


def test_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("")
    with pytest.raises(KeyFolderUnusableError):
        keys.init(tmp_path / "keys", password=None)


@pytest.mark.parametrize("password", ["", "short"])
def test_weak_password(tmp_path: Path, password: str) -> None:
    with pytest.raises(KeysPasswordWeakError):
        keys.init(tmp_path / "keys", password=password)
    with pytest.raises(KeysPasswordWeakError):
        keys.init(tmp_path / "keys", password=PASSWORD, root_password=password)
    assert not (tmp_path / "keys").exists()


def test_the_root_may_have_a_password_of_its_own(tmp_path: Path) -> None:
    keys.init(tmp_path / "keys", password=PASSWORD, root_password="chỉ mở khóa gốc")
    folder = KeyFolder.read(tmp_path / "keys")
    with pytest.raises(KeysPasswordError):
        keys.open_root(folder, PASSWORD)
    assert keys.open_root(folder, "chỉ mở khóa gốc").certificate == folder.root


@pytest.mark.parametrize("password", [None, "", "một mật khẩu khác"])
def test_wrong_password(folder: Path, password: str | None) -> None:
    with pytest.raises(KeysPasswordError):
        keys.load(folder, password)


def test_without_password(tmp_path: Path) -> None:
    keys.init(tmp_path / "keys", password=None)
    assert keys.load(tmp_path / "keys", None).issuer
    assert keys.load(tmp_path / "keys", PASSWORD).issuer


@pytest.mark.parametrize("days", [-1, 91, 5000])
def test_expired(folder: Path, days: int) -> None:
    with pytest.raises(SigningKeyExpiredError):
        keys.load(folder, PASSWORD, at=datetime.now(UTC) + timedelta(days=days))


@pytest.mark.parametrize("name", ["root", "issuing", "signing", "signing key", "crl", "root crl"])
@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nAA\n"])
def test_file_missing_or_spoilt(folder: Path, name: str, content: bytes | None) -> None:
    certificate, key = leaf_files(folder)
    (ca,) = KeyFolder.read(folder).issuing_cas
    file = {
        "root": folder / keys.ROOT,
        "issuing": ca.path,
        "signing": certificate,
        "signing key": key,
        "crl": folder / f"crl/{ca.name}.crl",
        "root crl": folder / "crl/root.crl",
    }[name]
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ApiError) as refused:
        keys.load(folder, PASSWORD)
    assert refused.value.code in (
        *("keys-folder-unusable", "signing-key-unusable"),
        *("signing-key-expired", "authority-key-missing"),
    )


def test_needs_neither_the_root_key_nor_the_ca_key(folder: Path) -> None:
    (folder / keys.ROOT_KEY).unlink()
    (ca,) = KeyFolder.read(folder).issuing_cas
    ca.key_path.unlink()
    assert keys.load(folder, PASSWORD).issuer
    with pytest.raises(AuthorityKeyMissingError):
        keys.open_issuing_ca(KeyFolder.read(folder), ca.name, keys.KeySecrets(PASSWORD))
    with pytest.raises(AuthorityKeyMissingError):
        keys.open_root(KeyFolder.read(folder), PASSWORD)


def test_key_and_root_of_another_making(folder: Path, tmp_path: Path) -> None:
    keys.init(tmp_path / "other", password=PASSWORD)
    _, key = leaf_files(folder)
    _, other_key = leaf_files(tmp_path / "other")
    pairs = [(key, other_key), (folder / keys.ROOT, tmp_path / "other" / keys.ROOT)]
    for file, other in pairs:
        original = file.read_bytes()
        file.write_bytes(other.read_bytes())
        with pytest.raises((SigningKeyUnusableError, KeyFolderUnusableError)):
            keys.load(folder, PASSWORD)
        file.write_bytes(original)
    assert keys.load(folder, PASSWORD)


def test_key_on_another_curve(folder: Path) -> None:
    pem = ec.generate_private_key(ec.SECP384R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    leaf_files(folder)[1].write_bytes(pem)
    with pytest.raises(SigningKeyUnusableError):
        keys.load(folder, PASSWORD)


@pytest.mark.parametrize(
    "arguments", [{"issuer": "no uri"}, {"issuer": "office"}, {"name": ""}, {"name": "x" * 65}]
)
def test_unfit_names(tmp_path: Path, arguments: dict[str, Any]) -> None:
    with pytest.raises(SigningKeyUnusableError):
        keys.init(tmp_path / "keys", password=None, **arguments)


def test_nothing_secret_is_printed(folder: Path) -> None:
    key = keys.load(folder, PASSWORD)
    assert "private_key" not in repr(key)
    assert key.x5c[0] not in repr(key)
    secrets = keys.KeySecrets(PASSWORD, "1234")
    assert PASSWORD not in repr(secrets)
    assert "1234" not in repr(secrets)
