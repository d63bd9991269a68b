"""Links in the documents lead somewhere; the files that the architecture names are there."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *(ROOT / "models").rglob("*.md"),
]
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text("utf-8")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = ("devices", "biometrics", "api", "benchmarks", "models")


def links(page: Path) -> Iterator[str]:
    """Yield what a page links to, outside its blocks of code."""
    text = FENCE.sub("", page.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:", target):
            yield target


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors of a page's headings, as code hosts make them."""
    text = FENCE.sub("", page.read_text("utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", h).strip().lower().replace(" ", "-") for h in headings)


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in links(page):
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        assert found.is_relative_to(ROOT), target
        assert not anchor or anchor in anchors(found), target


def test_every_page_is_linked_from_another() -> None:
    linked = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in PAGES
        for target in links(page)
        if not target.startswith("#")
    }
    assert set((ROOT / "docs").rglob("*.md")) - linked == set()


def files() -> list[str]:
    """Return every file of the code, by its path below the project."""
    return [
        path.relative_to(ROOT).as_posix()
        for folder in CODE
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]


def test_every_file_that_the_architecture_names_is_there() -> None:
    instead_of = r"(?<!instead of )"
    named = set(re.findall(rf"{instead_of}`([\w/.*]+\.(?:py|toml|json))`", ARCHITECTURE))
    assert len(named) > 100
    known = [f"/{file}" for file in files()] + ["/pyproject.toml"]
    pattern = {
        name: re.compile(re.escape(f"/{name}").replace(r"\*", r"[^/]+") + "$") for name in named
    }
    assert [n for n in sorted(named) if not any(pattern[n].search(file) for file in known)] == []


def test_every_folder_that_the_architecture_names_is_there() -> None:
    named = set(re.findall(r"`([\w/]+)/`", ARCHITECTURE))
    assert len(named) > 15
    folders = {f"/{parent.as_posix()}" for file in files() for parent in Path(file).parents}
    assert [n for n in sorted(named) if not any(f.endswith(f"/{n}") for f in folders)] == []


def test_every_folder_of_the_code_is_told() -> None:
    tree = ARCHITECTURE.partition("## Folders\n\n```\n")[2].partition("```")[0]
    told = set(re.findall(r"(?:^| {2,})(\w+)/", tree, re.MULTILINE))
    packages = {
        part
        for folder in ("devices", "biometrics", "api")
        for init in (ROOT / folder).rglob("__init__.py")
        for part in init.parent.relative_to(ROOT).parts
    }
    assert packages - told == set()
    assert told - packages <= {"models", "benchmarks", "tests", "stages"}
