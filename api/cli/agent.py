"""`chinhchu agent`: read the card, or hand in the frames, for a session of a server."""

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.card_arguments import add_card_arguments
from api.cli.frame_files import (
    DEFAULT_FPS,
    frame_paths,
    frames_per_second,
    is_simulated,
    read_frames,
)
from api.cli.output import EXIT_BY_OUTCOME, EXIT_PASSED, print_json, printable, read_input
from api.errors import ApiError, InputUnusableError

if TYPE_CHECKING:
    from api.agent.client import SessionClient

EPILOG = """\
examples:
  export CHINHCHU_SESSION_TOKEN=…            from the answer that opened the session
  chinhchu agent --server https://proofing.example.gov.vn --session ID --can 123456
  chinhchu agent --server http://127.0.0.1:8080 --session ID --card card --can 123456
  chinhchu agent --server http://127.0.0.1:8080 --session ID --frames capture --out assertion.txt

First the chip: the agent asks the server for its challenge and which data groups it wants, reads
them, and hands the evidence in. Then, with --frames, the capture: the files of a folder in the
order of their names. It decides nothing: the server verifies. The exit code is 0 if the server
accepted the chip or the session passed, 1 if it refused, 3 if an officer has to look, 4 if it
could not be done.
"""


class FramesSimulatedError(ApiError):
    """The frames were rendered, not taken by a camera, and nobody said that this is meant."""

    code = "frames-simulated"


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "agent",
        help="read the card for a session, or hand in its frames",
        description="Read the card, or take the frames, for a session and hand them to the server.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--server", required=True, help="the server's address")
    parser.add_argument("--session", required=True, help="the session's id")
    parser.add_argument(
        "--token-file", type=Path, help="file with the session's token ($CHINHCHU_SESSION_TOKEN)"
    )
    add_card_arguments(parser)
    capture = parser.add_argument_group("the capture, once the chip is accepted")
    capture.add_argument("--frames", type=Path, metavar="DIR", help="hand in this folder's frames")
    capture.add_argument(
        "--fps", type=frames_per_second, default=DEFAULT_FPS, help="frames a second (12)"
    )
    capture.add_argument(
        "--simulated",
        action="store_true",
        help="hand them in although `face rig` rendered them: never on a server in earnest",
    )
    capture.add_argument(
        "--out", type=Path, metavar="FILE", help="write the assertion here if the session passes"
    )
    parser.add_argument("--json", action="store_true", help="print the session as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Do the session's next step and say what the server answered."""
    from api.agent.client import ProofingClient

    token = _token(args.token_file)
    step = _read_card if args.frames is None else _hand_in_frames
    with ProofingClient(args.server) as client:
        answer = step(args, client.session(args.session, token))
    if args.json:
        print_json(answer)
    elif answer["outcome"] is None:
        turns = ", ".join(answer["capture_challenge"]["turns"])
        print(f"The chip is accepted. Next: the camera, turning {turns}.")
    else:
        for line in _in_words(answer):
            print(printable(line))
    return EXIT_PASSED if answer["outcome"] is None else EXIT_BY_OUTCOME[answer["outcome"]]


def _read_card(args: argparse.Namespace, session: "SessionClient") -> dict[str, Any]:
    from api.agent.reading import read_for_session
    from api.cli.chip_read_output import progress
    from api.cli.chip_session import length_memory, with_card
    from api.cli.chip_source import password_of

    if args.out is not None:
        raise InputUnusableError("--out needs --frames: no session passes on its chip alone")
    password = password_of(args)
    session.read()  # an absent server is said before the card is asked for
    with progress(enabled=not args.json) as listener:
        reading = with_card(
            args,
            listener,
            lambda transport, resume: read_for_session(
                session, transport, password, listener, resume=resume, lengths=length_memory(args)
            ),
        )
    return reading.session


def _hand_in_frames(args: argparse.Namespace, session: "SessionClient") -> dict[str, Any]:
    from api.agent.capture import hand_in_frames

    paths = frame_paths(args.frames)
    simulated = is_simulated(paths)
    if simulated and not args.simulated:
        raise FramesSimulatedError(
            f"the frames of {args.frames} are rendered, no camera took them; "
            "--simulated hands them in all the same"
        )
    answer = hand_in_frames(
        session, [(round(t_ms), picture) for t_ms, picture in read_frames(paths, args.fps)]
    )
    if args.out is not None and answer["outcome"] == "PASSED":
        args.out.write_text(session.assertion(), "ascii")
    print(f"{len(paths)} {'simulated ' if simulated else ''}frames handed in", file=sys.stderr)
    return answer


def _in_words(answer: dict[str, Any]) -> list[str]:
    level = f", level {answer['level']}" if answer["level"] else ""
    reasons = f": {', '.join(answer['reasons'])}" if answer["reasons"] else ""
    advice = [f"  {told['vi']} / {told['en']}" for told in answer.get("advice", ())]
    return [f"{answer['outcome']}{level}{reasons}", *advice]


def _token(path: Path | None) -> str:
    if path is not None:
        try:
            return read_input(path, limit=1024).decode("ascii").strip()
        except UnicodeDecodeError:
            raise InputUnusableError(f"{path} holds no session token") from None
    token = os.environ.get("CHINHCHU_SESSION_TOKEN")
    if not token:
        raise InputUnusableError("give the session's token: $CHINHCHU_SESSION_TOKEN, --token-file")
    return token
