"""The folder of keys: made once, encrypted, loaded only if all fits."""

import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from api.assertions import keys
from api.assertions.errors import (
    KeysExistError,
    KeysPasswordError,
    KeysPasswordWeakError,
    SigningKeyExpiredError,
    SigningKeyUnusableError,
)

PASSWORD = "một mật khẩu đủ dài"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keys.init(tmp_path / "keys", name="Văn phòng Mẫu", password=PASSWORD)
    return tmp_path / "keys"


def test_load_what_was_made(folder: Path) -> None:
    key = keys.load(folder, PASSWORD)
    assert key.issuer.startswith("urn:uuid:")
    assert len(key.x5c) == 2
    assert key.not_after - key.not_before == timedelta(days=90, hours=1)


def test_tiers_and_their_lives(folder: Path) -> None:
    root, ca, leaf = keys.describe(folder)
    now = datetime.now(UTC)
    assert [round((c.not_after - now).days / 365, 1) for c in (root, ca, leaf)] == [10, 3, 0.2]
    certificate = x509.load_pem_x509_certificate((folder / keys.ISSUING_CA).read_bytes())
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value.path_length == 0


def test_private_keys_are_encrypted(folder: Path) -> None:
    for name in (keys.ROOT_KEY, keys.ISSUING_CA_KEY, keys.SIGNING_KEY):
        assert b"BEGIN ENCRYPTED PRIVATE KEY" in (folder / name).read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has access lists instead of modes")
def test_private_keys_are_for_the_owner_only(folder: Path) -> None:
    for name in (keys.ROOT_KEY, keys.ISSUING_CA_KEY, keys.SIGNING_KEY):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


def test_never_overwritten(folder: Path) -> None:
    before = (folder / keys.ROOT).read_bytes()
    with pytest.raises(KeysExistError):
        keys.init(folder, password=None)
    assert (folder / keys.ROOT).read_bytes() == before


def test_no_foreign_file_is_joined(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(KeysExistError):
        keys.init(tmp_path, password=None)


@pytest.mark.parametrize("password", ["", "short"])
def test_weak_password(tmp_path: Path, password: str) -> None:
    with pytest.raises(KeysPasswordWeakError):
        keys.init(tmp_path / "keys", password=password)
    assert not (tmp_path / "keys").exists()


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


@pytest.mark.parametrize("name", [keys.ROOT, keys.SIGNING, keys.SIGNING_KEY])
@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nAA\n"])
def test_file_missing_or_spoilt(folder: Path, name: str, content: bytes | None) -> None:
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(SigningKeyUnusableError):
        keys.load(folder, PASSWORD)


def test_needs_neither_the_root_key_nor_the_ca_key(folder: Path) -> None:
    (folder / keys.ROOT_KEY).unlink()
    (folder / keys.ISSUING_CA_KEY).unlink()
    assert keys.load(folder, PASSWORD).issuer


def test_key_and_certificate_of_two_makings(folder: Path, tmp_path: Path) -> None:
    keys.init(tmp_path / "other", password=PASSWORD)
    for name in (keys.SIGNING_KEY, keys.ROOT):
        original = (folder / name).read_bytes()
        (folder / name).write_bytes((tmp_path / "other" / name).read_bytes())
        with pytest.raises(SigningKeyUnusableError):
            keys.load(folder, PASSWORD)
        (folder / name).write_bytes(original)


def test_key_on_another_curve(folder: Path) -> None:
    pem = ec.generate_private_key(ec.SECP384R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / keys.SIGNING_KEY).write_bytes(pem)
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
