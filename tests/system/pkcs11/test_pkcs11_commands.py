"""`chinhchu keys` with a token, each step in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from api.keys.keys_toml import TokenPlace
from tests.system.pkcs11.conftest import PIN, SoftHsm


@pytest.fixture
def run(tmp_path: Path, softhsm: SoftHsm) -> Any:
    def run_(*arguments: Any, **env: str) -> Any:
        given = {
            "CHINHCHU_HOME": str(tmp_path),
            "CHINHCHU_KEYS_PASSWORD": "một mật khẩu đủ dài",
            "SOFTHSM2_CONF": str(softhsm.configuration),
            "PYTHONUTF8": "1",
        }
        done = subprocess.run(
            [sys.executable, "-m", "api.cli", "keys", *map(str, arguments), "--json"],
            capture_output=True,
            text=True,
            encoding="utf-8",
            env={**os.environ, **given, **env},
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert "Traceback" not in done.stderr
        assert PIN not in done.stdout + done.stderr
        return json.loads(done.stdout)

    return run_


def test_made_renewed_revoked_in_the_token(run: Any, token: TokenPlace, tmp_path: Path) -> None:
    (tmp_path / "pin").write_text(PIN + "\n", "utf-8")
    place = ("--pkcs11", token.module, "--token", token.token, "--pin-file", tmp_path / "pin")
    made = run("init", *place, "--ca-in-token")
    assert [c["use"] for c in made["certificates"]] == ["current"] * 3
    assert [p.name for p in (tmp_path / "keys").rglob("*.key.pem")] == ["root.key.pem"]
    first = Path(made["certificates"][2]["file"]).stem
    renewed = run("renew", "--now")
    assert renewed["renewed"].startswith("signing/")
    assert renewed["private_key"] == f"token {token.token}"
    assert run("revoke", first, "--reason", "superseded")["revoked"] == first
    assert run("crl")["lists"][0]["entries"] == 1
    uses = {Path(c["file"]).stem: c["use"] for c in run("show")["certificates"]}
    assert uses.pop(first) == "revoked"
    assert list(uses.values()) == ["current"] * 3
    # Not said to be in the token, the next CA's key is not there: then that is told.
    ca = run("renew", "--ca", "--now")
    assert ca["private_key"] == ca["renewed"].replace(".pem", ".key.pem")
    ca = run("renew", "--ca", "--now", "--ca-in-token")
    assert ca["private_key"] == f"token {token.token}"


def test_pin_from_the_environment(run: Any, token: TokenPlace) -> None:
    place = ("--pkcs11", token.module, "--token", token.token)
    assert run("init", *place)["error"]["code"] == "pkcs11-pin-missing"
    assert run("init", *place, CHINHCHU_KEYS_PIN="0000")["error"]["code"] == "pkcs11-pin-wrong"
    assert run("init", *place, CHINHCHU_KEYS_PIN=PIN)["certificates"]
    assert run("renew", "--now")["error"]["code"] == "pkcs11-pin-missing"
    assert run("renew", "--now", CHINHCHU_KEYS_PIN=PIN)["renewed"]


def test_a_label_in_any_script(run: Any, softhsm: SoftHsm, tmp_path: Path) -> None:
    """keys.toml holds it as it is: TOML has no escape for a character beyond 16 bits."""
    token = softhsm.make_token('khóa "số" 7 🔑')
    place = ("--pkcs11", token.module, "--token", token.token)
    assert run("init", *place, CHINHCHU_KEYS_PIN=PIN)["certificates"]
    assert run("renew", "--now", CHINHCHU_KEYS_PIN=PIN)["renewed"]
