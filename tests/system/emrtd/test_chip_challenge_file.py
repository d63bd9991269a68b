"""`chinhchu chip read --challenge-file`: one machine is terminal and verifier, with two files."""

import argparse
import json
import os
from pathlib import Path
from typing import Any

import pytest

from api.cli import chip
from api.errors import InputUnusableError
from devices.emrtd.errors import ChallengeMalformedError
from devices.emrtd.verification.challenges import Challenges


def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    chip.register(parser.add_subparsers(required=True))
    args = parser.parse_args(["chip", *arguments])
    return int(args.run(args))


def _read(card: Path, folder: Path, name: str = "first") -> tuple[Path, Path]:
    evidence, secret = folder / f"{name}.cbor", folder / f"{name}.json"
    files = ("--challenge-file", str(secret), "--out", str(evidence))
    assert _run("read", "--card", str(card), "--can", "123456", *files, "--json") == 0
    return evidence, secret


@pytest.fixture(scope="module")
def card(make_card: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("challenged") / "card"
    make_card().save(folder)
    return folder


def _verdict(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_read_and_verify_by_both_methods(
    card: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evidence, secret = _read(card, tmp_path)
    assert _verdict(capsys)["chip_authentication_answered"] is True
    if os.name == "posix":
        assert secret.stat().st_mode & 0o077 == 0
    verify = ("verify", str(evidence), "--trust", str(card / "trust"), "--json")
    assert _run(*verify, "--challenge-file", str(secret)) == 0
    clone = _verdict(capsys)["clone"]
    assert clone == {"method": "CA", "result": "ok", "proven_by": ["CA", "AA"]}
    # Without the secret nothing is proven; with another reading's it is refused.
    assert _run(*verify) == 3
    assert _verdict(capsys)["clone"]["proven_by"] == []
    _, other = _read(card, tmp_path, "second")
    capsys.readouterr()
    assert _run(*verify, "--challenge-file", str(other)) == 1
    reasons = _verdict(capsys)["reasons"]
    assert reasons == ["aa-challenge-mismatch", "ca-challenge-mismatch"]


def test_clone(make_card: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    genuine = make_card(active_authentication="none")
    genuine.cloned().save(tmp_path / "clone")
    evidence, secret = _read(tmp_path / "clone", tmp_path)
    capsys.readouterr()
    verify = ("verify", str(evidence), "--trust", str(tmp_path / "clone/trust"), "--json")
    assert _run(*verify, "--challenge-file", str(secret)) == 1
    assert _verdict(capsys)["reasons"] == ["ca-answer-invalid"]


def test_arguments_that_exclude_each_other(card: Path, tmp_path: Path) -> None:
    both = ("--challenge", "00" * 8, "--challenge-file", str(tmp_path / "secret.json"))
    with pytest.raises(InputUnusableError):
        _run("read", "--card", str(card), "--can", "123456", *both)
    with pytest.raises(SystemExit):
        _run("verify", "evidence", "--trust", "trust", *both)


def test_what_is_no_file_of_challenges(card: Path, tmp_path: Path) -> None:
    evidence, secret = _read(card, tmp_path)
    whole = json.loads(secret.read_text("utf-8"))
    assert Challenges.from_bytes(secret.read_bytes()).to_bytes() == secret.read_bytes()
    broken = [
        b"",
        b"[]",
        b"[" * 20_000,
        b"\xff",
        json.dumps(whole | {"version": 2}).encode(),
        json.dumps(whole | {"format": "other"}).encode(),
        json.dumps(whole | {"active_authentication": "00"}).encode(),
        json.dumps(whole | {"active_authentication": 1}).encode(),
        json.dumps(whole | {"chip_authentication": {}}).encode(),
        json.dumps(whole | {"chip_authentication": "text"}).encode(),
    ]
    verify = ("verify", str(evidence), "--trust", str(card / "trust"), "--challenge-file")
    for data in broken:
        secret.write_bytes(data)
        with pytest.raises(ChallengeMalformedError):
            _run(*verify, str(secret))
    with pytest.raises(ChallengeMalformedError):
        Challenges.from_bytes(b" " * 100_000)
    with pytest.raises(InputUnusableError):
        _run(*verify, str(tmp_path / "absent"))
