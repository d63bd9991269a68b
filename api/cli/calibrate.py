"""`chinhchu calibrate`: make an operating-point file for a comparison from a pair list."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from api.cli import evaluation_run
from api.cli.output import EXIT_PASSED, print_json, write_output
from api.errors import InputUnusableError

if TYPE_CHECKING:
    from biometrics.calibration import Calibration

EPILOG = """\
Every picture is compared with every other (or, with --listed, the listed pairs alone). The cosines
become a log-likelihood ratio by logistic regression; each operating point is the lowest threshold
at which the data show its false match rate with 95 % confidence, counting pairs of people. A rate
that the data cannot show is listed with the reason and is no operating point. Evaluate on folds
that you did not calibrate on. The same pictures give the same file.

examples:
  chinhchu calibrate lfw_pairs.csv --comparison default --folds 1 --out sface.json
  chinhchu calibrate pairs.csv --pack my-pack.toml --comparison mine --out mine.json
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "calibrate",
        help="make the operating points of a face comparison",
        description="Make an operating-point file for a face comparison from a pair list.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    evaluation_run.add_arguments(parser)
    parser.add_argument("--listed", action="store_true", help="take the listed pairs alone")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="file to write")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from biometrics.calibration import dump_calibration
    from biometrics.evaluation.calibrating import make_calibration
    from biometrics.evaluation.faces import compare_all, compare_listed, find_centres
    from biometrics.evaluation.under_test import open_comparison
    from biometrics.manifest import load_manifest

    all_pairs = not args.listed
    pairs = evaluation_run.read_pairs(args, all_pairs=all_pairs)
    comparison = open_comparison(
        load_manifest(pack=args.pack), args.comparison, subjects=args.subjects, calibrated=False
    )
    evaluation_run.make_writable(args.out.parent)
    if args.out.is_dir():
        raise InputUnusableError(f"{args.out}: is a folder, not the file to write")
    encoded = evaluation_run.encode(args, pairs, comparison, all_pairs=all_pairs)
    centres = find_centres(encoded, [name for name, _ in comparison.models])
    compare = compare_all if all_pairs else compare_listed
    with evaluation_run.working("choosing operating points"):
        calibration = make_calibration(
            pairs,
            encoded,
            compare(pairs, encoded, centres),
            centres,
            comparison=comparison.name,
            models=comparison.models,
            path_version=comparison.path_version,
            created_by=_command(args),
            all_pairs=all_pairs,
            degradation=evaluation_run.degradation_of(args),
            subjects=args.subjects,
        )
    data = dump_calibration(calibration)
    write_output(args.out, data)
    _report(args, calibration)
    return EXIT_PASSED


def _command(args: argparse.Namespace) -> str:
    """Return the command as the file records it: what decides the result, and no folder."""
    words = ["chinhchu calibrate", args.pairs.name, f"--comparison {args.comparison}"]
    words += [f"--folds {','.join(args.folds)}"] if args.folds else []
    words += [f"--degrade {args.degrade}"] if args.degrade else []
    words += ["--listed"] if args.listed else []
    words += [f"--subjects {args.subjects}"] if args.subjects != "middle" else []
    words += [f"--pack {args.pack.name}"] if args.pack else []
    return " ".join(words)


def _report(args: argparse.Namespace, calibration: "Calibration") -> None:
    if args.json:
        print_json(
            {
                "out": str(args.out),
                "operating_points": {
                    name: point.threshold for name, point in calibration.operating_points.items()
                },
                "unsupported": dict(calibration.unsupported),
                "cllr": calibration.cllr,
                "cllr_min": calibration.cllr_min,
            }
        )
        return
    from rich.console import Console
    from rich.table import Table

    data = calibration.data
    table = Table(
        title=f"{args.out.name}: {data.people} people, {data.mated_pairs:,} mated and "
        f"{data.nonmated_pairs:,} non-mated pairs",
        title_justify="left",
    )
    for column in ("operating point", "threshold (nats)", "95 % interval", "FMR seen", "FNMR seen"):
        table.add_column(column, justify="left" if column == "operating point" else "right")
    for name, point in calibration.operating_points.items():
        low, high = point.threshold_interval
        table.add_row(
            name,
            f"{point.threshold:.4f}",
            f"{low:.2f} to {high:.2f}",
            f"{point.fmr_seen:.2e}",
            f"{100 * point.fnmr_seen:.2f} %",
        )
    console = Console(highlight=False)
    console.print(table)
    for name, reason in calibration.unsupported.items():
        console.print(f"no {name}: {reason}", style="yellow")
    console.print(f"Cllr {calibration.cllr:.4f} (least {calibration.cllr_min:.4f}) on this data")
