"""`chinhchu evaluate pad`: error rates of presentation-attack detection."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from api.cli.evaluation_run import bar, make_writable, working
from api.cli.frame_files import DEFAULT_FPS, frames_per_second
from api.cli.output import EXIT_PASSED, number_between, print_json, read_input
from api.errors import InputUnusableError

if TYPE_CHECKING:
    from biometrics.manifest import Manifest
    from biometrics.pad_evaluation.judged import JudgedCapture, JudgedCaptures, Provenance
    from biometrics.pad_evaluation.judging import Item
    from biometrics.pad_evaluation.running import Progress

CAPTURES = "captures.json"
PART = 60
"""Presentations judged before they are written down."""

_EPILOG = """\
DIR has a folder a species: bona-fide (or real, live) for living people, any other name for an
attack, spoof/<species> too. In it, a picture is one presentation, a folder of frames is another.
Frames with the capture.json of `chinhchu face rig` answer a challenge and are judged as a whole;
pictures, and frames without a challenge, by the passive models alone.

With --rig, N captures a species are rendered and judged in memory. They are simulated, and marked
so on every line and plot: a sanity check, no evidence. Tune on seeds below 10,000 and people of
fold 1; seeds from 1,000,000 on and fold 2 are for what is reported.

What is done is written to DIR/captures.json every now and then; --resume goes on from there.

examples:
  chinhchu evaluate pad captures/ --out report/
  chinhchu evaluate pad captures/ --json
  chinhchu evaluate pad --rig 40 --seed 0 --people faces/lfw_pairs.csv --folds 1 --threads 2
  chinhchu evaluate pad --rig 60 --species bona-fide,print --people portraits/ --out report/
