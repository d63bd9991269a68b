"""Files as editors, shells and mistakes leave them: read where they mean one thing, else told."""

import io
import json
import os
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from api.cli import main
from tests.fixtures.office import AUDIENCE, NONCE, Office

Ask = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def folder(office: Office, tmp_path: Path) -> Path:
    (tmp_path / "assertion.txt").write_text(office.issue(), encoding="ascii")
    (tmp_path / "contract.pdf").write_bytes(office.document)
    (tmp_path / "root.pem").write_bytes(office.root_pem)
    return tmp_path


@pytest.fixture
def ask(office: Office, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    monkeypatch.chdir(folder)

    def call(*further: str, assertion: str = "assertion.txt", at: str = "") -> Any:
        asked = [assertion, "--root", "root.pem", "--document", "contract.pdf", "--json"]
        asked += ["--audience", AUDIENCE, "--nonce", NONCE, "--at", at or office.at.isoformat()]
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main(["verify", *asked, *further])
        assert "Traceback" not in err.getvalue()
        return code, json.loads(out.getvalue())

    return call


@pytest.mark.parametrize("encoding", ["ascii", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r\n\r\n", " \t\n"])
def test_as_editors_and_shells_save_it(ask: Ask, folder: Path, encoding: str, end: str) -> None:
    text = (folder / "assertion.txt").read_text("ascii") + end
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    (folder / "saved.txt").write_bytes((mark + text).encode(encoding))
    code, answer = ask(assertion="saved.txt")
    assert (code, answer["reasons"]) == (0, [])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"\xff\xfeA",
        b"\xfe\xff\xd8\x00",
        bytes(range(256)),
        b"\x00" * 100_000,
        "assertion".encode("utf-32"),
    ],
    ids=lambda data: f"{data[:4].hex()}x{len(data)}",
)
def test_what_is_no_assertion(ask: Ask, folder: Path, data: bytes) -> None:
    (folder / "odd").write_bytes(data)
    code, answer = ask(assertion="odd")
    assert (code, answer["reasons"]) == (1, ["assertion-malformed"])


@pytest.mark.parametrize("between", ["\n", " ", "\r\n\r\n", ""])
def test_two_assertions_in_one_file(ask: Ask, folder: Path, between: str) -> None:
    text = (folder / "assertion.txt").read_text("ascii")
    (folder / "two.txt").write_text(f"{text}{between}{text}", encoding="ascii")
    code, answer = ask(assertion="two.txt")
    assert (code, answer["reasons"]) == (1, ["assertion-malformed"])


def test_file_larger_than_any_that_carries_an_assertion(ask: Ask, folder: Path) -> None:
    with (folder / "sparse").open("wb") as file:
        file.truncate(1 << 30)
    code, answer = ask(assertion="sparse")
    assert (code, answer["error"]["code"]) == (4, "input-unusable")


@pytest.mark.parametrize("option", ["assertion", "--root", "--document", "--status-list", "--crl"])
def test_folder_in_place_of_a_file(ask: Ask, folder: Path, option: str) -> None:
    (folder / "folder").mkdir()
    if option == "assertion":
        code, answer = ask(assertion="folder")
    else:
        code, answer = ask(option, "folder")
    assert (code, answer["error"]["code"]) == (4, "input-unusable")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes are files on POSIX alone")
def test_pipe(ask: Ask, folder: Path) -> None:
    reader, writer = os.pipe()
    os.write(writer, (folder / "assertion.txt").read_bytes())
    os.close(writer)
    code, answer = ask(assertion=f"/dev/fd/{reader}")
    os.close(reader)
    assert (code, answer["reasons"]) == (0, [])


def test_the_same_document_twice(ask: Ask) -> None:
    assert ask("--document", "contract.pdf")[0] == 0


@pytest.mark.parametrize(
    ("at", "code"),
    [
        ("2026-11-21", 2),
        ("2026-11-21T03:00:00", 2),
        ("yesterday", 2),
        ("0001-01-01T00:00:00+14:00", 2),
        ("9999-12-31T23:59:59-12:00", 2),
        ("9999-12-31T23:59:59Z", 1),
        ("0001-01-01T00:00:00Z", 1),
        ("1949-12-31T23:59:59Z", 1),
        ("2026-11-21T10:00:00+07:00", 0),
    ],
)
def test_times(ask: Ask, at: str, code: int) -> None:
    assert ask(at=at)[0] == code


@pytest.mark.parametrize("data", [b"", b"junk", b"\xff\xfe", b'code = "2.000884"', b"a = [" * 9000])
def test_policy_that_is_none(ask: Ask, folder: Path, data: bytes) -> None:
    (folder / "policy.toml").write_bytes(data)
    code, answer = ask("--policy", "policy.toml")
    assert (code, answer["error"]["code"]) == (4, "input-unusable")


def test_key_beside_the_root_is_never_shown(office: Office, ask: Ask, folder: Path) -> None:
    secret = b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0LWtleQ==\n-----END PRIVATE KEY-----\n"
    (folder / "both.pem").write_bytes(secret + office.root_pem)
    (folder / "key.pem").write_bytes(secret)
    assert ask("--root", "both.pem")[0] == 0
    code, answer = ask("--root", "key.pem")
    assert (code, answer["error"]["code"]) == (4, "roots-unusable")
    assert "c2VjcmV0" not in json.dumps(answer)
