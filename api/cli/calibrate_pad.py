"""`chinhchu calibrate-pad`: weigh the signals of presentation-attack detection."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from api.cli.evaluation_run import make_writable
from api.cli.output import EXIT_PASSED, number_between, print_json, read_input, write_output
from api.errors import InputUnusableError

if TYPE_CHECKING:
    from biometrics.liveness.policy import PadPolicy

_EPILOG = """\
Takes the captures.json of `chinhchu evaluate pad --out`. Each signal's score becomes a likelihood
ratio by logistic regression; the threshold of their sum is the lowest, from 0 up, at which every
species shows the promised APCER with 95 % confidence. A species that no threshold refuses without
refusing people is told. Name the file and its digest in the manifest. Report on people and seeds
that were not calibrated on.

examples:
  chinhchu evaluate pad --rig 40 --people faces/lfw_pairs.csv --folds 1 --out tuning/
  chinhchu calibrate-pad tuning/captures.json --out pad.json
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "calibrate-pad",
        help="weigh the signals of presentation-attack detection",
        description="Make the policy by which the signals of presentation-attack detection are "
        "weighed.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "captures", type=Path, nargs="+", metavar="CAPTURES.json", help="judged captures"
    )
    parser.add_argument(
        "--apcer", type=_rate, default=0.01, help="what the threshold promises (0.01)"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="file to write")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from biometrics.liveness.policy import dump_pad_policy
    from biometrics.pad_evaluation.calibrating import make_policy
    from biometrics.pad_evaluation.judged import MAX_FILE_BYTES

    files = [read_input(path, MAX_FILE_BYTES) for path in args.captures]
    make_writable(args.out.parent)
    if args.out.is_dir():
        raise InputUnusableError(f"{args.out}: is a folder, not the file to write")
    names = " ".join(path.name for path in args.captures)
    policy = make_policy(
        files, created_by=f"chinhchu calibrate-pad {names} --apcer {args.apcer:g}", apcer=args.apcer
    )
    data = dump_pad_policy(policy)
    write_output(args.out, data)
    _report(args, policy, data)
    return EXIT_PASSED


def _rate(text: str) -> float:
    return number_between(text, 1e-4, 0.5)


def _report(args: argparse.Namespace, policy: "PadPolicy", data: bytes) -> None:
    import hashlib

    digest = hashlib.sha256(data).hexdigest()
    point = policy.point
    if args.json:
        print_json(
            {
                "out": str(args.out),
                "sha256": digest,
                "simulated": policy.simulated,
                "threshold": policy.threshold,
                "point": vars(point),
                "signals": {name: vars(weight) for name, weight in policy.signals.items()},
                "unweighed": dict(policy.unweighed),
            }
        )
        return
    from rich.console import Console
    from rich.table import Table

    mark = ", SIMULATED" if policy.simulated else ""
    table = Table(
        title=f"{args.out.name}: {policy.bona_fide} bona fide captures, "
        f"{sum(policy.attacks.values())} attacks of {len(policy.attacks)} species{mark}",
        title_justify="left",
    )
    for column in ("signal", "nats a unit", "offset", "Cllr", "n"):
        table.add_column(column, justify="left" if column == "signal" else "right")
    for name, weight in policy.signals.items():
        table.add_row(
            name,
            f"{weight.scale:.4g}",
            f"{weight.offset:.3f}",
            f"{weight.cllr:.3f}",
            f"{weight.bona_fide} + {weight.attacks}",
        )
    console = Console(highlight=False)
    console.print(table)
    for name, reason in policy.unweighed.items():
        console.print(f"{name} adds nothing: {reason}", style="yellow", soft_wrap=True)
    promise = "shown" if point.shown else "NOT shown by so few captures"
    console.print(
        f"threshold {policy.threshold:.2f} nats for an APCER of {point.apcer:g} ({promise}): worst "
        f"species {point.worst_species}, seen {point.apcer_seen:.2%}, at most "
        f"{point.apcer_upper:.2%}; bona fide refused by the sum {point.bpcer_seen:.2%}, at most "
        f"{point.bpcer_upper:.2%}",
        soft_wrap=True,
    )
    for name, rate in point.uncovered.items():
        console.print(
            f"{name} is not covered: {rate:.2%} pass, and no threshold refuses them without people",
            style="yellow",
            soft_wrap=True,
        )
    console.print(f"sha256 {digest}")
