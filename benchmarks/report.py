"""Put a result's table between the markers of docs/benchmarks.md: `python -m benchmarks.report`."""

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
MARKERS = re.compile(r"(?<=<!-- figures -->\n).*(?=<!-- /figures -->)", re.DOTALL)


def table(result: dict[str, Any]) -> str:
    """Return the figures of a result as Markdown, with what they were taken on."""
    machine, versions = result["machine"], result["versions"]
    lines = [
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, "
        f"{machine['system']}, Python {machine['python']}; {result['taken_at']}; "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + ".",
        "",
        "| metric | value | unit | bound | peer | ratio | n |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, metric in result["metrics"].items():
        cells = (metric[key] for key in ("value", "unit", "bound", "peer", "ratio", "n"))
        row = " | ".join("" if cell is None else str(cell) for cell in cells)
        lines.append(f"| `{name}` | {row} |")
    lines += [f"\n`{name}` skipped: {reason}" for name, reason in result["skipped"].items()]
    return "\n".join(lines) + "\n"


def main(path: Path) -> None:
    """Rewrite the page from a result file."""
    figures = table(json.loads(path.read_text("utf-8")))
    page = PAGE.read_text("utf-8")
    PAGE.write_text(MARKERS.sub(lambda _: figures, page), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
