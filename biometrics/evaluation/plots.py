"""Draw an evaluation: the DET curve and the scores, as SVG, by matplotlib (extra `evaluation`)."""

import io
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Final

from biometrics.evaluation.errors import PlotsUnavailableError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

TICKS: Final = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.05, 0.2, 0.5)
_WIDEST: Final = 0.5
_MATED, _NONMATED, _OURS = "#1b7837", "#762a83", "#2166ac"


def check_available() -> None:
    """Make sure, before long work, that plots can be drawn after it.

    Raises:
        PlotsUnavailableError: matplotlib is not installed.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise PlotsUnavailableError(
            "plots need matplotlib: install chinhchu[evaluation], or leave them out with --no-plots"
        ) from error


def draw(report: Mapping[str, Any]) -> dict[str, bytes]:
    """Return the plots of a report by file name: the same report gives the same bytes.

    Raises:
        PlotsUnavailableError: matplotlib is not installed.
    """
    check_available()
    return {"det.svg": _svg(_det(report)), "scores.svg": _svg(_scores(report))}


def _det(report: Mapping[str, Any]) -> "Figure":
    """Draw FNMR over FMR on normal-deviate axes. Source: ISO/IEC 19795-1:2021, 10.6."""
    curve, pairs = report["det"], report["pairs"]
    lowest = 0.5 / pairs["nonmated"], 0.5 / pairs["mated"]
    figure, axes = _axes(f"Detection error trade-off, comparison {report['comparison']}")
    axes.plot(
        [_deviate(rate, lowest[0]) for rate in curve["fmr"]],
        [_deviate(rate, lowest[1]) for rate in curve["fnmr"]],
        color=_OURS,
        drawstyle="steps-post",
        label=f"{pairs['mated']:,} mated, {pairs['nonmated']:,} non-mated pairs",
    )
    measured = report["operating_points"]
    held_out = "not calibrated on" if measured["held_out"] else "NOT held out"
    label: str | None = f"operating points, pictures {held_out}"
    for name, point in measured["points"].items():
        fmr, fnmr = point["fmr"], point["fnmr"]
        at = _deviate(fmr["value"], lowest[0]), _deviate(fnmr["value"], lowest[1])
        axes.plot(*at, marker="o", color=_OURS, linestyle="none", label=label)
        label = None
        axes.annotate(name, at, textcoords="offset points", xytext=(6, 6), fontsize=8)
    for axis, least in (("x", lowest[0]), ("y", lowest[1])):
        ticks = [tick for tick in TICKS if tick >= least / 2]
        places = [_deviate(tick, least) for tick in ticks]
        labels = [f"{tick * 100:g} %" for tick in ticks]
        axes.set(**{f"{axis}ticks": places, f"{axis}ticklabels": labels})
        axes.set(**{f"{axis}lim": (_deviate(least, least), _deviate(_WIDEST, least))})
    axes.set(xlabel="false match rate (FMR)", ylabel="false non-match rate (FNMR)")
    axes.tick_params(labelsize=7)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(loc="upper right", fontsize=8)
    return figure


def _scores(report: Mapping[str, Any]) -> "Figure":
    """Draw how the log-likelihood ratios of both classes lie, each as parts of its own."""
    histogram = report["histogram"]
    figure, axes = _axes(f"Scores, comparison {report['comparison']}")
    for name, colour in (("nonmated", _NONMATED), ("mated", _MATED)):
        axes.stairs(
            _parts(histogram[name]),
            histogram["edges"],
            fill=True,
            alpha=0.5,
            color=colour,
            label=f"{name.replace('non', 'non-')}, n = {sum(histogram[name]):,}",
        )
    for name, point in report["operating_points"]["points"].items():
        axes.axvline(point["threshold"], color="#444444", linewidth=0.8, linestyle="--")
        axes.annotate(
            name,
            (point["threshold"], 1),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            xytext=(2, -4),
            rotation=90,
            va="top",
            fontsize=7,
        )
    axes.set(xlabel="log-likelihood ratio (nats)", ylabel="part of the pairs, log scale")
    axes.set_yscale("log")
    axes.legend(loc="upper left", fontsize=8)
    return figure


def _axes(title: str) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, fontsize=10)
    return figure, axes


def _svg(figure: "Figure") -> bytes:
    from matplotlib import rc_context

    file = io.BytesIO()
    # No date and no random identifiers: the same figures give the same file.
    with rc_context({"svg.hashsalt": "chinhchu", "svg.fonttype": "path"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def _deviate(rate: float, least: float) -> float:
    """Return the normal deviate of a rate; 0 lies at the edge, half an error away."""
    return NormalDist().inv_cdf(min(max(rate, least), 1 - 1e-9))


def _parts(counts: Sequence[int]) -> list[float]:
    total = sum(counts)
    return [count / total for count in counts]
