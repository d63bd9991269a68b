"""Where a password or PIN could be read by others: arguments, output, errors, files."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.keys.ring import KeyRing
from api.settings import Settings

PASSWORD = "Chỉ-mình-tôi-biết-26"
WRONG = "Sai-mất-rồi-bạn-ơi-26"

COMMANDS: dict[str, tuple[str, ...]] = {
    "init again": ("init",),
    "show": ("show",),
    "renew": ("renew", "--now"),
    "renew the CA": ("renew", "--ca", "--now"),
    "lists": ("crl",),
    "the root's list": ("crl", "--root-key", "keys/offline/root.key.pem"),
    "revoke": ("revoke", "deadbeef"),
    "publish": ("publish", "usb"),
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    (folder / "right").write_text(PASSWORD + "\n", "utf-8")
    (folder / "wrong").write_text(WRONG + "\n", "utf-8")
    done = run(folder, "init", "--password-file", "right")
    assert done.returncode == 0
    assert_silent(folder, done)
    return folder


def run(home: Path, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-X", "dev", "-W", "ignore", "-m", "api.cli", "keys", *arguments],
        cwd=home,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={
            "CHINHCHU_HOME": str(home),
            "PYTHONUTF8": "1",
            "PYTHONPATH": str(Path(__file__).parents[3]),
            **env,
        },
        check=False,
        stdin=subprocess.DEVNULL,
    )


def assert_silent(home: Path, done: "subprocess.CompletedProcess[str]") -> None:
    told = done.stdout + done.stderr
    assert "Traceback" not in told
    assert PASSWORD not in told
    assert WRONG not in told
    for file in home.rglob("*"):
        if file.is_file() and file.name not in ("right", "wrong"):
            assert PASSWORD.encode() not in file.read_bytes()
            assert b"BEGIN PRIVATE KEY" not in file.read_bytes(), file


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_neither_in_output_nor_in_files(home: Path, command: tuple[str, ...]) -> None:
    takes_file = command[0] not in ("show", "publish")
    wrong = ("--password-file", "wrong") if takes_file else ()
    assert_silent(home, run(home, *command, *wrong))
    assert_silent(home, run(home, *command, CHINHCHU_KEYS_PASSWORD=PASSWORD))


def test_no_argument_takes_a_secret(home: Path) -> None:
    """Arguments are in the list of processes, for every account of the machine."""
    for action in ("init", "renew", "revoke", "crl"):
        helped = run(home, action, "--help").stdout
        options = {word.strip("[],") for word in helped.split() if word.startswith("--")}
        secret = {o for o in options if "password" in o or "pin" in o}
        assert secret <= {"--password-file", "--root-password-file", "--pin-file", "--no-password"}


def test_not_in_what_a_debugger_shows(home: Path) -> None:
    settings = Settings(home, keys_password=PASSWORD, keys_pin=WRONG)
    ring = KeyRing.open(home / "keys", PASSWORD)
    key = ring.current(datetime.now(UTC))
    for shown in (repr(settings), repr(ring), repr(key), repr(ring.folder), str(vars(ring))):
        assert PASSWORD not in shown
        assert WRONG not in shown
