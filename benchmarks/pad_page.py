"""Write the figures and plots of docs/pad.md: `make pad-evaluation`.

Takes the folders that `chinhchu evaluate pad --out` wrote: of the rig, and of real pictures. What
the rig rendered is marked as simulated in every table.
"""

import json
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from biometrics.liveness.policy import open_pad_policy
from biometrics.manifest import load_manifest

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "pad.md"
PLOTS: Final = PAGE.with_name("pad")
BONA_FIDE: Final = "bona-fide"
_SHOWN_REASONS: Final = 4


def main(rig: Path, pictures: Path) -> None:
    """Copy reports and plots beside the page, and rewrite its tables."""
    PLOTS.mkdir(exist_ok=True)
    rendered, real = (_read(folder / "report.json") for folder in (rig, pictures))
    if not rendered["simulated"] or real["simulated"]:
        raise SystemExit("the first folder must be of rendered captures, the second of real ones")
    for old in PLOTS.glob("*.svg"):
        old.unlink()
    for folder, name in ((rig, "report.json"), (pictures, "pictures.json")):
        shutil.copyfile(folder / "report.json", PLOTS / name)
        prefix = "" if folder is rig else "pictures-"
        for plot in sorted(folder.glob("*.svg")):
            shutil.copyfile(plot, PLOTS / f"{prefix}{plot.name}")
    page = PAGE.read_text("utf-8")
    tables = {
        "target": _target(rendered),
        "simulated": [*_rates(rendered, "liveness"), "", *_signals(rendered, "liveness")],
        "pictures": [*_rates(real, "passive"), "", *_separation(real, "passive")],
        "policy": _policy(),
    }
    for name, lines in tables.items():
        page = _replace(page, name, lines)
    PAGE.write_text(page, "utf-8")


def _read(path: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(path.read_bytes())
    return record


def _replace(page: str, name: str, lines: Iterable[str]) -> str:
    markers = re.compile(rf"(?<=<!-- {name} -->\n).*(?=<!-- /{name} -->)", re.DOTALL)
    page, count = markers.subn(lambda _: "\n".join(lines) + "\n", page)
    if count != 1:
        raise SystemExit(f"docs/pad.md must have the markers of {name} once")
    return page


def _target(report: Mapping[str, Any]) -> Iterator[str]:
    provenance = report["provenance"]
    yield from ("| part | version or SHA-256 |", "|---|---|")
    yield f"| software | {provenance['software']} |"
    yield f"| manifest, with every operating point | `{provenance['manifest_sha256']}` |"
    yield f"| PAD policy | `{provenance['policy_sha256']}` |"
    for name, digest in provenance["models"].items():
        yield f"| model `{name}` | `{digest}` |"
    for name, signal in report["units"]["liveness"]["signals"].items():
        yield f"| signal `{name}` | {', '.join(signal['versions'])} |"
    yield f"| captures | {provenance['source']}; seeds {provenance['seeds']} |"
    yield f"| sitters | {provenance['people']} |"
    yield f"| evaluated on | {provenance['date']} |"


def _rates(report: Mapping[str, Any], unit: str) -> Iterator[str]:
    mark = " (simulated)" if report["simulated"] else ""
    found = report["units"][unit]
    yield f"| species, worst first{mark} | APCER % | at most % | APNRR % | n | reasons |"
    yield "|---|---|---|---|---|---|"
    for row in found["species"]:
        yield (
            f"| `{row['species']}`{mark} | {_percent(row['apcer'])} | "
            f"{100 * row['apcer_upper']:.2f} | {_percent(row['apnrr'])} | {row['n']} | "
            f"{_reasons(row['reasons'])} |"
        )
    honest = found["bona_fide"]
    yield from ("", f"| bona fide{mark} | % | n |", "|---|---|---|")
    for name, key in (
        ("BPCER: refused as an attack", "bpcer"),
        ("BPNRR: no verdict", "bpnrr"),
        ("not accepted in the first attempt", "not_accepted"),
        ("not accepted, without coloured light", "not_accepted_without_light"),
    ):
        if honest[key]["n"]:
            yield f"| {name}{mark} | {_percent(honest[key])} | {honest[key]['n']} |"
    yield from ("", f"Reasons of bona fide captures: {_reasons(honest['reasons']) or 'none'}.")


def _signals(report: Mapping[str, Any], unit: str) -> Iterator[str]:
    """What each signal alone says: refused, and in brackets the captures that only it refused."""
    mark = " (simulated)" if report["simulated"] else ""
    found = report["units"][unit]
    signals = found["signals"]
    yield f"| refused % (by it alone, captures){mark} | {' | '.join(f'`{s}`' for s in signals)} |"
    yield f"|{'---|' * (len(signals) + 1)}"
    for name in [*(row["species"] for row in found["species"]), BONA_FIDE]:
        cells = []
        for signal in signals.values():
            said = signal["species"].get(name)
            cells.append(
                "–" if said is None else f"{100 * said['failed']['value']:.0f} ({said['alone']})"
            )
        yield f"| `{name}`{mark} | {' | '.join(cells)} |"


def _separation(report: Mapping[str, Any], unit: str) -> Iterator[str]:
    yield from ("| score | AUC | EER % | bona fide | attacks |", "|---|---|---|---|---|")
    for name, score in report["units"][unit]["scores"].items():
        yield (
            f"| `{name}` | {score['auc']:.2f} | {100 * score['eer']:.0f} | "
            f"{score['n_bona_fide']} | {score['n_attacks']} |"
        )


def _policy() -> Iterator[str]:
    policy = open_pad_policy(load_manifest())
    mark = " (simulated)" if policy.simulated else ""
    point = policy.point
    yield f"| signal{mark} | nats a unit of its score | offset | Cllr | captures |"
    yield "|---|---|---|---|---|"
    for name, weight in policy.signals.items():
        yield (
            f"| `{name}` | {weight.scale:.3g} | {weight.offset:.2f} | {weight.cllr:.2f} | "
            f"{weight.bona_fide} + {weight.attacks} |"
        )
    for name, reason in policy.unweighed.items():
        yield f"| `{name}` | adds nothing: {reason} | | | |"
    yield ""
    made_with = "; ".join(f"seeds {run.seeds}, {run.people}" for run in policy.runs)
    shown = "" if point.shown else ", which so few captures cannot show"
    yield (
        f"Threshold {policy.threshold:.2f} nats, chosen for an APCER of {100 * point.apcer:g} % "
        f"a species{shown}: on the captures it was chosen on{mark} the worst species is "
        f"`{point.worst_species}` with {100 * point.apcer_seen:.2f} % (at most "
        f"{100 * point.apcer_upper:.2f} %), and the sum alone refuses "
        f"{100 * point.bpcer_seen:.2f} % of bona fide captures (at most "
        f"{100 * point.bpcer_upper:.2f} %). Made with {made_with}."
    )
    for name, rate in point.uncovered.items():
        yield f"Not covered{mark}: `{name}`, of which {100 * rate:.0f} % passed all rules."


def _reasons(reasons: Mapping[str, int]) -> str:
    shown = [f"`{reason}` {count}" for reason, count in list(reasons.items())[:_SHOWN_REASONS]]
    return ", ".join(shown) + (" …" if len(reasons) > _SHOWN_REASONS else "")


def _percent(rate: Mapping[str, Any]) -> str:
    low, high = rate["interval"]
    return f"{100 * rate['value']:.2f} ({100 * low:.2f}–{100 * high:.2f})"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
