"""Every reason that `chinhchu verify` can give stands in the guide, with what to do about it."""

import re
from collections import Counter
from pathlib import Path

import pytest

from api.assertions.crl_check import CrlUnusableError
from api.assertions.errors import RootsUnusableError
from api.assertions.levels import LEVELS
from api.assertions.messages import load_messages
from api.assertions.seen import SeenFileBusyError, SeenFileUnusableError
from api.cli import build_parser
from api.cli.output import EXIT_BY_OUTCOME, EXIT_FAULT
from api.errors import InputUnusableError

GUIDES = Path(__file__).parents[3] / "docs/guides"
PAGE = (GUIDES / "reasons.md").read_text("utf-8")
RELYING_PARTY = (GUIDES / "relying-party.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| `")
]
OUTCOMES = {code: row[1] for row in ROWS for code in re.findall(r"`([a-z-]+)`", row[0])}
VIETNAMESE = re.compile("[àáạảãâăêôơưđ]", re.IGNORECASE)


def codes(text: str) -> set[str]:
    return set(re.findall(r"`([a-z]+(?:-[a-z]+)*)`", text))


def test_every_reason_and_no_other() -> None:
    faults = (InputUnusableError, RootsUnusableError, CrlUnusableError)
    reasons = set(load_messages("en")["reason"])
    reasons |= {e.code for e in (*faults, SeenFileBusyError, SeenFileUnusableError)}
    assert reasons - OUTCOMES.keys() == set()
    assert OUTCOMES.keys() - reasons == set()
    assert max(Counter(c for row in ROWS for c in re.findall(r"`([a-z-]+)`", row[0])).values()) == 1


def test_each_says_what_to_do_in_both_languages() -> None:
    assert len(ROWS) > 50
    for _, outcome, english, vietnamese in ROWS:
        assert outcome in ("F", "I", "n", "")
        assert len(english) > 20 and not VIETNAMESE.search(english)
        assert len(vietnamese) > 15 and VIETNAMESE.search(vietnamese)


def test_both_pages_give_the_same_outcome() -> None:
    """The relying party's guide puts what leaves the outcome INDETERMINATE after a semicolon."""
    table = RELYING_PARTY.partition("## What is checked, in this order")[2].partition("\n## ")[0]
    cells = [line.strip("|").split("|")[2] for line in table.splitlines() if line.startswith("| `")]
    assert len(cells) > 15
    for cell in cells:
        failed, _, missing = cell.partition(";")
        assert {code: OUTCOMES[code] for code in codes(failed)} == dict.fromkeys(codes(failed), "F")
        assert {code: OUTCOMES[code] for code in codes(missing)} == dict.fromkeys(
            codes(missing), "I"
        )


def test_every_argument_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build_parser().parse_args(["verify", "--help"])
    usage = capsys.readouterr().out.partition("\n\n")[0]
    table = RELYING_PARTY.partition("| argument | |")[2].partition("\n\n")[0]
    options = set(re.findall(r"--[a-z][a-z-]+", usage))
    assert "--status-list" in options
    assert set(re.findall(r"--[a-z][a-z-]+", table)) == options


@pytest.mark.parametrize("page", [PAGE, RELYING_PARTY], ids=["reasons", "relying-party"])
def test_exit_codes(page: str) -> None:
    for outcome, code in EXIT_BY_OUTCOME.items():
        assert re.search(
            rf"^\|.*{outcome}.*\| {code} \||^\| {code} \| {outcome}", page, re.MULTILINE
        )
    assert re.search(rf"\| {EXIT_FAULT} \|", page)


def test_the_table_of_levels_is_the_one_that_decides() -> None:
    table = RELYING_PARTY.partition("## Levels")[2].partition("\n## ")[0]
    rows = {
        cells[0].strip("` "): [cell.strip() for cell in cells]
        for line in table.splitlines()
        if line.startswith("| `") and (cells := line.strip("|").split("|"))
    }
    assert list(rows) == [requirement.level for requirement in LEVELS]
    for requirement in LEVELS:
        _, chip, clone, capture, face, liveness, attendance = rows[requirement.level]
        assert ("fresh" in chip) is requirement.fresh_crl
        assert ("strongest" in chip) is requirement.no_downgrade
        assert ("officer" in clone) is requirement.clone_optional_under_officer
        assert f"`{requirement.browser}`" in capture
        assert float(re.findall(r"1e-\d", face)[0]) == requirement.max_fmr
        assert ("passive `ok`" in liveness) is requirement.passive_pad
        assert f"`{requirement.attending}`" in attendance
