"""Every command that the documents print is one that there is, with the arguments that it has."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.cli import GROUPS, build_parser

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:^|&& |\$\(|[0-9*] {2})(?:\.venv/bin/)?chinhchu (?=[a-z])(.*)")
EXPLANATION = re.compile(r" {2,}\S.*$|\s#\s.*$|\s&$|\s[|>].*$|\)\";.*$")
GROUP = f"(?:{'|'.join(GROUPS)})"
PLACEHOLDERS = {
    "--challenge": "8f3b0a1c22d4e596",
    "--digest": "5b" * 32,
    "--invalid-since": "2026-11-22T15:00:00+07:00",
}
"""What an argument gets for which the page has a word in capitals."""


def commands(page: Path) -> Iterator[list[str]]:
    """Yield the words of each command in a page's blocks, then of those within its text."""
    text = page.read_text("utf-8")
    for language, block in FENCE.findall(text):
        if language not in ("", "sh"):
            continue
        for line in block.replace("\\\n", " ").splitlines():
            if found := COMMAND.search(re.sub(r"(?<=\S) {2,}(?=-)", " ", line)):
                words = shlex.split(EXPLANATION.sub("", found[1]))
                before = ("", *words)
                yield [PLACEHOLDERS.get(before[n], word) for n, word in enumerate(words)]
    for inline in re.findall(rf"`(?:chinhchu )?({GROUP} [^`…]*-[^`…]*)`", FENCE.sub("", text)):
        words = [word for word in shlex.split(inline) if word != "--help"]
        before = ("", *words)
        yield [PLACEHOLDERS.get(before[n], word) for n, word in enumerate(words)]


PRINTED = [(page, words) for page in PAGES for words in commands(page)]


def test_the_documents_print_commands() -> None:
    assert len(PRINTED) > 75
    assert {words[0] for _, words in PRINTED} >= {
        "verify",
        "keys",
        "pdf",
        "status",
        "chip",
        "serve",
    }


@pytest.mark.parametrize(
    ("page", "words"),
    PRINTED,
    ids=[f"{page.stem}-{n}-{words[0]}" for n, (page, words) in enumerate(PRINTED)],
)
def test_it_can_be_given(page: Path, words: list[str]) -> None:
    build_parser().parse_args(words)


def test_every_target_of_make_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {
        target
        for page in PAGES
        for target in re.findall(r"(?:`|^ *)make ([a-z-]+)", page.read_text("utf-8"), re.MULTILINE)
    }
    assert {"demo", "test", "verifier"} <= named <= targets
