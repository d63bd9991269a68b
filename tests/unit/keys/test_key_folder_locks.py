"""What keeps a folder of keys from being changed is said, with what to do about it."""

import sqlite3
from pathlib import Path

import pytest

from api.errors import ApiError
from api.keys import files, keys
from api.keys.errors import KeyFolderUnusableError
from api.keys.folder import UNFINISHED, KeyFolder


def test_another_process_holds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "WAIT_S", 0.01)
    with (
        files.alone(tmp_path),
        pytest.raises(KeyFolderUnusableError, match=r"another process .* try again"),
        files.alone(tmp_path),
    ):
        pass
    with files.alone(tmp_path):
        pass


def test_the_lock_cannot_be_taken(tmp_path: Path) -> None:
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged/.lock").write_bytes(b"no database" * 100)
    for folder in ("missing", "damaged"):
        with (
            pytest.raises(KeyFolderUnusableError, match=r"\.lock cannot be locked: ") as refused,
            files.alone(tmp_path / folder),
        ):
            pass
        assert "another process" not in str(refused.value)


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect = sqlite3.connect

    def full(*arguments: object, **options: object) -> sqlite3.Connection:
        database = connect(":memory:", isolation_level=None)
        database.execute("PRAGMA max_page_count = 1")
        database.execute("CREATE TABLE everything (a)")
        raise AssertionError("not full")

    monkeypatch.setattr(sqlite3, "connect", full)
    with (
        pytest.raises(KeyFolderUnusableError, match="disk is full"),
        files.alone(tmp_path),
    ):
        pass


def test_what_was_interrupted_is_begun_again(tmp_path: Path) -> None:
    (tmp_path / UNFINISHED).touch()
    advice = "delete the folder and make them again"
    for step in (KeyFolder.read, lambda folder: keys.init(folder, password=None)):
        with pytest.raises(ApiError, match=advice):
            step(tmp_path)


def test_something_else_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    with pytest.raises(ApiError) as refused:
        keys.init(tmp_path, password=None)
    assert "delete" not in str(refused.value)
