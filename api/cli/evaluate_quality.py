"""`chinhchu evaluate quality`: what the quality requirements refuse, untouched and degraded."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.evaluation_run import make_writable
from api.cli.output import EXIT_PASSED, number_between, print_json
from api.errors import InputUnusableError

if TYPE_CHECKING:
    from biometrics.evaluation.intervals import Proportion
    from biometrics.quality_evaluation.evaluation import Examiner, QualityReport

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jp2", ".j2k", ".png", ".webp", ".bmp"})

_EPILOG = """\
examples:
  chinhchu evaluate quality faces/lfw_pairs.csv --folds 2
  chinhchu evaluate quality portraits/ --limit 100 --degrade mask,hand --json
  chinhchu evaluate quality faces/lfw_pairs.csv --folds 2 --out report/
  chinhchu evaluate quality faces/lfw_pairs.csv --folds 1 --limit 250 --fit

Each picture shows one face. It is examined untouched, then degraded on purpose: light, focus, pose,
covers. The table tells how often the degradation is named, and how often what may stay on (clear
glasses, beards, head coverings) is refused. Drawn degradations are no evidence about real ones.
The limits of models/quality.toml were chosen on fold 1 of LFW: report on other people.
"""


def register(group: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `quality` to the group `evaluate`."""
    parser = group.add_parser(
        "quality",
        help="measure the quality requirements on pictures, untouched and degraded",
        description="Measure what the quality requirements refuse.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", type=Path, metavar="FOLDER|PAIRS.csv", help="pictures of faces")
    parser.add_argument("--folds", type=_names, metavar="2", help="folds of the list (all)")
    parser.add_argument("--degrade", type=_names, metavar="NAMES", help="degradations (all)")
    parser.add_argument("--limit", type=_count, help="degrade only so many pictures (all)")
    parser.add_argument(
        "--fit", action="store_true", help="print signs fitted on these pictures, and quantiles"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the degradations (0)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write quality.json there")
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Evaluate, print, and write what was asked for."""
    from biometrics.manifest import load_manifest
    from biometrics.quality import load_requirements
    from biometrics.quality_evaluation.catalogue import catalogue
    from biometrics.quality_evaluation.evaluation import Examiner, evaluate_quality

    pictures = _pictures(args.source, args.folds)
    examiner = Examiner.open(load_manifest(), load_requirements())
    known = catalogue(examiner.detector, examiner.mesh_estimator)
    unknown = [name for name in args.degrade or () if name not in known]
    if unknown:
        raise InputUnusableError(
            f"no degradation is named {', '.join(unknown)}; there are {', '.join(known)}"
        )
    if args.out:
        make_writable(args.out)
    if args.fit:
        return _fit(args, examiner, pictures)
    with _progress() as advance:
        report = evaluate_quality(
            examiner,
            pictures,
            names=args.degrade,
            limit=args.limit,
            seed=args.seed,
            progress=advance,
        )
    record = report.to_dict() | {"source": args.source.name, "folds": args.folds, "seed": args.seed}
    if args.out:
        _write(args.out, record)
    if args.json:
        print_json(record)
    else:
        _print_table(report)
    return EXIT_PASSED


def _fit(args: argparse.Namespace, examiner: "Examiner", pictures: list[Path]) -> int:
    """Print what models/quality.toml takes over: signs, and how measures of good pictures lie."""
    import numpy as np

    from biometrics.quality.measures import MEASURES
    from biometrics.quality_evaluation.evaluation import UNTOUCHED, look_at_all
    from biometrics.quality_evaluation.fitting import fit_signs

    with _progress() as advance:
        looks = look_at_all(examiner, pictures, limit=args.limit, seed=args.seed, progress=advance)
    seen = {name: [look.quality for look in row if look.quality] for name, row in looks.items()}
    signs = fit_signs({name: [q.appearance for q in row] for name, row in seen.items()})
    percents = (0, 0.5, 1, 2, 5, 50, 95, 98, 99, 99.5, 100)
    quantiles = {
        measure: np.percentile([getattr(q, measure) for q in seen[UNTOUCHED]], percents).tolist()
        for measure in MEASURES
    }
    print_json(
        {
            "signs": {
                name: {"offset": round(offset, 4), "weights": _rounded(weights)}
                for name, (offset, weights) in signs.items()
            },
            "percents": percents,
            "untouched": {name: [round(v, 4) for v in row] for name, row in quantiles.items()},
        }
    )
    return EXIT_PASSED


def _rounded(weights: dict[str, float]) -> dict[str, float]:
    return {name: round(weight, 4) for name, weight in weights.items()}


def _pictures(source: Path, folds: list[str] | None) -> list[Path]:
    from biometrics.evaluation.pairs import load_pairs

    if source.is_dir():
        if folds:
            raise InputUnusableError("a folder has no folds: name a pair list with --folds")
        found = sorted(p for p in source.rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES)
        if not found:
            raise InputUnusableError(f"{source} holds no pictures")
        return found
    pairs = load_pairs(source)
    return list((pairs.select(folds) if folds else pairs).paths)


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError("takes names, separated by commas")
    return names


def _count(text: str) -> int:
    return int(number_between(text, 1, 1_000_000))


def _write(folder: Path, record: dict[str, Any]) -> None:
    import json

    try:
        text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
        (folder / "quality.json").write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputUnusableError(f"{folder}: {error.strerror or 'cannot be written'}") from None


class _progress:  # noqa: N801 — used like a function
    """A bar on standard error; nothing where that is no terminal."""

    def __enter__(self) -> "_progress":
        from rich.console import Console
        from rich.progress import Progress

        self._bar = Progress(console=Console(stderr=True), transient=True)
        self._bar.start()
        self._task = self._bar.add_task("examining pictures")
        return self

    def __call__(self, done: int, total: int) -> None:
        self._bar.update(self._task, completed=done, total=total)

    def __exit__(self, *exc: object) -> None:
        self._bar.stop()


def _print_table(report: "QualityReport") -> None:
    from rich.console import Console
    from rich.table import Table

    from biometrics.evaluation.intervals import Proportion

    usable = report.pictures - sum(report.unusable.values())
    table = Table(title=f"quality of {usable} pictures", title_justify="left")
    table.add_column("degradation", no_wrap=True)
    for heading in ("n", "refused", "named rightly", "may stay, refused"):
        table.add_column(heading, justify="right")
    for row in report.rows:
        cells = [_percent(rate) for rate in (row.refused, row.named, row.newly_refused)]
        table.add_row(row.name, str(row.refused.total), *cells)
    console = Console()
    console.print(table)
    untouched = report.rows[0]
    for reason, count in untouched.reasons.items():
        rate = Proportion(count, untouched.refused.total)
        console.print(f"untouched, told {reason}: {count}, {_percent(rate)}")
    for group in report.by_luminance:
        console.print(
            f"faces of mean level {group.low:.2f} to {group.high:.2f}: "
            f"refused {_percent(group.refused)} of {group.refused.total}"
        )
    if report.unusable:
        lost = ", ".join(f"{code} {count}" for code, count in report.unusable.items())
        console.print(f"not usable at all: {lost}")


def _percent(rate: "Proportion | None") -> str:
    if rate is None or rate.value is None:
        return "-"
    low, high = rate.interval
    return f"{rate.value:.1%} ({low:.1%}-{high:.1%})"
