"""The fuzzer runs, and what it looks for it finds."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from devices.emrtd.errors import FileMalformedError
from devices.errors import DeviceError

pytest.importorskip("resource", reason="memory is measured where POSIX tells of it")

from tests.fuzz.guard import Guard
from tests.fuzz.targets import TARGETS

ROOT = Path(__file__).resolve().parents[2]


def _fuzz(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_guard_lets_a_value_and_a_typed_error_pass() -> None:
    def parse(data: bytes) -> int:
        if not data:
            raise FileMalformedError("empty")
        return len(data)

    guard = Guard(parse, 64)
    guard(b"")
    guard(b"x")


@pytest.mark.parametrize("error", [ValueError, RecursionError, MemoryError, KeyError, DeviceError])
def test_the_guard_lets_no_other_error_pass(error: type[Exception]) -> None:
    def parse(data: bytes) -> None:
        raise error("from a parser")

    with pytest.raises((error, AssertionError)):
        Guard(parse, 64)(b"")


GROWS = """
import sys
from pathlib import Path
from tests.fuzz.guard import WARM_UP_CALLS, Guard

guard = Guard(lambda data: bytes(len(data) * (8 << 20)) + b"x", 2, Path(sys.argv[1]))
for _ in range(WARM_UP_CALLS + 1):
    guard(b"")
for size in range(1, 60):
    guard(bytes(size))
"""


STARTS = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:], check=False).returncode)"


def test_the_guard_finds_memory_that_grows(tmp_path: Path) -> None:
    """In a process of its own: the peak of this one may lie far above what it has now.

    Linux hands a peak on to the process that is started next, so another one lies between.
    """
    record = tmp_path / "growth"
    finished = subprocess.run(
        [sys.executable, "-c", STARTS, sys.executable, "-c", GROWS, str(record)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "MemoryGrewError" in finished.stderr
    assert int(record.read_text("ascii")) > 2048


def test_an_unknown_parser_is_refused() -> None:
    assert _fuzz("no-such-parser").returncode == 2


@pytest.mark.timeout(120)
def test_a_short_run(tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris is not installed: pip install chinhchu[fuzz], on Linux x86-64")
    finished = _fuzz("dir", "--seconds", "3", "--artifacts", str(tmp_path))
    assert finished.returncode == 0, finished.stderr
    assert " 0 bad inputs" in finished.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_master_list_made_in_another_process_verifies_in_this_one() -> None:
    code = "import sys; from tests.fuzz.master_list import master_list as m; print(m().hex())"
    command = [sys.executable, "-c", code]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    verified = TARGETS["master-list"](bytes.fromhex(made.stdout))
    assert (len(verified.certificates), len(verified.malformed)) == (2, 1)
