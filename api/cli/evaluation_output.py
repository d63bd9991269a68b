"""The table that people read of an evaluation."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.cli.output import printable

_Row = tuple[str, str, str, str]


def print_report(report: Mapping[str, Any]) -> None:
    """Print every rate with its 95 % interval and the number of trials behind it."""
    console = Console(highlight=False)
    data, degradation = report["data"], report["degradation"]
    table = Table(title=Text(f"comparison {report['comparison']} on {printable(data['file'])}"))
    table.title_justify = "left"
    table.add_column("metric", overflow="fold")
    rows = [*_whole(report), *_at_points(report)]
    for place, name in enumerate(("value", "95 % interval", "n"), start=1):
        width = max(len(row[place]) for row in rows)
        table.add_column(name, justify="right", min_width=width)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console.print(table)
    for line in _remarks(report):
        console.print(Text(line), soft_wrap=True)
    if degradation:
        console.print(
            f"The {degradation['side']} of each pair was degraded: {degradation['meaning']}.",
            soft_wrap=True,
        )


def _whole(report: Mapping[str, Any]) -> Iterator[_Row]:
    yield _row("failure to acquire (FTA)", report["fta"])
    for key, what in (("accuracy", ""), ("accuracy_of_compared", ", pairs with templates")):
        accuracy = report[key]
        if "value" in accuracy and (not what or accuracy["n"] < report["accuracy"]["n"]):
            yield (
                f"accuracy over {len(accuracy['folds'])} folds{what}",
                f"{percent(accuracy['value'])} ± {percent(accuracy['standard_error'])}",
                interval(accuracy["interval"]),
                f"{accuracy['n']:,}",
            )
    yield _row("equal error rate (EER)", report["eer"])
    for look in report["fnmr_at_fmr"]:
        yield (
            f"FNMR at FMR {look['fmr']:g} *",
            percent(look["fnmr"]),
            "",
            f"{report['pairs']['mated']:,}",
        )


def _at_points(report: Mapping[str, Any]) -> Iterator[_Row]:
    measured = report["operating_points"]
    mark = "" if measured["held_out"] else " (not held out)"
    yield from _point_rows(measured["points"], mark)
    for group, found in report["groups"].items():
        yield from _point_rows(found["points"], f"{mark}, group {printable(group)}")


def _point_rows(points: Mapping[str, Any], mark: str) -> Iterator[_Row]:
    for name, point in points.items():
        yield _row(f"{name}: FMR{mark}", point["fmr"])
        yield _row(f"{name}: FNMR{mark}", point["fnmr"])
        if point["generalised_fnmr"]["n"] != point["fnmr"]["n"]:
            yield _row(f"{name}: FNMR with FTA{mark}", point["generalised_fnmr"])


def _remarks(report: Mapping[str, Any]) -> Iterator[str]:
    data, calibration = report["data"], report["calibration"]
    folds = ", ".join(printable(name) for name in calibration["folds"] if name) or "none"
    yield (
        f"{data['people']:,} people, {data['pictures']:,} pictures, "
        f"{report['pairs']['mated']:,} mated and {report['pairs']['nonmated']:,} non-mated pairs."
    )
    if report["fnmr_at_fmr"]:
        yield "* threshold chosen on these very scores: a look at them, no operating point."
    yield f"Operating points from {printable(calibration['file'])} (folds: {folds})."
    if not report["operating_points"]["held_out"]:
        yield (
            "NOT HELD OUT: the operating points were chosen on these very pictures; their rates "
            "here promise nothing."
        )
    elif calibration["folds_seen_here"]:
        seen = ", ".join(printable(name) or "(none)" for name in calibration["folds_seen_here"])
        yield f"Rates at the operating points leave out the calibration's own fold {seen}."
    else:
        yield (
            "No fold here is one of the calibration's; single pictures shared with it would not be "
            "noticed."
        )
    for name, reason in report["operating_points"]["unsupported"].items():
        yield f"No operating point {name}: {reason}."
    if "not_computed" in report["accuracy"]:
        yield f"No accuracy: {report['accuracy']['not_computed']}."
    if data["people_in_several_folds"]:
        yield (
            f"{data['people_in_several_folds']} people are in several folds: no fold is held out "
            "from the others, and accuracy and rates look better than they are."
        )
    if data["identical_pictures"]:
        yield (
            f"{data['identical_pictures']} pictures are copies of others in the list: comparing "
            "them tests nothing."
        )
    if not data["people_are_known"]:
        yield (
            "The list does not say who is who: intervals take pictures that no mated pair joins as "
            "different people."
        )
    if report["fta"]["reasons"]:
        reasons = ", ".join(f"{code} {count}" for code, count in report["fta"]["reasons"].items())
        yield f"Failures to acquire: {reasons}."


def _row(metric: str, rate: Mapping[str, Any]) -> _Row:
    value = "-" if rate["value"] is None else percent(rate["value"])
    return metric, value, interval(rate["interval"]), f"{rate['n']:,}"


def percent(rate: float) -> str:
    """Return a rate in percent, with digits enough for a small one."""
    return f"{100 * rate:.2f} %" if rate == 0 or rate >= 1e-3 else f"{100 * rate:.2g} %"


def interval(ends: list[float] | None) -> str:
    """Return an interval in percent."""
    if ends is None:
        return ""
    low, high = (percent(max(0.0, end))[:-2] for end in ends)
    return f"{low} to {high} %"
