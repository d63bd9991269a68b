"""`chinhchu face`: compare faces, look for presentation attacks, judge a challenge, render frames.

Tools for operators and developers: unlike what a citizen sees, they print scores.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.argument_types import add_pack
from api.cli.frame_files import (
    DEFAULT_FPS,
    frame_paths,
    frames_per_second,
    is_simulated,
    read_frames,
)
from api.cli.output import EXIT_BY_OUTCOME, EXIT_PASSED, number_between, print_json, read_input
from api.cli.rendered_captures import read_challenge, read_times, render
from api.errors import InputUnusableError

if TYPE_CHECKING:
    from biometrics.pipeline import FacePipeline
    from biometrics.rig import Species

_COMPARE_EPILOG = """\
examples:
  chinhchu face compare portrait.jp2 webcam.jpg
  chinhchu face compare portrait.jpg frame1.jpg frame2.jpg frame3.jpg --json

The probes' embeddings are averaged. The score is the natural logarithm of the likelihood ratio; it
is a match from the threshold on, whose false match rate is beside it. Pictures of poor quality are
left out; where none is left, the advice says what to do better, and no score is a match.

Exit code 0 for a match, 3 for a review or a new capture, 1 for no match.
"""

_PAD_EPILOG = """\
examples:
  chinhchu face pad webcam.jpg
  chinhchu face pad frame1.jpg frame2.jpg frame3.jpg --json

All pictures are taken as frames of one capture; the median decides. This signal may refuse, it
never suffices to accept. Exit code 3 where the optional models are not installed.
"""

_CHALLENGE_EPILOG = """\
examples:
  chinhchu face challenge --challenge challenge.json --frames capture/
  chinhchu face challenge --challenge DIR/print/1/capture.json --frames DIR/print/1 --json

The challenge is as a session or `face rig` writes it. Frames are taken in the order of their names,
at the times that capture.json tells, or evenly at --fps.

Exit code 0 if a live person followed it, 3 if that is unclear, 1 if not.
"""

_RIG_EPILOG = """\
examples:
  chinhchu face rig portrait.jpg --out DIR
  chinhchu face rig portrait.jpg --species all --sequences 3 --out DIR
  chinhchu face rig portrait.jpg --species print --challenge session.json --out DIR

Writes DIR/SPECIES/NUMBER/NNNN.jpg with capture.json (challenge, times), and an overview of each
capture, DIR/SPECIES-NUMBER.png. Without --challenge each capture has one of its own, drawn by the
seed.

The frames are simulated, from one picture. They show that the software works, and say nothing
about real people or real attacks.
"""

_MAX_SEQUENCES = 10_000


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `face` and its commands."""
    group = commands.add_parser(
        "face",
        help="compare faces, judge liveness, render simulated captures",
        description="Face comparison and presentation-attack detection on pictures.",
        epilog=_COMPARE_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).add_subparsers(metavar="COMMAND", required=True)

    compare = _add(group, "compare", "compare a reference with one or more probes", _COMPARE_EPILOG)
    compare.add_argument("reference", type=Path, metavar="REFERENCE", help="the chip's portrait")
    compare.add_argument("probes", type=Path, nargs="+", metavar="PROBE", help="a live picture")
    compare.add_argument(
        "--comparison", metavar="NAME", help="of the manifest or pack (the first that is installed)"
    )
    add_pack(compare)
    compare.set_defaults(run=_compare)

    pad = _add(group, "pad", "look for signs of a print or a screen", _PAD_EPILOG)
    pad.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="a frame of the capture")
    pad.set_defaults(run=_pad)

    challenge = _add(group, "challenge", "judge frames against a challenge", _CHALLENGE_EPILOG)
    challenge.add_argument(
        "--challenge", type=Path, required=True, metavar="FILE", help="the challenge, as JSON"
    )
    challenge.add_argument("images", type=Path, nargs="*", metavar="FRAME", help="a frame's file")
    challenge.add_argument("--frames", type=Path, metavar="DIR", help="folder of the frames")
    challenge.add_argument(
        "--fps", type=frames_per_second, default=DEFAULT_FPS, help="frames a second (12)"
    )
    challenge.set_defaults(run=_challenge)

    rig = _add(group, "rig", "render simulated captures from one picture", _RIG_EPILOG)
    rig.add_argument("picture", type=Path, metavar="PICTURE", help="one frontal face")
    rig.add_argument(
        "--species", default="bona-fide", metavar="NAME", help="what is shown, or all (bona-fide)"
    )
    rig.add_argument("--out", type=Path, required=True, metavar="DIR", help="new or empty folder")
    rig.add_argument("--challenge", type=Path, metavar="FILE", help="the challenge, as JSON")
    rig.add_argument("--seed", type=_seed, default=0, help="of the first capture (0)")
    rig.add_argument(
        "--sequences", type=_count, default=1, help="captures a species, each with the next seed"
    )
    rig.add_argument("--accomplice", type=Path, metavar="PICTURE", help="another person's face")
    rig.add_argument(
        "--ignore", action="store_true", help="what is shown does not follow the challenge"
    )
    rig.add_argument(
        "--fps", type=frames_per_second, default=DEFAULT_FPS, help="frames a second (12)"
    )
    rig.set_defaults(run=_rig)


def _add(
    group: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    summary: str,
    epilog: str,
) -> argparse.ArgumentParser:
    parser = group.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print JSON for machines")
    return parser


