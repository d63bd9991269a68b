"""The threat table names tests and reason codes that there are."""

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ROWS = [
    tuple(cell.strip().strip("`") for cell in line.strip("|\n").split("|"))
    for line in (ROOT / "docs/threats.md").read_text("utf-8").splitlines()
    if line.startswith("|") and "`test_" in line
]
PREFIXES = (
    "sod-",
    "dsc-",
    "csca-",
    "card-security-",
    "master-list-",
    "online-verdict-",
    "challenge-step-",
    "audience-",
    "nonce-",
)


@cache
def _sources() -> str:
    folders = (ROOT / "devices/emrtd", ROOT / "api", ROOT / "biometrics")
    files = [p for folder in folders for p in folder.rglob("*.py")]
    files.append(ROOT / "models/quality.toml")
    return "".join(p.read_text("utf-8") for p in files)


def test_the_table_is_there() -> None:
    assert len(ROWS) > 40
    assert all(len(row) == 4 and all(row) for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[2]}-{n}" for n, row in enumerate(ROWS)])
def test_each_attack_has_its_test_and_its_reason(row: tuple[str, str, str, str]) -> None:
    _, _, reason, test = row
    file, name = test.split("::")
    (path,) = (ROOT / "tests").rglob(file)
    text = path.read_text("utf-8")
    assert re.search(rf"^( {{4}})?def {name}\(", text, re.MULTILINE)
    # Some codes are put together from the thing that was signed and what is wrong with it.
    prefix = next((p for p in PREFIXES if reason.startswith(p)), "")
    known = {f'"{reason}"', f'"{reason.removeprefix(prefix)}"', f'-{reason.removeprefix(prefix)}"'}
    sources = _sources()
    assert any(code in sources for code in known)
    assert reason.removeprefix(prefix) in text
