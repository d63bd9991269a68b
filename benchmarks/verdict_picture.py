"""The picture of a verdict in README.md, drawn from the one that the relying party's guide shows.

`python -m benchmarks.verdict_picture` writes it anew. What the guide shows is compared with what
the command prints by `tests/unit/docs/test_shown_verdicts.py`.
"""

from pathlib import Path
from xml.sax.saxutils import escape

DOCS = Path(__file__).resolve().parents[1] / "docs"
GUIDE = DOCS / "guides/relying-party.md"
PICTURE = DOCS / "pictures/verdict.svg"
LANGUAGE = "vi"

COLUMNS = 80
CHARACTER_PX = 8.4
"""Width of a character of 14 px in the usual fonts of one width."""
LINE_PX = 18
MARGIN_PX = 16

INK, PAPER, BAD = "#d4d4d4", "#1e1e1e", "#ff7b72"


def verdict(guide: str, language: str = LANGUAGE) -> str:
    """Return the verdict that a guide shows between its marks."""
    shown = guide.partition(f"<!-- verdict {language} -->\n```\n")[2]
    return shown.partition("```\n")[0]


def draw(text: str, bad: tuple[str, ...]) -> str:
    """Return a terminal with a text as SVG; lines that hold one of the words `bad` stand out."""
    lines = text.splitlines()
    width = round(COLUMNS * CHARACTER_PX) + 2 * MARGIN_PX
    height = len(lines) * LINE_PX + 2 * MARGIN_PX
    rows = "\n".join(
        f'<text x="{MARGIN_PX}" y="{MARGIN_PX + (n + 1) * LINE_PX - 4}"'
        f' fill="{BAD if any(word in line for word in bad) else INK}">{escape(line)}</text>'
        for n, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        ' font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="14"'
        ' xml:space="preserve" style="white-space: pre">\n'
        f'<rect width="100%" height="100%" rx="8" fill="{PAPER}"/>\n{rows}\n</svg>\n'
    )


def main() -> None:
    """Write the picture."""
    PICTURE.parent.mkdir(exist_ok=True)
    text = verdict(GUIDE.read_text("utf-8"))
    PICTURE.write_text(draw(text, ("KHÔNG ĐẠT", "không đạt")), "utf-8")


if __name__ == "__main__":
    main()
