"""Passwords of keys: text however it is typed, and never a key left open beside encrypted ones."""

import shutil
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
)

from api.assertions.errors import KeysPasswordError
from api.cli.keys_secrets import first_line
from api.keys import keys
from api.keys.files import encode_private_key, is_encrypted, write_file
from api.keys.folder import KeyFolder
from api.keys.private_keys import open_key_file
from api.keys.ring import KeyRing

NOW = datetime.now(UTC)
PASSWORD = "một mật khẩu đủ dài"
ROOT_PASSWORD = "chỉ mở khóa gốc thôi"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "keys"
    keys.init(path, password=PASSWORD, root_password=ROOT_PASSWORD)
    return path


def key_files(folder: Path) -> set[Path]:
    return set(folder.rglob("*.key.pem"))


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_keyboard_that_composes_and_one_that_does_not(
    folder: Path, form: Literal["NFC", "NFD"]
) -> None:
    typed = unicodedata.normalize(form, PASSWORD)
    assert keys.load(folder, typed).sign(b"m")


def test_made_with_one_that_does_not(tmp_path: Path) -> None:
    keys.init(tmp_path / "keys", password=unicodedata.normalize("NFD", PASSWORD))
    assert keys.load(tmp_path / "keys", PASSWORD)


def test_encrypted_anew_by_openssl_on_a_keyboard_that_does_not(tmp_path: Path) -> None:
    """The guide's way to a new password; OpenSSL takes it as it is typed."""
    keys.init(tmp_path / "keys", password=None)
    (leaf,) = KeyFolder.read(tmp_path / "keys").leaves
    typed = unicodedata.normalize("NFD", PASSWORD)
    pair = open_key_file(leaf.key_path, leaf.certificate, None)
    pem = pair.private_key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(typed.encode())
    )
    write_file(leaf.key_path, pem, replace=True)
    assert keys.load(tmp_path / "keys", typed)
    with pytest.raises(KeysPasswordError):
        keys.load(tmp_path / "keys", f"{typed}.")


def test_bytes_that_are_no_text(folder: Path, tmp_path: Path) -> None:
    """As Python hands on an environment variable that is not UTF-8."""
    password = b"\xff\xfe\xfd twelve and more".decode("utf-8", "surrogateescape")
    with pytest.raises(KeysPasswordError, match="not text"):
        keys.init(tmp_path / "keys", password=password)
    assert not (tmp_path / "keys").exists()
    with pytest.raises(KeysPasswordError):
        keys.load(folder, password)


def test_a_password_file_as_windows_writes_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"\xef\xbb\xbf" + PASSWORD.encode() + b"\r\n")
    assert first_line(tmp_path / "file") == PASSWORD


@pytest.mark.parametrize("password", [None, "", "ein anderes Passwort", ROOT_PASSWORD])
def test_a_new_issuing_ca_is_not_left_open(folder: Path, password: str | None) -> None:
    """The root's own password opens the root: that of the other keys has to be right too."""
    before = key_files(folder)
    read = KeyFolder.read(folder)
    root = keys.open_root(read, ROOT_PASSWORD)
    with pytest.raises(KeysPasswordError, match="password of the other keys"):
        keys.renew_issuing_ca(read, root, keys.KeySecrets(password), NOW, in_token=False)
    assert key_files(folder) == before


def test_no_key_is_left_open_where_the_others_lie_elsewhere(folder: Path, tmp_path: Path) -> None:
    """All in a safe, or in a token: nothing says then that this is a demonstration."""
    copy = tmp_path / "keys"
    shutil.copytree(folder, copy)
    for file in (*copy.glob("issuing/*.key.pem"), *copy.glob("signing/*.key.pem")):
        file.rename(tmp_path / file.name)
    read = KeyFolder.read(copy)
    root = keys.open_root(read, ROOT_PASSWORD)
    with pytest.raises(KeysPasswordError, match="needs a password"):
        keys.renew_issuing_ca(read, root, keys.KeySecrets(), NOW, in_token=False)
    (elsewhere,) = (tmp_path / f"{ca.name}.key.pem" for ca in read.issuing_cas)
    ca = keys.open_newest_issuing_ca(read, keys.KeySecrets(PASSWORD), NOW, elsewhere)
    with pytest.raises(KeysPasswordError, match="needs a password"):
        keys.renew_leaf(read, ca, keys.KeySecrets(), NOW)
    assert key_files(copy) == {copy / keys.ROOT_KEY}
    made = keys.renew_issuing_ca(read, root, keys.KeySecrets(PASSWORD), NOW, in_token=False)
    assert is_encrypted(made.key_path.read_bytes())


def test_a_leaf_gets_a_password_that_the_server_has(folder: Path) -> None:
    """Also where the issuing CA's key, kept elsewhere, has another one."""
    before = key_files(folder)
    read = KeyFolder.read(folder)
    ca = keys.open_newest_issuing_ca(read, keys.KeySecrets(PASSWORD), NOW)
    with pytest.raises(KeysPasswordError):
        keys.renew_leaf(read, ca, keys.KeySecrets("of the issuing CA alone"), NOW)
    assert key_files(folder) == before
    made = keys.renew_leaf(read, ca, keys.KeySecrets(PASSWORD), NOW)
    assert is_encrypted(made.key_path.read_bytes())


def test_open_keys_stay_open_or_not_as_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    keys.init(folder, password=None)
    for password in (None, PASSWORD):
        read = KeyFolder.read(folder)
        ca = keys.open_newest_issuing_ca(read, keys.KeySecrets(), NOW)
        made = keys.renew_leaf(read, ca, keys.KeySecrets(password), NOW)
        assert is_encrypted(made.key_path.read_bytes()) is (password is not None)


def test_a_new_password_does_not_stop_a_running_server(tmp_path: Path) -> None:
    """The key's file is encrypted anew; the server, which knows the old one, has the key open."""
    folder = tmp_path / "keys"
    keys.init(folder, password=PASSWORD, at=NOW - timedelta(hours=1))
    ring = KeyRing.open(folder, PASSWORD)
    before = ring.current(NOW)
    (leaf,) = ring.folder.leaves
    pair = open_key_file(leaf.key_path, leaf.certificate, PASSWORD)
    write_file(leaf.key_path, encode_private_key(pair.private_key, ROOT_PASSWORD), replace=True)
    assert ring.current(NOW).sign(b"m")
    assert ring.current(NOW).kid == before.kid
    # A new leaf under the new password waits for the restart, and the old one goes on.
    read = KeyFolder.read(folder)
    ca = keys.open_newest_issuing_ca(read, keys.KeySecrets(PASSWORD), NOW)
    made = keys.renew_leaf(read, ca, keys.KeySecrets(ROOT_PASSWORD), NOW)
    assert ring.current(NOW).kid == before.kid
    restarted = KeyRing.open(folder, ROOT_PASSWORD).current(NOW)
    assert restarted.public_key == made.certificate.public_key()
    # And what is gone from the folder is not used any more.
    leaf.path.unlink()
    with pytest.raises(KeysPasswordError):
        ring.current(NOW)
