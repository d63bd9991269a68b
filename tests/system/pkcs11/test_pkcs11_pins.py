"""PINs of a token: none is tried twice, none is tried where it could lock the token."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.keys import keys, private_keys
from api.keys import pkcs11 as pkcs11_keys
from api.keys.errors import Pkcs11PinLockedError, Pkcs11PinMissingError, Pkcs11PinWrongError
from api.keys.folder import KeyFolder
from api.keys.keys_toml import TokenPlace
from api.keys.ring import KeyRing
from tests.system.pkcs11.conftest import PASSWORD, PIN, SoftHsm


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every PIN that the token is asked to take, from now on."""
    tried: list[str] = []
    real = pkcs11_keys.Pkcs11Token._log_in

    def counting(self: Any, library: Any, found: Any) -> Any:
        class Found:
            flags = found.flags

            def open(self, user_pin: str) -> Any:
                tried.append(user_pin)
                return found.open(user_pin=user_pin)

        return real(self, library, Found())

    pkcs11_keys.forget_tokens()
    monkeypatch.setattr(pkcs11_keys.Pkcs11Token, "_log_in", counting)
    return tried


def test_a_wrong_pin_is_tried_once(folder: Path, tried: list[str]) -> None:
    for _ in range(5):
        with pytest.raises(Pkcs11PinWrongError):
            KeyRing.open(folder, None, pin="000000")
    assert tried == ["000000"]
    # The right one is another PIN, and so has its one try.
    assert KeyRing.open(folder, None, pin=PIN)
    assert tried == ["000000", PIN]
    # Another one could be new, and is tried once; after that the one that is right is used on.
    key = keys.load(folder, None, pin=PIN)
    for _ in range(3):
        with pytest.raises(Pkcs11PinWrongError):
            KeyRing.open(folder, None, pin="111111")
        assert key.sign(b"m")
    assert tried == ["000000", PIN, "111111", PIN]


@pytest.mark.parametrize("pin", ["1", "9" * 300, "pin\0", "chữ", "\udcff"])
def test_an_odd_pin(folder: Path, pin: str) -> None:
    pkcs11_keys.forget_tokens()
    with pytest.raises(Pkcs11PinWrongError):
        KeyRing.open(folder, None, pin=pin)


@pytest.mark.parametrize("flag", ["USER_PIN_LOCKED", "USER_PIN_FINAL_TRY"])
def test_the_last_try_is_not_taken(token: TokenPlace, flag: str, monkeypatch: Any) -> None:
    """SoftHSM never locks a PIN, so what its token says of itself is changed here."""
    import pkcs11

    pkcs11_keys.forget_tokens()
    real = pkcs11_keys.find_token

    class Found:
        def __init__(self, found: Any) -> None:
            self.flags = found.flags | pkcs11.TokenFlag[flag]

        def open(self, user_pin: str) -> Any:
            raise AssertionError("the last try was taken")

    monkeypatch.setattr(pkcs11_keys, "find_token", lambda *a: Found(real(*a)))
    with pytest.raises(Pkcs11PinLockedError):
        private_keys.open_token(token, PIN)


def test_no_pin(folder: Path) -> None:
    for pin in (None, ""):
        with pytest.raises(Pkcs11PinMissingError):
            KeyRing.open(folder, None, pin=pin)


def test_pin_from_the_file_that_keys_toml_names(token: TokenPlace, tmp_path: Path) -> None:
    (tmp_path / "pin").write_text(f"{PIN}\nnot this\n", encoding="utf-8")
    place = replace(token, pin_file=tmp_path / "pin")
    keys.init(tmp_path / "keys", password=PASSWORD, token=place)
    assert PIN not in (tmp_path / "keys/keys.toml").read_text("utf-8")
    assert KeyRing.open(tmp_path / "keys", None)
    # As Windows writes text: a mark at its beginning would cost one of the tries that a token has.
    (tmp_path / "pin").write_bytes(b"\xef\xbb\xbf" + PIN.encode() + b"\r\n")
    pkcs11_keys.forget_tokens()
    assert KeyRing.open(tmp_path / "keys", None)
    (tmp_path / "pin").unlink()
    with pytest.raises(Pkcs11PinMissingError):
        KeyRing.open(tmp_path / "keys", None)


NEW_PIN = "591736"


@pytest.fixture
def pin_file(tmp_path: Path) -> Path:
    file = tmp_path / "pin"
    file.write_text(PIN, encoding="utf-8")
    return file


@pytest.fixture
def ring(token: TokenPlace, pin_file: Path, tmp_path: Path, tried: list[str]) -> KeyRing:
    """A server's, which read its PIN from the file that `keys.toml` names."""
    place = replace(token, pin_file=pin_file)
    keys.init(tmp_path / "keys", password=PASSWORD, token=place, ca_in_token=True)
    return KeyRing.open(tmp_path / "keys", None)


def change_pin(token: TokenPlace, old: str, new: str) -> None:
    """Change it as the vendor's tool does; the server's session shares the process, and stays."""
    import pkcs11

    found = pkcs11.lib(str(token.module)).get_token(token_label=token.token)
    with found.open(rw=True) as session:
        session.set_pin(old, new)


def renew(folder: Path) -> None:
    """Make the next leaf; it is the newest though the first was made in the same second."""
    at = datetime.now(UTC) + timedelta(seconds=2)
    read, secrets = KeyFolder.read(folder), keys.KeySecrets()
    ca = keys.open_newest_issuing_ca(read, secrets, at)
    keys.renew_leaf(read, ca, secrets, at)


def test_a_new_pin_needs_no_restart(
    ring: KeyRing, token: TokenPlace, softhsm: SoftHsm, pin_file: Path, tried: list[str]
) -> None:
    now = datetime.now(UTC)
    before = ring.current(now)
    change_pin(token, PIN, NEW_PIN)
    assert before.sign(b"m")
    pin_file.write_text(NEW_PIN, encoding="utf-8")
    renew(ring.folder.path)
    assert ring.current(datetime.now(UTC)).kid != before.kid
    softhsm.restart()
    assert ring.current(datetime.now(UTC)).sign(b"m")
    assert before.sign(b"m")
    assert tried == [PIN, NEW_PIN, NEW_PIN]


def test_a_new_pin_after_a_lost_session(
    ring: KeyRing, token: TokenPlace, softhsm: SoftHsm, pin_file: Path, tried: list[str]
) -> None:
    key = ring.current(datetime.now(UTC))
    change_pin(token, PIN, NEW_PIN)
    softhsm.restart()
    for _ in range(3):
        with pytest.raises(Pkcs11PinWrongError):
            key.sign(b"m")
    assert tried == [PIN, PIN]
    pin_file.write_text(NEW_PIN, encoding="utf-8")
    assert key.sign(b"m")
    assert tried == [PIN, PIN, NEW_PIN]


@pytest.mark.parametrize("content", ["777777", "", None])
def test_a_wrong_pin_file_does_not_stop_a_server(
    ring: KeyRing, softhsm: SoftHsm, pin_file: Path, tried: list[str], content: str | None
) -> None:
    key = ring.current(datetime.now(UTC))
    if content is None:
        pin_file.unlink()
    else:
        pin_file.write_text(content, encoding="utf-8")
    for _ in range(3):
        with pytest.raises((Pkcs11PinWrongError, Pkcs11PinMissingError)):
            renew(ring.folder.path)
        softhsm.restart()
        assert key.sign(b"m")
    assert tried.count("777777") == (content == "777777")
    assert set(tried) <= {PIN, "777777"}
