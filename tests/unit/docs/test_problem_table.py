"""The developer's guide knows every refusal of the server, under its HTTP status."""

import re
from pathlib import Path

from api import problems
from api.problems import CODE_BY_STATUS, STATUS_BY_CODE

GUIDE = (Path(__file__).parents[3] / "docs/guides/developer.md").read_text("utf-8")


def test_every_code_under_its_status_and_no_other() -> None:
    told = {
        (int(status), code)
        for status, codes in re.findall(r"^\| (\d{3}) \| (`.+?) \|", GUIDE, re.MULTILINE)
        for code in re.findall(r"`([a-z-]+)`", codes)
    }
    given = {(int(status), code) for code, status in STATUS_BY_CODE.items()}
    given |= {(int(status), code) for status, code in CODE_BY_STATUS.items()}
    source = Path(problems.__file__).read_text("utf-8")
    made = set(re.findall(r'problem\(status, "([a-z-]+)"', source))
    assert made == {"request-invalid", "unexpected-fault"}
    assert told == given | {(422, "request-invalid"), (500, "unexpected-fault")}
