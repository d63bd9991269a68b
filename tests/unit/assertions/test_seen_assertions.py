"""The file of accepted assertions: kept, shared between processes, never another database."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.assertions import seen as module
from api.assertions.seen import SeenAssertions, SeenFileBusyError, SeenFileUnusableError


def accept(file: Path, jti: str) -> bool:
    with SeenAssertions(file) as seen:
        is_new = jti not in seen
        seen.add(jti)
        return is_new


def test_remembers(tmp_path: Path) -> None:
    file = tmp_path / "accepted.db"
    assert accept(file, "a")
    assert accept(file, "b")
    assert not accept(file, "a")
    assert not accept(file, "b")


def test_keeps_nothing_after_an_exception(tmp_path: Path) -> None:
    file = tmp_path / "accepted.db"
    with pytest.raises(ZeroDivisionError), SeenAssertions(file) as seen:
        seen.add("a")
        raise ZeroDivisionError
    assert accept(file, "a")


def test_holds_no_identifier_in_plain(tmp_path: Path) -> None:
    file = tmp_path / "accepted.db"
    accept(file, "an-identifier-of-an-assertion")
    assert b"an-identifier" not in file.read_bytes()


def test_of_many_threads_one_accepts(tmp_path: Path) -> None:
    file = tmp_path / "accepted.db"
    with ThreadPoolExecutor(8) as pool:
        accepted = list(pool.map(lambda number: accept(file, f"jti-{number % 5}"), range(40)))
    assert accepted.count(True) == 5


def test_of_several_processes_one_accepts(tmp_path: Path) -> None:
    file = tmp_path / "accepted.db"
    code = (
        "import sys; from pathlib import Path; from api.assertions.seen import SeenAssertions\n"
        "with SeenAssertions(Path(sys.argv[1])) as seen:\n"
        "    print('seen' if 'a' in seen else 'new')\n"
        "    seen.add('a')\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(file)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    told = sorted(process.communicate(timeout=60)[0].strip() for process in running)
    assert told == ["new", "seen", "seen", "seen"]


def test_waits_only_so_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "accepted.db"
    accept(file, "a")
    monkeypatch.setattr(module, "WAIT_S", 0.1)
    with SeenAssertions(file):
        with pytest.raises(SeenFileBusyError) as busy, SeenAssertions(file):
            pass
        assert busy.value.retryable


def test_another_file(tmp_path: Path) -> None:
    file = tmp_path / "contract.pdf"
    file.write_bytes(b"%PDF-1.7 " + bytes(5000))
    with pytest.raises(SeenFileUnusableError), SeenAssertions(file):
        pass
    assert file.read_bytes() == b"%PDF-1.7 " + bytes(5000)


def test_another_database(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    other = sqlite3.connect(file)
    other.execute("CREATE TABLE dossiers (id INTEGER)")
    other.commit()
    other.close()
    with pytest.raises(SeenFileUnusableError, match="another database"), SeenAssertions(file):
        pass


def test_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SeenFileUnusableError), SeenAssertions(tmp_path / "none" / "accepted.db"):
        pass
