"""PINs of a token: none is tried twice, none is tried where it could lock the token."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.keys import keys, private_keys
from api.keys import pkcs11 as pkcs11_keys
from api.keys.errors import Pkcs11PinLockedError, Pkcs11PinMissingError, Pkcs11PinWrongError
from api.keys.keys_toml import TokenPlace
from api.keys.ring import KeyRing
from tests.system.pkcs11.conftest import PASSWORD, PIN


def test_a_wrong_pin_is_tried_once(token: TokenPlace, folder: Path, monkeypatch: Any) -> None:
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
    for _ in range(5):
        with pytest.raises(Pkcs11PinWrongError):
            KeyRing.open(folder, None, pin="000000")
    assert tried == ["000000"]
    # The right one is another PIN, and so has its one try.
    assert KeyRing.open(folder, None, pin=PIN)
    assert tried == ["000000", PIN]
    # Now that one is known to be right, no other is sent to the token.
    with pytest.raises(Pkcs11PinWrongError):
        KeyRing.open(folder, None, pin="111111")
    assert tried == ["000000", PIN]
    assert keys.load(folder, None, pin=PIN).sign(b"m")


@pytest.mark.parametrize("pin", ["1", "9" * 300, "pin\0", "chữ"])
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
