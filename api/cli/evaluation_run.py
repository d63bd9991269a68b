"""What `evaluate faces` and `calibrate` share: the pair list, the pictures, the bar."""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from api.cli.argument_types import add_pack
from api.cli.output import number_between
from api.errors import InputUnusableError

if TYPE_CHECKING:
    from rich.console import Console

    from biometrics.evaluation.degradation import Degradation
    from biometrics.evaluation.faces import EncodedPictures, Progress
    from biometrics.evaluation.pairs import PairList
    from biometrics.evaluation.under_test import ComparisonUnderTest

_LONG_S = 60.0

DEGRADATION_NAMES = (
    *("chip-jp2-12k", "chip-jpeg-2.5k", "blur", "dark", "noise"),
    *("low-resolution", "one-sided-light"),
)
"""Those of `biometrics.evaluation.degradation`, which is imported only to work."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that both commands take."""
    parser.add_argument("pairs", type=Path, metavar="PAIRS.csv", help="the pair list")
    parser.add_argument(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="folder of the pictures (the list's own, or a sub-folder of it)",
    )
    parser.add_argument(
        "--comparison", default="default", metavar="NAME", help="of the manifest (%(default)s)"
    )
    add_pack(parser)
    parser.add_argument(
        "--folds", type=_names, metavar="A,B", help="only these folds of the list (all)"
    )
    parser.add_argument(
        "--degrade",
        choices=DEGRADATION_NAMES,
        metavar="NAME",
        help=f"spoil one side of each pair: {', '.join(DEGRADATION_NAMES)}",
    )
    parser.add_argument(
        "--subjects",
        choices=("middle", "only"),
        default="middle",
        help="where a picture shows several faces: the one nearest to its middle is compared, as "
        "LFW has it (middle), or none, as in operation (only)",
    )
    parser.add_argument("--threads", type=_threads, default=1, metavar="N", help="workers (1)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def degradation_of(args: argparse.Namespace) -> "Degradation | None":
    """Return the degradation that was asked for."""
    from biometrics.evaluation.degradation import DEGRADATIONS

    return DEGRADATIONS[args.degrade] if args.degrade else None


def read_pairs(args: argparse.Namespace, *, all_pairs: bool) -> "PairList":
    """Read the list, choose the folds, and refuse what cannot be compared.

    Raises:
        PairListInvalidError: see `load_pairs`, `PairList.select` and `check_size`.
    """
    from biometrics.evaluation.faces import check_size
    from biometrics.evaluation.pairs import load_pairs

    pairs = load_pairs(args.pairs, args.pictures)
    if args.folds:
        pairs = pairs.select(args.folds)
    check_size(pairs, all_pairs=all_pairs)
    return pairs


def make_writable(folder: Path) -> None:
    """Make the folder of the results, and see before long work that they can be written there.

    Raises:
        InputUnusableError: they cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputUnusableError(f"{folder}: {error.strerror or 'cannot be written'}") from None


def encode(
    args: argparse.Namespace,
    pairs: "PairList",
    comparison: "ComparisonUnderTest",
    *,
    all_pairs: bool,
) -> "EncodedPictures":
    """Encode the pictures and show how far it is."""
    from biometrics.evaluation.faces import encode_pictures

    with bar("encoding pictures") as progress:
        return encode_pictures(
            pairs,
            comparison.encode,
            degradation=degradation_of(args),
            all_pairs=all_pairs,
            threads=args.threads,
            progress=progress,
        )


@contextmanager
def working(what: str) -> Iterator[None]:
    """Say on standard error what is under way, where a person looks."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(what):
        yield


@contextmanager
def bar(what: str) -> "Iterator[Progress]":
    """Show on standard error how far work is, where a person looks."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    if not console.is_terminal:
        yield _lines(what, console)
        return
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task("", total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _lines(what: str, console: "Console") -> "Progress":
    """Return what tells a log at every twentieth part of work that takes longer than a minute."""
    begun = time.monotonic()
    told = 0

    def tell(done: int, total: int) -> None:
        nonlocal told
        part = done * 20 // max(total, 1)
        if part > told and time.monotonic() - begun > _LONG_S:
            console.print(f"{what}: {done} of {total}")
            told = part

    return tell


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise argparse.ArgumentTypeError("takes names of folds, separated by commas")
    return list(dict.fromkeys(names))


def _threads(text: str) -> int:
    return int(number_between(text, 1, 64))
