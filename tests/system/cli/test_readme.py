"""What the README shows is what the commands print."""

import re
from pathlib import Path

from api.cli import EPILOG, GROUPS
from api.demo import scenario

README = (Path(__file__).resolve().parents[3] / "README.md").read_text("utf-8")


def test_the_demonstration_is_shown_as_it_is_printed() -> None:
    shown = README.partition("<!-- demo -->")[2].partition("<!-- /demo -->")[0]
    source = Path(scenario.__file__).read_text("utf-8")
    steps = re.findall(r'_step\("([^"]+)"', source) + re.findall(r'"(fraud: [^"]+)"', source)
    assert len(steps) == 15
    assert [step for step in steps if f" {step} " not in shown] == []
    assert "15 of 15 as they must be" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_commands_and_exit_codes_exist() -> None:
    assert set(re.findall(r"^chinhchu (\w+)", README, re.M)) <= set(GROUPS)
    for code in re.findall(r"^  (\d+)  ", EPILOG, re.M):
        assert re.search(rf"Exit codes:.*\b{code} ", README)
