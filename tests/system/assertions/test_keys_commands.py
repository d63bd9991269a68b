"""`chinhchu keys` through a year as an operator has it, each step in a process of its own."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.keys import keys
from api.keys.folder import KeyFolder

PASSWORD = "một mật khẩu đủ dài"
ROOT_PASSWORD = "chỉ mở khóa gốc thôi"


def chinhchu(*arguments: Any, home: Path, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "api.cli", "keys", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "CHINHCHU_HOME": str(home), "PYTHONUTF8": "1", "COLUMNS": "120", **env},
        check=False,
        stdin=subprocess.DEVNULL,
    )


class Operator:
    """Runs commands in a home of his own, with the password in the environment."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.keys = home / "keys"

    def __call__(self, *arguments: Any, rc: int = 0, **env: str) -> Any:
        """Run with --json, and return what was printed."""
        given = {"CHINHCHU_KEYS_PASSWORD": PASSWORD, **env}
        done = chinhchu(*arguments, "--json", home=self.home, **given)
        assert done.returncode == rc, done.stderr
        assert "Traceback" not in done.stderr
        return json.loads(done.stdout)

    def uses(self) -> list[str]:
        shown = json.loads(chinhchu("show", "--json", home=self.home).stdout)
        return [c["use"] for c in shown["certificates"]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    (home / "root-password").write_text(ROOT_PASSWORD + "\n", "utf-8")
    Operator(home)(
        *("init", "--name", "Văn phòng Mẫu", "--issuer", "https://office.example"),
        *("--root-password-file", home / "root-password"),
    )
    return home


@pytest.fixture
def operator(made: Path, tmp_path: Path) -> Operator:
    return Operator(Path(shutil.copytree(made, tmp_path / "home")))


def test_renew_does_nothing_until_it_is_due(operator: Operator) -> None:
    assert operator("renew") == {"renewed": None}
    assert operator.uses() == ["current", "current", "current"]
    soon = datetime.now(UTC) + timedelta(days=61)
    renewed = operator("renew", "--from", soon.isoformat())["renewed"]
    assert operator.uses() == ["current", "current", "current", "next"]
    assert keys.load(operator.keys, PASSWORD, at=soon).not_after > soon + timedelta(days=89)
    # The new key's file opens with the password that the server has.
    assert b"ENCRYPTED" in (operator.keys / renewed.replace(".pem", ".key.pem")).read_bytes()
    assert operator("renew", "--from", soon.isoformat()) == {"renewed": None}


def test_renew_leaves_the_old_leaf_untouched(operator: Operator) -> None:
    before = {p: p.read_bytes() for p in operator.keys.rglob("*") if p.is_file()}
    operator("renew", "--now")
    for path, data in before.items():
        assert path.read_bytes() == data
    assert len([p for p in operator.keys.rglob("*") if p.is_file()]) == len(before) + 2


def test_renew_with_the_ca_key_elsewhere(operator: Operator, tmp_path: Path) -> None:
    (ca,) = KeyFolder.read(operator.keys).issuing_cas
    moved = tmp_path / "safe.key.pem"
    ca.key_path.rename(moved)
    assert operator("renew", "--now", rc=4)["error"]["code"] == "authority-key-missing"
    assert operator("renew", "--now", "--ca-key", moved)["renewed"]
    moved.write_bytes((operator.keys / keys.ROOT_KEY).read_bytes())
    refused = operator(
        "renew", "--now", "--ca-key", moved, rc=4, CHINHCHU_KEYS_PASSWORD=ROOT_PASSWORD
    )
    assert refused["error"]["code"] == "signing-key-unusable"


@pytest.mark.parametrize("password", ["", "một mật khẩu khác"])
def test_renew_with_a_wrong_password(operator: Operator, password: str) -> None:
    before = operator.uses()
    refused = operator("renew", "--now", rc=4, CHINHCHU_KEYS_PASSWORD=password)
    assert refused["error"]["code"] == "keys-password-wrong"
    assert operator.uses() == before


def test_a_new_issuing_ca_by_the_root_from_the_safe(operator: Operator, tmp_path: Path) -> None:
    before = KeyFolder.read(operator.keys).list_numbers
    safe = Path(shutil.move(operator.keys / "offline", tmp_path / "safe")) / "root.key.pem"
    assert operator("renew", "--ca") == {"renewed": None}
    wanted = ("renew", "--ca", "--now", "--root-key", safe)
    assert operator(*wanted, rc=4)["error"]["code"] == "keys-password-wrong"
    made = operator(*wanted, "--root-password-file", operator.home / "root-password")
    assert made["renewed"].startswith("issuing/")
    assert operator.uses() == ["current", "older", "current", "current"]
    operator("renew", "--now")
    newest = KeyFolder.read(operator.keys)
    assert newest.list_numbers["root"] > before["root"]
    assert newest.leaves[-1].chain[1] == newest.issuing_cas[-1].certificate


def test_revoke_a_leaf(operator: Operator) -> None:
    (leaf,) = KeyFolder.read(operator.keys).leaves
    since = "2026-11-20T00:00:00+07:00"
    told = operator("revoke", leaf.name, "--reason", "key-compromise", "--invalid-since", since)
    assert told["revoked"] == leaf.name
    assert told["list"]["entries"] == 1
    assert operator.uses() == ["current", "current", "revoked"]
    assert chinhchu("show", home=operator.home).returncode == 1
    assert operator("revoke", leaf.path, rc=4)["error"]["code"] == "certificate-revoked"
    assert operator("revoke", "deadbeef", rc=4)["error"]["code"] == "certificate-unknown"
    # One is due at once, without --now.
    assert operator("renew")["renewed"]
    assert operator.uses() == ["current", "current", "revoked", "current"]


def test_revoke_an_issuing_ca(operator: Operator) -> None:
    read = KeyFolder.read(operator.keys)
    name = read.issuing_cas[0].name
    refused = operator("revoke", name, rc=4)
    assert refused["error"]["code"] == "keys-password-wrong"
    operator("revoke", name, "--reason", "ca-compromise", CHINHCHU_KEYS_PASSWORD=ROOT_PASSWORD)
    assert operator.uses() == ["current", "revoked", "revoked"]
    refused = operator("renew", rc=4)
    assert refused["error"]["code"] == "signing-key-expired"


def test_new_lists(operator: Operator) -> None:
    before = KeyFolder.read(operator.keys).list_numbers
    (name,) = set(before) - {"root"}
    assert [found["file"] for found in operator("crl")["lists"]] == [f"crl/{name}.crl"]
    root_key = operator.keys / keys.ROOT_KEY
    operator("crl", "--root-key", root_key, CHINHCHU_KEYS_PASSWORD=ROOT_PASSWORD)
    after = KeyFolder.read(operator.keys).list_numbers
    assert all(after[n] > before[n] for n in ("root", name))


def test_publish(operator: Operator, tmp_path: Path) -> None:
    told = operator("publish", tmp_path / "usb")
    assert told["issuer"] == "https://office.example"
    assert set(told["files"]) == {file.name for file in (tmp_path / "usb").iterdir()}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("")
    refused = operator("publish", tmp_path / "mine", rc=4)
    assert refused["error"]["code"] == "publication-unusable"


def test_show_at_another_time(operator: Operator) -> None:
    later = (datetime.now(UTC) + timedelta(days=75)).isoformat()
    shown = operator("show", "--at", later)
    assert shown["certificates"][2]["days_left"] == 15
    assert "signing-key-ends-soon" in shown["warnings"]
    text = chinhchu("show", "--at", later, home=operator.home)
    assert "fewer than 30 days left" in text.stderr
    assert "Văn phòng Mẫu" in text.stdout


def test_no_folder_no_keys(tmp_path: Path) -> None:
    for command in (("show",), ("renew",), ("crl",), ("revoke", "x"), ("publish", "out")):
        done = chinhchu(*command, home=tmp_path)
        assert done.returncode == 4
        assert "[keys-folder-unusable]" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [("--pkcs11", "m.so"), ("--token", "t"), ("--ca-in-token",), ("--pin-file", "pin")],
)
def test_half_a_security_module(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = chinhchu("init", "--no-password", *arguments, home=tmp_path)
    assert done.returncode == 4
    assert "[input-unusable]" in done.stderr
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize("action", ["init", "show", "renew", "revoke", "crl", "publish"])
def test_help(tmp_path: Path, action: str) -> None:
    done = chinhchu(action, "--help", home=tmp_path)
    assert done.returncode == 0
    assert "--json" in done.stdout
