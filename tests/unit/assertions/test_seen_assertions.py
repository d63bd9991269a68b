"""The file of accepted assertions: kept, shared between processes, never another database."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.assertions import seen as module
from api.assertions.seen import SeenAssertions, SeenFileBusyError, SeenFileUnusableError

ISSUER = "https://chinhchu.example"


def accept(file: Path, jti: str, issuer: str = ISSUER) -> bool:
    with SeenAssertions(file) as seen:
        is_new = not seen.was_accepted(issuer, jti)
        seen.add(issuer, jti)
        return is_new


def test_remembers(tmp_path: Path) -> None:
    file = tmp_path / "accepted.db"
    assert accept(file, "a")
    assert accept(file, "b")
    assert not accept(file, "a")
    assert not accept(file, "b")


def test_two_issuers_may_use_the_same_identifier(tmp_path: Path) -> None:
    """Or one could block what another issued, by using its identifiers first."""
    file = tmp_path / "accepted.db"
    assert accept(file, "a", "https://one.example")
    assert accept(file, "a", "https://two.example")
    assert not accept(file, "a", "https://two.example")


def test_where_an_issuer_ends_and_an_identifier_begins(tmp_path: Path) -> None:
    file = tmp_path / "accepted.db"
    assert accept(file, "bc", "a")
    assert accept(file, "c", "ab")
    assert accept(file, 'c"', 'a", "b')


def test_no_name_stands_for_a_database_that_is_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert accept(Path(":memory:"), "a")
    assert not accept(Path(":memory:"), "a")


@pytest.mark.parametrize("kind", ["corrupt", "cut-off"])
def test_file_that_has_been_damaged(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "accepted.db"
    accept(file, "a")
    data = file.read_bytes()
    file.write_bytes(data[:4096] + b"\xff" * 4096 if kind == "corrupt" else data[:4000])
    with pytest.raises(SeenFileUnusableError):
        accept(file, "a")


def test_keeps_nothing_after_an_exception(tmp_path: Path) -> None:
    file = tmp_path / "accepted.db"
    with pytest.raises(ZeroDivisionError), SeenAssertions(file) as seen:
        seen.add(ISSUER, "a")
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
        "    print('seen' if seen.was_accepted('urn:i', 'a') else 'new')\n"
        "    seen.add('urn:i', 'a')\n"
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
