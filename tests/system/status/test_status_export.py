"""`chinhchu status export` where something is in the way: another issuer, a leaf that ends."""

import json
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.cli import main
from api.keys import keys
from api.status.allocation import StatusAllocation
from api.store.database import open_database

PASSWORD = "một mật khẩu đủ dài"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def export(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return a function that exports, and gives exit code, JSON and what was said besides."""

    def run(*arguments: str) -> tuple[int, Any, str]:
        asked = ["status", "export", str(tmp_path / "usb"), *arguments]
        code = main([*asked, "--home", str(home), "--json"])
        printed = capsys.readouterr()
        return code, json.loads(printed.out), printed.err

    return run


def open_lists(home: Path, *issuers: str) -> None:
    engine = open_database(home / "chinhchu.sqlite")
    for issuer in issuers:
        StatusAllocation(engine).reserve(issuer)
    engine.dispose()


def test_another_issuers_list_keeps_no_other_from_being_exported(
    home: Path, export: Any, tmp_path: Path
) -> None:
    """As after new keys with another `iss`: only the old key could speak for the old list."""
    keys.init(home / "keys", issuer="https://new.example", password=None)
    open_lists(home, "https://old.example", "https://new.example")
    code, told, said = export()
    assert (code, len(told["files"]), len(told["of_another_issuer"])) == (1, 1, 1)
    assert [str(p) for p in (tmp_path / "usb").iterdir()] == [told["files"][0]["file"]]
    assert told["of_another_issuer"][0] in said


def test_a_leaf_that_ends_before_is_said(home: Path, export: Any) -> None:
    begin = datetime.now(UTC) - timedelta(days=85)
    keys.init(home / "keys", issuer="https://new.example", password=None, at=begin)
    open_lists(home, "https://new.example")
    code, told, said = export("--days", "7")
    end = datetime.fromisoformat(told["files"][0]["expires_at"])
    assert code == 0
    assert timedelta(days=4) < end - datetime.now(UTC) < timedelta(days=5, minutes=1)
    assert "keys renew" in said
    assert "keys renew" not in export("--days", "4")[2]


def test_the_password_from_a_file(home: Path, export: Any, tmp_path: Path) -> None:
    keys.init(home / "keys", issuer="https://new.example", password=PASSWORD)
    open_lists(home, "https://new.example")
    assert export()[1]["error"]["code"] == "keys-password-wrong"
    (tmp_path / "password").write_text(PASSWORD + "\n", "utf-8")
    assert export("--password-file", str(tmp_path / "password"))[0] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege")
def test_a_link_on_the_stick_is_not_followed(home: Path, export: Any, tmp_path: Path) -> None:
    keys.init(home / "keys", issuer="https://new.example", password=None)
    open_lists(home, "https://new.example")
    file = Path(export()[1]["files"][0]["file"])
    (tmp_path / "precious").write_text("mine")
    file.unlink()
    file.symlink_to(tmp_path / "precious")
    file.with_name(f"{file.name}.new").symlink_to(tmp_path / "precious")
    assert export()[0] == 0
    assert (tmp_path / "precious").read_text() == "mine"
    assert stat.S_ISREG(file.lstat().st_mode)
