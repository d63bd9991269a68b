"""What every command owes its caller: one JSON document, an exit code, no traceback."""

import json
import os
import socket
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from api.cli import main
from api.cli.output import read_input
from api.errors import InputUnusableError
from biometrics.manifest import Manifest

COMMANDS: tuple[tuple[str, ...], ...] = (
    *(("demo",), ("verify",), ("serve",), ("bench",), ("calibrate",), ("calibrate-pad",)),
    *(("agent",), *(("agent", action) for action in ("capture", "enrol", "cameras"))),
    *(("agents", action) for action in ("add", "list", "revoke", "remove")),
    *(("evaluate", what) for what in ("faces", "quality", "pad")),
    *(("chip", action) for action in ("info", "read", "verify")),
    *(("card", action) for action in ("new", "show", "run")),
    *(("face", action) for action in ("compare", "pad", "challenge", "rig")),
    *(("models", action) for action in ("fetch", "list", "verify")),
    *(("keys", action) for action in ("init", "show")),
)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_has_examples_and_json(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert "--json" in text
    assert f"\n  chinhchu {' '.join(words)}" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing", "--json"],
        ["chip", "--json"],
        ["chip", "read", "--wait", "soon", "--json"],
        ["chip", "read", "--can", "123456", "--id-number", "1", "--json"],
        ["face", "rig", "a.jpg", "--order", "up", "--out", "b", "--json"],
        ["face", "rig", "a.jpg", "--order", "left", "--out", "b", "--turn-deg", "x", "--json"],
        ["verify", "--json"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_json_too(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    printed = capsys.readouterr()
    error = json.loads(printed.out)["error"]
    assert error["code"] == "usage"
    assert not error["retryable"]
    assert error["message"] in printed.err
    assert "_" not in error["message"]  # no name of a function of ours


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["chip", "verify", "{}/absent", "--trust", "{}"], "input-unusable"),
        (["chip", "verify", "{}", "--trust", "{}"], "input-unusable"),
        (["chip", "verify", "{}/empty", "--trust", "{}"], "evidence-malformed"),
        (["chip", "verify", "{}/noise", "--trust", "{}"], "evidence-malformed"),
        (["card", "show", "{}"], "card-image-invalid"),
        (["card", "new", "{}/noise", "--out", "{}/card"], "profile-invalid"),
        (["keys", "init", "--no-password", "--out", "{}/noise/keys"], None),
        (["keys", "show", "{}/absent"], None),
        (["verify", "{}/absent", "--root", "{}/noise"], "input-unusable"),
        (["verify", "{}/noise", "--root", "{}/noise"], "roots-unusable"),
        (["demo", "--out", "{}/noise/below"], "system-fault"),
        (["serve", "--home", "{}/noise"], "keys-folder-unusable"),
        (["agent", "--server", "nonsense", "--session", "1", "--can", "123456"], None),
    ],
)
def test_a_fault_is_json_and_exit_code_4(
    arguments: list[str],
    code: str | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CHINHCHU_SESSION_TOKEN", "token")
    (tmp_path / "empty").touch()
    (tmp_path / "noise").write_bytes(bytes(range(256)) * 20)
    assert main([word.format(tmp_path) for word in arguments] + ["--json"]) == 4
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["message"]
    assert code is None or error["code"] == code


def test_a_file_without_end_is_refused() -> None:
    with pytest.raises(InputUnusableError, match="larger than 1024 bytes"):
        read_input(Path("/dev/zero"), 1024)


@pytest.mark.parametrize("arguments", [["--help"], ["card", "new", "--print-profile"]])
def test_a_reader_that_has_seen_enough(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "api.cli", *arguments],
        stdout=writing,
        stderr=subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"},
        check=False,
    )
    os.close(writing)
    assert done.returncode == 4
    assert done.stderr == b""


def test_interrupted_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("api.demo.scenario.run_demo", interrupted)
    assert main(["demo"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_rendered_frames_are_not_handed_in_unasked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHINHCHU_SESSION_TOKEN", "token")
    (tmp_path / "0000.jpg").write_bytes(b"a frame")
    (tmp_path / "simulated.json").write_text("{}", "utf-8")
    agent = ["agent", "--server", "http://127.0.0.1:1", "--session", "1", "--json"]
    frames = ["--frames", str(tmp_path)]

    def code(*arguments: str) -> str:
        assert main([*agent, *arguments]) == 4
        return str(json.loads(capsys.readouterr().out)["error"]["code"])

    assert code(*frames) == "frames-simulated"
    assert code(*frames, "--simulated") == "server-unreachable"
    assert code("--can", "123456", "--out", "assertion.txt") == "input-unusable"


def test_a_password_from_a_file_and_an_address_that_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], manifest: Manifest
) -> None:
    right, wrong = (tmp_path / name for name in ("right", "wrong"))
    right.write_text("the password of the keys\n", "utf-8")
    wrong.write_text("the password of others\n", "utf-8")
    made = main(["keys", "init", "--out", str(tmp_path / "keys"), "--password-file", str(right)])
    assert made == 0
    capsys.readouterr()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        serve = ["serve", "--home", str(tmp_path), "--port", port, "--json", "--password-file"]
        assert main([*serve, str(wrong)]) == 4
        assert json.loads(capsys.readouterr().out)["error"]["code"] == "keys-password-wrong"
        assert main([*serve, str(right)]) == 4
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "address-unusable"
    assert error["message"].endswith(f"port {port}: Address already in use")


def _shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -m api.cli {command}'],
        env=os.environ | environment,
        input="",
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


@pytest.mark.skipif(os.name != "posix", reason="a shell closes the streams")
@pytest.mark.parametrize(
    "command",
    [
        "chip read --card none --can - <&-",
        "card quirks >&-",
        "card quirks --json >/dev/full",
        "chip read --can 12 --json >/dev/full",
    ],
)
def test_closed_and_full_streams_end_without_traceback(command: str) -> None:
    if "/dev/full" in command and not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    ended = _shell(command)
    assert ended.returncode == (0 if command.endswith(">&-") else 4)
    assert "Traceback" not in ended.stderr


@pytest.mark.skipif(os.name != "posix", reason="a shell starts the command")
def test_every_letter_is_printed_whatever_the_pipes_encoding() -> None:
    profile = _shell("card new --print-profile", PYTHONIOENCODING="cp1252")
    assert profile.returncode == 0, profile.stderr
    assert "NGUYỄN THỊ MẪU ĐƠN" in profile.stdout


def test_a_password_that_nobody_types(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def end_of_input(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("api.cli.chip_source.getpass", end_of_input)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert main(["chip", "read", "--can", "-", "--json"]) == 4
    assert json.loads(capsys.readouterr().out)["error"]["message"] == "no password was given"


def test_a_warning_names_no_line_of_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import api.cli

    def warn(*_: object) -> int:
        warnings.simplefilter("always")
        warnings.warn("the list is written anew", stacklevel=1)
        return 0

    monkeypatch.setattr(api.cli, "_run", warn)
    assert main([]) == 0
    assert capsys.readouterr().err == "chinhchu: the list is written anew\n"
