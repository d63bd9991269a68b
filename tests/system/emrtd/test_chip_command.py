"""`chinhchu chip`, as people and machines call it."""

import argparse
import io
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from api.cli import chip, chip_description
from api.cli.chip_output import pairs
from api.errors import InputUnusableError
from devices.emrtd.errors import (
    EvidenceMalformedError,
    PasswordMalformedError,
    PasswordWrongError,
    TrustAnchorsUnusableError,
)
from devices.errors import DeviceError
from devices.simulator.faults import Fault

CHALLENGE = "0011223344556677"


def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    chip.register(parser.add_subparsers(required=True))
    args = parser.parse_args(["chip", *arguments])
    return int(args.run(args))


@pytest.fixture(scope="module")
def card(make_card: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("card") / "specimen"
    make_card().save(folder)
    return folder


@pytest.fixture(autouse=True)
def _no_password_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHINHCHU_CAN", raising=False)
    monkeypatch.delenv("CHINHCHU_ID_NUMBER", raising=False)


def test_info(card: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("info", "--card", str(card), "--json") == 0
    (described,) = json.loads(capsys.readouterr().out)["readers"]
    assert "PACE-ECDH-GM-AES-128 (brainpoolP256r1)" in [p["name"] for p in described["protocols"]]
    assert _run("info", "--card", str(card)) == 0


@pytest.mark.parametrize(
    "password",
    [
        ("--can", "123456"),
        ("--id-number", "001190123456"),
        (
            *("--mrz-document-number", "190123456"),
            *("--date-of-birth", "1990-05-20", "--date-of-expiry", "300520"),
        ),
    ],
    ids=["can", "id-number", "mrz"],
)
def test_read_and_verify(
    card: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], password: tuple[str, ...]
) -> None:
    out = tmp_path / "evidence.cbor"
    read = ("read", "--card", str(card), *password, "--challenge", CHALLENGE, "--out", str(out))
    assert _run(*read, "--json") == 0
    printed = capsys.readouterr().out
    assert json.loads(printed)["files"]["EF.DG2"] > 1000
    assert "190123456" not in printed
    assert "MẪU" not in printed
    if os.name == "posix":
        assert out.stat().st_mode & 0o077 == 0
    verify = ("verify", str(out), "--trust", str(card / "trust"))
    assert _run(*verify, "--challenge", CHALLENGE, "--json") == 0
    verdict = json.loads(capsys.readouterr().out)
    assert (verdict["outcome"], verdict["clone"]["result"]) == ("PASSED", "ok")
    assert "MẪU" not in json.dumps(verdict, ensure_ascii=False)
    assert _run(*verify, "--challenge", "00" * 8) == 1
    assert _run(*verify) == 3
    late = ("--at", "2031-01-01T00:00:00Z", "--challenge", CHALLENGE)
    capsys.readouterr()
    assert _run(*verify, *late, "--show", "--json") == 1
    verdict = json.loads(capsys.readouterr().out)
    assert verdict["reasons"] == ["document-expired"]
    assert verdict["document"]["name"] == "NGUYỄN THỊ MẪU ĐƠN"


def test_human_output_shows_nothing_personal_unless_asked(
    card: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("read", "--card", str(card), "--can", "123456") == 0
    quiet = capsys.readouterr().out
    assert "EF.DG13" in quiet
    assert "MẪU" not in quiet
    assert _run("read", "--card", str(card), "--can", "123456", "--show") == 0
    assert "NGUYỄN THỊ MẪU ĐƠN" in capsys.readouterr().out


def test_password_from_the_environment(card: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHINHCHU_ID_NUMBER", "001190123456")
    assert _run("read", "--card", str(card), "--json") == 0
    monkeypatch.setenv("CHINHCHU_CAN", "000000")
    with pytest.raises(PasswordWrongError):
        _run("read", "--card", str(card))


def test_wrong_and_missing_passwords(card: Path) -> None:
    with pytest.raises(PasswordWrongError):
        _run("read", "--card", str(card), "--can", "654321")
    with pytest.raises(PasswordMalformedError):
        _run("read", "--card", str(card), "--can", "12345")
    with pytest.raises(InputUnusableError):
        _run("read", "--card", str(card))
    with pytest.raises(InputUnusableError):
        _run("read", "--card", str(card), "--mrz-document-number", "190123456")


def test_truncated_evidence(card: Path, tmp_path: Path) -> None:
    out = tmp_path / "evidence.cbor"
    assert _run("read", "--card", str(card), "--can", "123456", "--out", str(out), "--json") == 0
    out.write_bytes(out.read_bytes()[:-100])
    with pytest.raises(EvidenceMalformedError):
        _run("verify", str(out), "--trust", str(card / "trust"))


def test_unusable_paths(card: Path, tmp_path: Path) -> None:
    out = tmp_path / "evidence.cbor"
    with pytest.raises(InputUnusableError):
        _run("verify", str(out), "--trust", str(card / "trust"))
    nowhere = tmp_path / "missing" / "evidence.cbor"
    with pytest.raises(InputUnusableError):
        _run("read", "--card", str(card), "--can", "123456", "--out", str(nowhere))
    assert _run("read", "--card", str(card), "--can", "123456", "--out", str(out)) == 0
    with pytest.raises(TrustAnchorsUnusableError):
        _run("verify", str(out), "--trust", str(tmp_path / "missing"))
    (tmp_path / "empty").mkdir()
    assert _run("verify", str(out), "--trust", str(tmp_path / "empty")) == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ("read", "--challenge", "00"),
        ("read", "--date-of-birth", "20.5.1990"),
        ("read", "--date-of-birth", "1990-20-05"),
        ("read", "--date-of-expiry", "203405"),
        ("read", "--data-groups", "1;2"),
        ("read", "--can", "123456", "--id-number", "001190123456"),
        ("verify", "evidence.cbor"),
        ("verify", "evidence.cbor", "--trust", ".", "--at", "2026-11-21"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as error:
        _run(*arguments)
    assert error.value.code == 2


@pytest.mark.parametrize("action", ["info", "read", "trace", "verify"])
def test_help_has_examples(action: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _run(action, "--help")
    assert f"chinhchu chip {action}" in capsys.readouterr().out.split("examples:")[1]


def test_the_table_tells_hashes_and_policy(card: Path, capsys: pytest.CaptureFixture[str]) -> None:
    read = ("read", "--card", str(card), "--can", "123456")
    assert _run(*read, "--json") == 0
    summary = json.loads(capsys.readouterr().out)
    hashes = {row["file"]: row["hash"] for row in summary["read"]}
    assert hashes["EF.SOD"] is None
    assert hashes["EF.DG2"] == hashes["EF.DG13"] == "ok"
    assert (summary["policy"], summary["resumed"]) == ("prefer_pace", 0)
    damaged = card.with_name("damaged")
    shutil.copytree(card, damaged)
    dg13 = damaged / "files" / "EF.DG13.bin"
    dg13.write_bytes(dg13.read_bytes()[:-1] + b"?")
    assert _run("read", "--card", str(damaged), "--can", "123456") == 0
    assert "mismatch" in capsys.readouterr().out


def test_info_gives_up_a_slow_card(
    make_card: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    image = make_card()
    slow = (Fault("slow-answer", every=1, seconds=0.1),)
    replace(image, behaviour=replace(image.behaviour, faults=slow)).save(tmp_path / "slow")
    monkeypatch.setattr(chip_description, "TIMEOUT_S", 0.05)
    assert _run("info", "--card", str(tmp_path / "slow"), "--json") == 0
    (described,) = json.loads(capsys.readouterr().out)["readers"]
    assert described["error"]["code"] == "card-too-slow"


def test_info_says_what_each_policy_would_do(
    card: Path, make_card: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("info", "--card", str(card), "--json") == 0
    (described,) = json.loads(capsys.readouterr().out)["readers"]
    assert described["policies"]["require_pace"].startswith("PACE-ECDH-GM-AES-128")
    assert "downgrade" in described["policies"]["bac_only"]
    assert described["extended_length"] is True
    make_card(access=("bac",), extended_length=False).save(tmp_path / "old")
    assert _run("info", "--card", str(tmp_path / "old"), "--json") == 0
    (described,) = json.loads(capsys.readouterr().out)["readers"]
    assert described["policies"]["require_pace"].startswith("refused")
    assert described["extended_length"] is False
    assert _run("info", "--card", str(tmp_path / "old")) == 0
    assert "short APDUs" in capsys.readouterr().out


def test_trace_and_play(card: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "trace.jsonl"
    assert _run("trace", "--card", str(card), "--can", "123456", "--out", str(out)) == 0
    assert "123456" not in out.read_text()
    capsys.readouterr()
    assert _run("trace", "--play", str(out), "--json") == 0
    played = json.loads(capsys.readouterr().out)
    assert {file["file"] for file in played["replayed"]} >= {"EF.SOD", "EF.DG2"}
    assert _run("trace", "--play", str(out)) == 0
    assert "the same way" in capsys.readouterr().out
    changed = out.read_text().replace('"sw":"6282"', '"sw":"6A82"')
    out.write_text(changed)
    assert _run("trace", "--play", str(out)) == 1


def test_a_trace_of_what_went_wrong_is_written_all_the_same(
    card: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "trace.jsonl"
    with pytest.raises(PasswordWrongError):
        _run("trace", "--card", str(card), "--can", "654321", "--out", str(out))
    assert '"apdu":"00860000"' in out.read_text()
    assert "654321" not in out.read_text()
    assert _run("trace", "--play", str(out)) == 1
    shown = capsys.readouterr().out
    assert "end password-wrong" in shown
    assert "no session was opened" in shown


def test_a_trace_of_no_card_is_not_written(tmp_path: Path) -> None:
    out = tmp_path / "trace.jsonl"
    with pytest.raises(DeviceError):
        _run("trace", "--card", str(tmp_path / "none"), "--can", "123456", "--out", str(out))
    assert not out.exists()


def test_a_trace_from_elsewhere_commands_no_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = tmp_path / "trace.jsonl"
    evil = "\x1b[31m\x9b2J\x07"
    header = {"format": "chinhchu-apdu-trace", "version": 1, "reader": evil, "atr": evil}
    records = ({"event": evil}, {"apdu": evil, "error": evil})
    trace.write_text("".join(json.dumps(line) + "\n" for line in (header, *records)))
    _run("trace", "--play", str(trace))
    shown = capsys.readouterr().out
    assert not set("\x1b\x9b\x07") & set(shown)
    assert "[31m" in shown


def test_what_a_card_says_commands_no_terminal() -> None:
    printed = io.StringIO()
    Console(file=printed, markup=False).print(pairs("not verified", {"name": "A\x1b[2JB\x9b"}))
    assert "A\N{REPLACEMENT CHARACTER}[2JB\N{REPLACEMENT CHARACTER}" in printed.getvalue()


@pytest.mark.skipif(os.name != "posix", reason="rights of POSIX")
def test_evidence_is_the_owners_and_no_other_rights_change(card: Path, tmp_path: Path) -> None:
    read = ("read", "--card", str(card), "--can", "123456", "--out")
    old = tmp_path / "old.cbor"
    old.write_bytes(b"\x00" * 100_000)
    old.chmod(0o644)
    assert _run(*read, str(old)) == 0
    assert old.stat().st_mode & 0o777 == 0o600
    assert old.stat().st_size < 100_000
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o755)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o640)
    held = os.open(pipe, os.O_RDWR)
    rights = [path.stat().st_mode for path in (folder, pipe)]
    with pytest.raises(InputUnusableError):
        _run(*read, str(folder))
    assert _run(*read, str(pipe)) == 0
    os.close(held)
    assert [path.stat().st_mode for path in (folder, pipe)] == rights
