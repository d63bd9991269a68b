"""The tables that people read of an evaluation of presentation-attack detection."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.cli.evaluation_output import interval, percent
from api.cli.output import printable

_SHOWN_REASONS = 4


def print_report(report: Mapping[str, Any]) -> None:
    """Print every rate with its 95 % interval and the number of presentations behind it."""
    console = Console(highlight=False)
    for unit, found in report["units"].items():
        console.print(_rates(unit, found))
        console.print(_reasons(found))
        console.print(_signals(found))
        console.print(_scores(found))
        for line in _remarks(unit, found):
            console.print(Text(line), soft_wrap=True)
    if report["simulated"]:
        console.print(
            Text(
                "SIMULATED: a rig rendered these captures from single pictures. They show that the "
                "software works, and are no evidence about people or real attacks.",
                style="bold yellow",
            ),
            soft_wrap=True,
        )


def _rates(unit: str, found: Mapping[str, Any]) -> Table:
    table = Table(title=f"presentation-attack detection, {unit}", title_justify="left")
    table.add_column("species, worst first", overflow="fold")
    for heading in ("APCER", "95 % interval", "APNRR", "refused", "n"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in found["species"]:
        table.add_row(
            printable(row["species"]) + _mark(row),
            percent(row["apcer"]["value"]),
            interval(row["apcer"]["interval"]),
            percent(row["apnrr"]["value"]),
            percent(row["refused"]["value"]),
            f"{row['n']:,}",
        )
    honest = found["bona_fide"]
    if honest:
        table.add_section()
        for name, key in (
            ("BPCER, refused", "bpcer"),
            ("BPNRR, no verdict", "bpnrr"),
            ("not accepted at first", "not_accepted"),
        ):
            rate = honest[key]
            table.add_row(
                name + _mark(honest),
                percent(rate["value"]),
                interval(rate["interval"]),
                *("", "", f"{rate['n']:,}"),
            )
    return table


def _reasons(found: Mapping[str, Any]) -> Table:
    table = Table(title="reasons, captures", title_justify="left")
    table.add_column("species", overflow="fold")
    table.add_column("the most frequent", overflow="fold")
    rows = [(row["species"], row) for row in found["species"]]
    rows += [("bona-fide", found["bona_fide"])] if found["bona_fide"] else []
    for species, row in rows:
        shown = [f"{reason} {count}" for reason, count in row["reasons"].items()]
        more = len(shown) - _SHOWN_REASONS
        told = ", ".join(shown[:_SHOWN_REASONS]) + (f", and {more} more" if more > 0 else "")
        table.add_row(printable(species) + _mark(row), told)
    return table


def _signals(found: Mapping[str, Any]) -> Table:
    table = Table(title="refused / not ok by each signal, %", title_justify="left")
    table.add_column("species")
    for name in found["signals"]:
        table.add_column(name, justify="right", overflow="fold")
    rows = [row["species"] for row in found["species"]] + ["bona-fide"]
    for species in rows:
        cells = [_cell(signal["species"].get(species)) for signal in found["signals"].values()]
        if any(cells):
            table.add_row(printable(species), *cells)
    return table


def _scores(found: Mapping[str, Any]) -> Table:
    table = Table(title="scores: AUC (EER %), bona fide against attacks", title_justify="left")
    table.add_column("score")
    for heading in ("all species", "worst species", "n"):
        table.add_column(heading, justify="right")
    for name, score in found["scores"].items():
        worst = min(score["species"].items(), key=lambda item: item[1]["auc"])
        table.add_row(
            name,
            _separation(score),
            f"{_separation(worst[1])} {printable(worst[0])}",
            f"{score['n_bona_fide']:,} + {score['n_attacks']:,}",
        )
    return table


def _remarks(unit: str, found: Mapping[str, Any]) -> Iterator[str]:
    yield f"Tested: {found['meaning']}."
    if unit == "passive":
        yield "No challenge was answered: in operation none of these would have been accepted."
    if not found["bona_fide"]:
        yield "No bona fide presentation: no BPCER."
    if not found["species"]:
        yield "No attack: no APCER."
    else:
        worst = found["species"][0]
        yield (
            f"Worst species {printable(worst['species'])}: APCER {percent(worst['apcer']['value'])}"
            f", at most {percent(worst['apcer_upper'])} with 95 % confidence."
        )


def _mark(row: Mapping[str, Any]) -> str:
    return " (simulated)" if row["simulated"] else ""


def _cell(said: Mapping[str, Any] | None) -> str:
    if said is None:
        return ""
    failed = 100 * said["failed"]["value"]
    return f"{failed:.0f} / {failed + 100 * said['not_performed']['value']:.0f}"


def _separation(score: Mapping[str, Any]) -> str:
    return f"{score['auc']:.3f} ({100 * score['eer']:.1f})"
