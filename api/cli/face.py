"""`chinhchu face`: compare faces, look for presentation attacks, judge a challenge, render frames.

Tools for operators and developers: unlike what a citizen sees, they print scores.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.argument_types import add_pack
from api.cli.frame_files import (
    DEFAULT_FPS,
    SIMULATED_MARK,
    frame_paths,
    frames_per_second,
    is_simulated,
    read_frames,
)
from api.cli.output import EXIT_BY_OUTCOME, EXIT_PASSED, number_between, print_json, read_input
from api.errors import InputUnusableError

if TYPE_CHECKING:
    from biometrics.challenge import Turn
    from biometrics.pipeline import FacePipeline

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
  chinhchu face challenge --order left,right frame*.jpg
  chinhchu face challenge --order right,left,right --frames capture/ --fps 15 --json

Left and right are the subject's own. Frames are taken in the order of their names.
"""

_RIG_EPILOG = """\
examples:
  chinhchu face rig portrait.jpg --kind turning-head --order left,right --out capture/
  chinhchu face rig portrait.jpg --kind flat-photo --order left,right --out attack/

The frames are simulated, from one picture. They show that the software works, and say nothing
about real people or real attacks.
"""


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
    _add_order(challenge)
    challenge.add_argument("images", type=Path, nargs="*", metavar="FRAME", help="a frame's file")
    challenge.add_argument("--frames", type=Path, metavar="DIR", help="folder of the frames")
    challenge.add_argument(
        "--fps", type=frames_per_second, default=DEFAULT_FPS, help="frames a second (12)"
    )
    challenge.set_defaults(run=_challenge)

    rig = _add(group, "rig", "render a simulated capture from one picture", _RIG_EPILOG)
    rig.add_argument("picture", type=Path, metavar="PICTURE", help="one frontal face")
    rig.add_argument("--kind", choices=("turning-head", "flat-photo"), default="turning-head")
    _add_order(rig)
    rig.add_argument("--out", type=Path, required=True, metavar="DIR", help="new or empty folder")
    rig.add_argument("--seed", type=int, default=0, help="seed of noise and jitter (0)")
    rig.add_argument("--turn-deg", type=_angle, default=42.0, help="angle of each turn (42)")
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


def _add_order(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--order",
        required=True,
        type=_turns,
        metavar="left,right",
        help="the turns, the subject's own sides",
    )


def _angle(text: str) -> float:
    return number_between(text, 1, 60)


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
    from biometrics.challenge import Challenge
    from biometrics.types import FrameSample

    if bool(args.images) == bool(args.frames):
        raise InputUnusableError("name the frames, or their folder with --frames DIR")
    paths = frame_paths(args.frames) if args.frames else sorted(args.images, key=_name)
    challenge = Challenge(Challenge.random().id, args.order)
    frames = [FrameSample(picture, t_ms) for t_ms, picture in read_frames(paths, args.fps)]
    verdict = _open_pipeline().active_challenge(challenge, frames)
    record = verdict.to_dict() | {"simulated": is_simulated(paths)}
    return _report(args, "face challenge", verdict.outcome.value, record)


def _name(path: Path) -> str:
    return path.name


def _rig(args: argparse.Namespace) -> int:
    from biometrics.rig import Rig, RigKind

    order = [turn.value for turn in args.order]
    picture = read_input(args.picture)
    _make_empty(args.out)
    pipeline = _open_pipeline()
    frames = Rig(pipeline.detector, pipeline.mesh_estimator).render(
        RigKind(args.kind),
        picture,
        order,
        turn_deg=args.turn_deg,
        fps=args.fps,
        seed=args.seed,
    )
    record = {
        "simulated": True,
        "kind": args.kind,
        "order": order,
        "turn_deg": args.turn_deg,
        "fps": args.fps,
        "seed": args.seed,
        "frames": len(frames),
    }
    try:
        for index, frame in enumerate(frames):
            (args.out / f"{index:04d}.jpg").write_bytes(bytes(frame.picture))
        (args.out / SIMULATED_MARK).write_text(json.dumps(record, indent=2), encoding="utf-8")
    except OSError as error:
        raise InputUnusableError(f"{args.out}: {error.strerror or 'cannot be written'}") from None
    if args.json:
        print_json(record | {"out": str(args.out)})
    else:
        print(f"{len(frames)} simulated frames ({args.kind}) in {args.out}")
    return EXIT_PASSED


def _open_pipeline(pack: Path | None = None, comparison: str | None = None) -> "FacePipeline":
    from biometrics.manifest import load_manifest
    from biometrics.pipeline import FacePipeline

    return FacePipeline(load_manifest(pack=pack), comparison)


def _turns(order: str) -> "tuple[Turn, ...]":
    from biometrics.challenge import MAX_TURNS, Turn

    try:
        turns = tuple(Turn(name.strip()) for name in order.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError("takes left and right, separated by commas") from None
    if len(turns) > MAX_TURNS:
        raise argparse.ArgumentTypeError(f"takes at most {MAX_TURNS} turns")
    return turns


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
