"""The verdicts that the relying party's guide shows are what the command prints."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from api.assertions.messages import load_messages
from api.assertions.status_array import StatusReference
from api.cli.verify_output import print_verification
from benchmarks.verdict_picture import PICTURE, verdict
from tests.fixtures.office import DOCUMENT, Office

GUIDE = Path(__file__).parents[3] / "docs/guides/relying-party.md"
STATUS = StatusReference(idx=526894, uri="https://chinhchu.example/v1/status-lists/1")
GIVEN = {"en": DOCUMENT, "vi": DOCUMENT + b" "}
"""English shows a status list that was left out, Vietnamese a document that was changed too."""


@pytest.mark.parametrize("language", GIVEN)
def test_the_guide_shows_it_as_it_is_printed(
    office: Office,
    language: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    found = office.verify(office.issue(status=STATUS), documents=[GIVEN[language]])
    print_verification(found, load_messages(language), time_asked=True)
    printed = capsys.readouterr().out
    page = GUIDE.read_text("utf-8")
    shown = page.partition(f"<!-- verdict {language} -->\n")[2].partition("<!-- /verdict -->")[0]
    assert shown == f"```\n{printed}```\n"


def test_the_picture_shows_the_guides_verdict() -> None:
    shown = ElementTree.parse(PICTURE).getroot()
    lines = [element.text or "" for element in shown.iter("{http://www.w3.org/2000/svg}text")]
    assert "KHÔNG ĐẠT" in lines[0]
    assert lines == verdict(GUIDE.read_text("utf-8")).splitlines()