def _seed(text: str) -> int:
    return int(number_between(text, 0, 1 << 53))


def _count(text: str) -> int:
    return int(number_between(text, 1, _MAX_SEQUENCES))


def _compare(args: argparse.Namespace) -> int:
    from biometrics.quality import advise, load_requirements

    reference = read_input(args.reference)
    probes = [read_input(path) for path in args.probes]
    pipeline = _open_pipeline(args.pack, args.comparison)
    verdict = pipeline.compare(pipeline.enrol(reference), probes)
    told = advise(verdict.reasons, load_requirements())
    record = verdict.to_dict() | {"comparison": pipeline.comparison}
    if args.json:
        record["advice"] = [{"reason": a.reason, "en": a.en, "vi": a.vi} for a in told]
    elif told:
        record["advice"] = "\n".join(f"{advice.en}\n{advice.vi}" for advice in told)
    return _report(args, "face compare", verdict.outcome.value, record)


def _pad(args: argparse.Namespace) -> int:
    pictures = [read_input(path) for path in args.images]
    pipeline = _open_pipeline()
    if pipeline.passive_lack:
        print(f"chinhchu: {pipeline.passive_lack}", file=sys.stderr)
    verdict = pipeline.passive_pad(pictures)
    return _report(args, "face pad", verdict.outcome.value, verdict.to_dict())


def _challenge(args: argparse.Namespace) -> int:
    from biometrics.types import FrameSample

    if bool(args.images) == bool(args.frames):
        raise InputUnusableError("name the frames, or their folder with --frames DIR")
    paths = frame_paths(args.frames) if args.frames else sorted(args.images, key=_name)
    challenge = read_challenge(args.challenge)
    read = read_frames(paths, args.fps)
    times = read_times(paths) if args.frames else None
    frames = [
        FrameSample(picture, times[index] if times else t_ms)
        for index, (t_ms, picture) in enumerate(read)
    ]
    verdict = _open_pipeline().active_challenge(challenge, frames)
    record = verdict.to_dict() | {"simulated": is_simulated(paths)}
    return _report(args, "face challenge", verdict.outcome.value, record)


def _name(path: Path) -> str:
    return path.name


def _rig(args: argparse.Namespace) -> int:
    import random

    from rich.progress import track

    from biometrics.challenge import choose_challenge
    from biometrics.detection import FaceDetector
    from biometrics.landmarks import MeshEstimator
    from biometrics.manifest import load_manifest
    from biometrics.onnx import open_model
    from biometrics.rig import Rig, Species

    species = list(Species) if args.species == "all" else [_species(args.species)]
    picture = read_input(args.picture)
    accomplice = read_input(args.accomplice) if args.accomplice else None
    given = read_challenge(args.challenge) if args.challenge else None
    seeds = range(args.seed, args.seed + args.sequences)
    # What the rig draws must be drawn again by the same seed.
    challenges = [(seed, given or choose_challenge(random.Random(seed))) for seed in seeds]  # noqa: S311
    _make_empty(args.out)
    manifest = load_manifest()
    rig = Rig(FaceDetector.open(manifest), MeshEstimator(open_model(manifest, "facemesh")))
    written = render(
        rig,
        picture,
        challenges,
        species,
        args.out,
        fps=args.fps,
        accomplice=accomplice,
        follow=not args.ignore,
    )
    if args.json:
        print_json({"simulated": True, "out": str(args.out), "captures": list(written)})
        return EXIT_PASSED
    total = len(species) * len(challenges)
    count = sum(1 for _ in track(written, "Rendering", total=total, transient=True))
    print(f"{count} simulated captures in {args.out}, an overview of each beside them")
    return EXIT_PASSED


def _species(name: str) -> "Species":
    from biometrics.rig import Species

    try:
        return Species(name)
    except ValueError:
        known = ", ".join(species.value for species in Species)
        raise InputUnusableError(f"there is no species of this name; known: all, {known}") from None


def _open_pipeline(pack: Path | None = None, comparison: str | None = None) -> "FacePipeline":
    from biometrics.manifest import load_manifest
    from biometrics.pipeline import FacePipeline

    return FacePipeline(load_manifest(pack=pack), comparison)


def _make_empty(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise InputUnusableError(f"{folder} is not empty")
    except OSError as error:
        raise InputUnusableError(f"{folder}: {error.strerror or 'cannot be written'}") from None


def _report(args: argparse.Namespace, title: str, outcome: str, record: dict[str, Any]) -> int:
    if args.json:
        print_json(record)
    else:
        _print_table(title, outcome, record)
    return EXIT_BY_OUTCOME[outcome]


def _print_table(title: str, outcome: str, record: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    style = {"PASSED": "bold green", "INDETERMINATE": "bold yellow", "FAILED": "bold red"}[outcome]
    table = Table(title=title, show_header=False, title_justify="left")
    table.add_column()
    table.add_column(overflow="fold")
    table.add_row("outcome", Text(outcome, style=style))
    for name, value in record.items():
        if name != "outcome" and value not in ([], {}):
            table.add_row(name.replace("_", " "), Text(_in_words(value)))
    Console().print(table)


def _in_words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_in_words(item)}" for key, item in value.items())
    if isinstance(value, list):
        separator = "\n" if any(isinstance(item, dict) for item in value) else ", "
        return separator.join(_in_words(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)
