"""`chinhchu evaluate`: error rates on test data; here those of face comparison on a pair list."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli import evaluate_pad, evaluate_quality, evaluation_run
from api.cli.output import EXIT_PASSED, print_json, read_input
from api.errors import InputUnusableError

if TYPE_CHECKING:
    from biometrics.calibration import Calibration
    from biometrics.evaluation.under_test import ComparisonUnderTest

EPILOG = """\
examples:
  chinhchu evaluate faces lfw_pairs.csv --out evaluation/
  chinhchu evaluate quality lfw_pairs.csv --folds 2
  chinhchu evaluate pad captures/ --out report/
"""

EPILOG_FACES = """\
The list has the columns mated (1 or 0), reference and probe, and optionally fold, group,
reference_person and probe_person. Rates at the operating points are reported on pictures that the
calibration has not seen; where there are none, the table says so.

examples:
  chinhchu evaluate faces lfw_pairs.csv
  chinhchu evaluate faces lfw_pairs.csv --comparison fused --all-pairs --out evaluation/
  chinhchu evaluate faces lfw_pairs.csv --degrade chip-jp2-12k --threads 2 --json
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `evaluate` and its commands."""
    group = commands.add_parser(
        "evaluate",
        help="measure error rates on test data",
        description="Measure error rates on test data, with intervals.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).add_subparsers(metavar="COMMAND", required=True)
    faces = group.add_parser(
        "faces",
        help="error rates of face comparison",
        description="Error rates of face comparison on a pair list (ISO/IEC 19795-1).",
        epilog=EPILOG_FACES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    evaluate_quality.register(group)
    evaluate_pad.register(group)
    evaluation_run.add_arguments(faces)
    faces.add_argument(
        "--all-pairs",
        action="store_true",
        help="compare every picture with every other, not only the listed pairs",
    )
    faces.add_argument(
        "--calibration",
        type=Path,
        metavar="FILE",
        help="another operating-point file than the manifest's",
    )
    faces.add_argument(
        "--out", type=Path, metavar="DIR", help="write report.json, det.svg and scores.svg there"
    )
    faces.add_argument(
        "--no-plots", dest="plots", action="store_false", help="write report.json alone"
    )
    faces.set_defaults(run=_faces)


def _faces(args: argparse.Namespace) -> int:
    from biometrics.evaluation import plots
    from biometrics.evaluation.faces import compare_all, compare_listed
    from biometrics.evaluation.report import Evaluated, build_report
    from biometrics.evaluation.under_test import open_comparison
    from biometrics.manifest import load_manifest

    draws = args.out is not None and args.plots
    if draws:
        plots.check_available()
    pairs = evaluation_run.read_pairs(args, all_pairs=args.all_pairs)
    comparison = open_comparison(
        load_manifest(pack=args.pack),
        args.comparison,
        subjects=args.subjects,
        calibrated=args.calibration is None,
    )
    calibration = _calibration(args, comparison)
    if args.out is not None:
        evaluation_run.make_writable(args.out)
    encoded = evaluation_run.encode(args, pairs, comparison, all_pairs=args.all_pairs)
    with evaluation_run.working("computing rates and intervals"):
        report = build_report(
            Evaluated(
                pairs=pairs,
                encoded=encoded,
                listed=compare_listed(pairs, encoded, calibration.centres),
                crossed=compare_all(pairs, encoded, calibration.centres)
                if args.all_pairs
                else None,
                calibration=calibration,
                degradation=evaluation_run.degradation_of(args),
                subjects=args.subjects,
            )
        )
        files = plots.draw(report) if draws else {}
    if args.out is not None:
        _write(args.out, report, files)
    if args.json:
        print_json(report)
    else:
        from api.cli.evaluation_output import print_report

        print_report(report)
    return EXIT_PASSED


def _calibration(args: argparse.Namespace, comparison: "ComparisonUnderTest") -> "Calibration":
    """Return the calibration to report at, if it is one of this comparison.

    Raises:
        ComparisonUncalibratedError: there is none.
        CalibrationInvalidError: it is malformed, or of other models or another path.
    """
    from biometrics.calibration import MAX_CALIBRATION_BYTES, load_calibration
    from biometrics.comparison import ComparisonUncalibratedError

    calibration = comparison.calibration
    if args.calibration is not None:
        calibration = load_calibration(read_input(args.calibration, MAX_CALIBRATION_BYTES))
    if calibration is None:
        raise ComparisonUncalibratedError(
            f"the comparison {comparison.name} has no operating points: make them with "
            "`chinhchu calibrate`, and name them with --calibration"
        )
    calibration.check_fits(comparison.models, comparison.path_version)
    return calibration


def _write(folder: Path, report: dict[str, Any], files: dict[str, bytes]) -> None:
    text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
    try:
        for name, data in {"report.json": text.encode(), **files}.items():
            (folder / name).write_bytes(data)
    except OSError as error:
        raise InputUnusableError(f"{folder}: {error.strerror or 'cannot be written'}") from None
