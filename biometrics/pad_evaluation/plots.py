"""Draw an evaluation as SVG, by matplotlib (extra `evaluation`).

Every figure of rendered captures says SIMULATED across it: it must not be taken for evidence.
"""

import io
import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Final

from biometrics.evaluation.plots import check_available
from biometrics.pad_evaluation.judged import BONA_FIDE
from biometrics.pad_evaluation.report import SUM

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TICKS: Final = (0.001, 0.01, 0.05, 0.2, 0.5)
_BONA_FIDE, _ATTACK, _NO_VERDICT = "#1b7837", "#762a83", "#bbbbbb"
_ROWS = 3
"""Panels below one another."""


def draw(report: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the plots of a report by file name: the same report gives the same bytes.

    Raises:
        PlotsUnavailableError: matplotlib is not installed.
    """
    check_available()
    simulated = bool(report["simulated"])
    files = {}
    for unit, found in report["units"].items():
        files[f"{unit}-rates.svg"] = _svg(_rates(found, unit), simulated)
        files[f"{unit}-signals.svg"] = _svg(_matrix(found, unit), simulated)
        if found["scores"]:
            files[f"{unit}-det.svg"] = _svg(_det(found, unit), simulated)
            files[f"{unit}-scores.svg"] = _svg(_scores(found, unit), simulated)
    return files


def _rates(found: Mapping[str, Any], unit: str) -> "Figure":
    """Draw what was accepted of each species with its interval, worst first, and bona fide."""
    rows = [(row["species"], row["apcer"], _ATTACK, row["n"]) for row in found["species"]]
    if found["bona_fide"]:
        honest = found["bona_fide"]
        rows.append(("bona fide, not accepted", honest["not_accepted"], _BONA_FIDE, honest["n"]))
    figure, axes = _axes(f"APCER a species, and bona fide not accepted ({unit})", len(rows))
    for place, (_, rate, colour, _) in enumerate(rows):
        low, high = (100 * end for end in rate["interval"])
        axes.plot([low, high], [place, place], color=colour, linewidth=3, alpha=0.45)
        axes.plot(100 * rate["value"], place, marker="o", color=colour)
    axes.set_yticks(range(len(rows)), [f"{name} (n = {n})" for name, _, _, n in rows])
    axes.invert_yaxis()
    axes.set(xlabel="% with 95 % interval", xlim=(-0.5, None))
    axes.axvline(1.0, color="#444444", linewidth=0.8, linestyle="--")
    axes.grid(visible=True, axis="x", alpha=0.3)
    return figure


def _matrix(found: Mapping[str, Any], unit: str) -> "Figure":
    """Draw the part of each species that each signal refuses, and that it finds ok."""
    signals = list(found["signals"])
    species = [row["species"] for row in found["species"]]
    if found["bona_fide"]:
        species.append(BONA_FIDE)
    said = [[found["signals"][s]["species"].get(name) for s in signals] for name in species]
    values = [[_not_ok(cell) for cell in row] for row in said]
    figure, axes = _axes(f"not ok / refused by each signal, % ({unit})", len(species))
    axes.imshow(values, cmap="Purples", vmin=0, vmax=100, aspect="auto")
    for y, row in enumerate(values):
        for x, value in enumerate(row):
            shade = "white" if value > 60 else "black"
            cell = said[y][x]
            text = "-" if cell is None else f"{value:.0f} / {100 * cell['failed']['value']:.0f}"
            axes.text(x, y, text, ha="center", va="center", fontsize=8, color=shade)
    axes.set_xticks(range(len(signals)), signals, rotation=30, ha="right")
    axes.set_yticks(range(len(species)), species)
    return figure


def _det(found: Mapping[str, Any], unit: str) -> "Figure":
    """Draw BPCER over APCER of every score, all species together, on normal-deviate axes."""
    figure, axes = _axes(f"Detection error trade-off, all species ({unit})", 12)
    for name, score in found["scores"].items():
        least = 0.5 / score["n_attacks"], 0.5 / score["n_bona_fide"]
        axes.plot(
            [_deviate(rate, least[0]) for rate in score["det"]["apcer"]],
            [_deviate(rate, least[1]) for rate in score["det"]["bpcer"]],
            label=f"{name}, EER {100 * score['eer']:.1f} %",
            linewidth=2 if name == SUM else 1,
            drawstyle="steps-post",
        )
    places = [_deviate(tick, 1e-4) for tick in TICKS]
    labels = [f"{100 * tick:g} %" for tick in TICKS]
    axes.set_xticks(places, labels)
    axes.set_yticks(places, labels)
    axes.set(xlabel="APCER", ylabel="BPCER")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(loc="upper right", fontsize=7)
    return figure


def _scores(found: Mapping[str, Any], unit: str) -> "Figure":
    """Draw how each score lies, bona fide and attacks."""
    from matplotlib.figure import Figure

    scores = found["scores"]
    columns = -(-len(scores) // _ROWS)
    figure = Figure(figsize=(4.5 * columns, 2.4 * min(_ROWS, len(scores))), layout="constrained")
    panels = figure.subplots(min(_ROWS, len(scores)), columns, squeeze=False)
    figure.suptitle(f"Scores ({unit}): bona fide green, attacks purple", fontsize=10)
    for axes in panels.flat[len(scores) :]:
        axes.set_axis_off()
    for axes, (name, score) in zip(panels.flat, scores.items(), strict=False):
        histogram = score["histogram"]
        attacks = [histogram[species] for species in score["species"]]
        pooled = [sum(counts) for counts in zip(*attacks, strict=True)]
        for counts, colour in ((pooled, _ATTACK), (histogram[BONA_FIDE], _BONA_FIDE)):
            parts = [count / max(1, sum(counts)) for count in counts]
            axes.stairs(parts, histogram["edges"], fill=True, alpha=0.5, color=colour)
        axes.set_title(f"{name}: AUC {score['auc']:.3f}", fontsize=8)
        axes.tick_params(labelsize=7)
    return figure


def _not_ok(said: Mapping[str, Any] | None) -> float:
    if said is None:
        return math.nan
    return 100 * float(said["failed"]["value"] + said["not_performed"]["value"])


def _axes(title: str, rows: int) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 1.6 + 0.32 * rows), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, fontsize=10)
    axes.tick_params(labelsize=8)
    return figure, axes


def _svg(figure: "Figure", simulated: bool) -> bytes:
    from matplotlib import rc_context

    if simulated:
        figure.text(
            *(0.5, 0.5, "SIMULATED"),
            fontsize=34,
            color="#b2182b",
            alpha=0.18,
            ha="center",
            va="center",
            rotation=20,
        )
    file = io.BytesIO()
    # No date and no random identifiers: the same figures give the same file.
    with rc_context({"svg.hashsalt": "chinhchu", "svg.fonttype": "path"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def _deviate(rate: float, least: float) -> float:
    """Return the normal deviate of a rate; 0 lies at the edge, half an error away."""
    return NormalDist().inv_cdf(min(max(rate, least), 1 - least))