"""


def register(group: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `pad` to the group `evaluate`."""
    parser = group.add_parser(
        "pad",
        help="error rates of presentation-attack detection",
        description="Error rates of presentation-attack detection (ISO/IEC 30107-3), a species "
        "each, worst first.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", type=Path, nargs="?", metavar="DIR", help="presentations")
    parser.add_argument("--rig", type=_count, metavar="N", help="render N captures a species")
    parser.add_argument("--seed", type=_seed, default=0, help="seed of the first capture (0)")
    parser.add_argument(
        "--people", type=Path, metavar="PAIRS.csv|DIR", help="pictures of the people to render"
    )
    parser.add_argument("--folds", type=_names, metavar="A,B", help="folds of the list (all)")
    parser.add_argument("--species", type=_names, metavar="A,B", help="only these species (all)")
    parser.add_argument(
        "--fps",
        type=frames_per_second,
        default=DEFAULT_FPS,
        help="frames a second that are rendered, or of frames without times (12)",
    )
    parser.add_argument("--threads", type=_workers, default=1, metavar="N", help="processes (1)")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="write report.json, captures.json and plots there"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on where an earlier run into --out was broken off"
    )
    parser.add_argument(
        "--no-plots", dest="plots", action="store_false", help="write no plots, only JSON"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Evaluate, print, and write what was asked for."""
    from biometrics.evaluation.plots import check_available
    from biometrics.manifest import load_manifest
    from biometrics.pad_evaluation import plots
    from biometrics.pad_evaluation.report import build_report

    if args.resume and args.out is None:
        raise InputUnusableError("--resume goes on in the folder that --out names")
    if (args.folder is None) == (args.rig is None):
        raise InputUnusableError("name a folder of presentations, or render them with --rig N")
    if (args.rig is None) != (args.people is None):
        raise InputUnusableError("--rig N needs the people to render, and --people needs --rig")
    if args.folds and args.people is None:
        raise InputUnusableError("--folds chooses among the people to render: it needs --people")
    draws = args.out is not None and args.plots
    if draws:
        check_available()
    manifest = load_manifest()
    items, people = _rendered(args, manifest) if args.rig else (_found(args), "in the folder")
    if args.out is not None:
        make_writable(args.out)
    judged = _judge(args, items, _provenance(args, manifest, people))
    with working("computing rates"):
        report = build_report(judged)
        files = plots.draw(report) if draws else {}
    if args.out is not None:
        text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
        _write(args.out, {"report.json": text.encode(), **files})
    if args.json:
        print_json(report)
    else:
        from api.cli.evaluate_pad_output import print_report

        print_report(report)
    return EXIT_PASSED


def _judge(
    args: argparse.Namespace, items: "Sequence[Item]", provenance: "Provenance"
) -> "JudgedCaptures":
    """Judge all items, a part at a time; what is done is in --out before the next part begins."""
    from biometrics.pad_evaluation.judged import JudgedCaptures, dump_judged
    from biometrics.pad_evaluation.running import judge_all

    done = _done_before(args.out, provenance) if args.resume else {}
    waiting = [item for item in items if item.key not in done]
    with bar("judging presentations") as progress:
        for start in range(0, max(len(waiting), 1), PART):
            part = waiting[start : start + PART]
            before = len(items) - len(waiting) + start
            captures = judge_all(
                part,
                workers=args.threads,
                fps=args.fps,
                progress=_from(before, len(items), progress),
            )
            done |= {capture.key: capture for capture in captures}
            kept = tuple(done[item.key] for item in items if item.key in done)
            judged = JudgedCaptures(
                schema="chinhchu-pad-captures-1",
                simulated=any(capture.simulated for capture in kept),
                provenance=provenance,
                captures=kept,
            )
            if args.out is not None:
                _write(args.out, {CAPTURES: dump_judged(judged)})
    return judged


def _from(before: int, whole: int, progress: "Progress") -> "Progress":
    """Return the progress of a part as that of the whole."""
    return lambda done, _: progress(before + done, whole)


def _done_before(out: Path, provenance: "Provenance") -> "dict[tuple[str, str], JudgedCapture]":
    """Return what an earlier run has judged, if it judged the same thing in the same way."""
    from biometrics.pad_evaluation.judged import MAX_FILE_BYTES, load_judged

    path = out / CAPTURES
    if not path.exists():
        return {}
    judged = load_judged(read_input(path, MAX_FILE_BYTES))
    same = ("software", "manifest_sha256", "policy_sha256", "source")
    if any(getattr(judged.provenance, name) != getattr(provenance, name) for name in same):
        raise InputUnusableError(f"{path} is of other models, thresholds or presentations")
    return {capture.key: capture for capture in judged.captures}


def _found(args: argparse.Namespace) -> "Sequence[Item]":
    from biometrics.pad_evaluation.folders import find_items

    found = find_items(args.folder)
    have = sorted({item.species for item in found})
    _check_species(args.species, have)
    return [item for item in found if not args.species or item.species in args.species]


def _rendered(args: argparse.Namespace, manifest: "Manifest") -> "tuple[Sequence[Item], str]":
    from biometrics.detection import FaceDetector
    from biometrics.landmarks import MeshEstimator
    from biometrics.onnx import open_model
    from biometrics.pad_evaluation.running import plan_rig
    from biometrics.pad_evaluation.sitters import find_sitters, keep_usable
    from biometrics.rig import Rig, Species

    have = [species.value for species in Species]
    _check_species(args.species, have)
    species = [name for name in have if not args.species or name in args.species]
    with working("looking for usable pictures of people"):
        sitters = find_sitters(args.people, args.folds, args.seed)
        detector = FaceDetector.open(manifest)
        rig = Rig(detector, MeshEstimator(open_model(manifest, "facemesh")))
        sitters = keep_usable(sitters, detector, rig, args.rig)
    people = f"{sitters.source}: {len(set(sitters.people[: args.rig]))} people"
    return plan_rig(sitters, species, args.rig, seed=args.seed, fps=args.fps), people


def _check_species(wanted: Sequence[str] | None, have: Sequence[str]) -> None:
    unknown = [name for name in wanted or () if name not in have]
    if unknown:
        raise InputUnusableError(
            f"there is no species {', '.join(unknown)}; there are {', '.join(have)}"
        )


def _provenance(args: argparse.Namespace, manifest: "Manifest", people: str) -> "Provenance":
    from biometrics.pad_evaluation.provenance import describe

    if args.rig is None:
        return describe(manifest, source=args.folder.resolve().name, seeds="none", people=people)
    seeds = f"{args.seed}-{args.seed + args.rig - 1}"
    return describe(manifest, source=f"rig, {args.fps:g} frames/s", seeds=seeds, people=people)


def _write(folder: Path, files: dict[str, bytes]) -> None:
    try:
        for name, data in files.items():
            (folder / name).write_bytes(data)
    except OSError as error:
        raise InputUnusableError(f"{folder}: {error.strerror or 'cannot be written'}") from None


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError("takes names, separated by commas")
    return list(dict.fromkeys(names))


def _count(text: str) -> int:
    return _whole(text, 1, 100_000)


def _seed(text: str) -> int:
    return _whole(text, 0, 2**31)


def _workers(text: str) -> int:
    return _whole(text, 1, 64)


def _whole(text: str, low: int, high: int) -> int:
    value = number_between(text, low, high)
    if value != int(value):
        raise argparse.ArgumentTypeError("must be a whole number")
    return int(value)
