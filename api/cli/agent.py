"""`chinhchu agent`: read the card for a session of a server, take its capture, enrol."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli import agent_capture, agent_enrol
from api.cli.card_arguments import add_card_arguments
from api.cli.output import (
    EXIT_BY_OUTCOME,
    EXIT_INDETERMINATE,
    EXIT_PASSED,
    print_json,
    printable,
    read_input,
)
from api.errors import InputUnusableError

if TYPE_CHECKING:
    from api.agent.client import SessionClient

EPILOG = """\
examples:
  export CHINHCHU_SESSION_TOKEN=…            from the answer that opened the session
  chinhchu agent --server https://proofing.example.gov.vn --session ID --can 123456
  chinhchu agent --server http://127.0.0.1:8080 --session ID --card card --can 123456
  chinhchu agent --server http://127.0.0.1:8080 --session ID --frames capture --out assertion.txt
  chinhchu agent capture --server https://proofing.example.gov.vn --session ID --camera 0

First the chip: the agent asks the server for its challenge and which data groups it wants, reads
them, and hands the evidence in. Then the capture: `agent capture` with a camera, or, with --frames,
the files of a folder in the order of their names, at the pace at which they were taken. It decides
nothing: the server verifies. The exit code is 0 if the server accepted the chip or the session
passed, 1 if it refused, 3 if an officer has to look or the capture has to be taken again, 4 if it
could not be done.
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `agent`, and below it `capture`, `enrol` and `cameras`."""
    parser = commands.add_parser(
        "agent",
        help="read the card for a session, take its capture, enrol this machine",
        description="Read the card, or take the frames, for a session and hand them to the server.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_session_arguments(parser)
    add_card_arguments(parser)
    frames = parser.add_argument_group("the capture, once the chip is accepted")
    agent_capture.add_frames_arguments(frames)
    parser.add_argument("--json", action="store_true", help="print the session as JSON")
    parser.set_defaults(run=run)
    actions = parser.add_subparsers(metavar="ACTION", required=False)
    agent_capture.register(actions, add_session_arguments, run_step)
    agent_enrol.register(actions)


def add_session_arguments(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    """Add the arguments that say which session; below `agent` they may stand before the action."""
    parser.add_argument("--server", help="the server's address", default=default)
    parser.add_argument("--session", help="the session's id", default=default)
    parser.add_argument(
        "--token-file",
        type=Path,
        help="file with the session's token ($CHINHCHU_SESSION_TOKEN)",
        default=default,
    )


def run(args: argparse.Namespace) -> int:
    """Do the session's next step."""
    return run_step(args, _read_card if args.frames is None else agent_capture.hand_in_folder)


def run_step(args: argparse.Namespace, step: "agent_capture.SessionStep") -> int:
    """Do one step of a session and say what the server answered."""
    from api.agent.client import ProofingClient

    if not args.server or not args.session:
        raise InputUnusableError("say which session: --server URL --session ID")
    token = _token(args.token_file)
    with ProofingClient(args.server) as client:
        answer = step(args, client.session(args.session, token))
    if args.json:
        print_json(answer)
    else:
        for line in _in_words(answer):
            print(printable(line))
    if answer["outcome"] is None:
        return EXIT_INDETERMINATE if answer["capture"] else EXIT_PASSED
    return EXIT_BY_OUTCOME[answer["outcome"]]


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


def _in_words(answer: dict[str, Any]) -> list[str]:
    if answer["outcome"] is None:
        left = answer["attempts_left"]
        if answer["capture"] is None:
            return ["The chip is accepted. Next: the camera (chinhchu agent capture)."]
        return [f"The capture has to be taken again; attempts left: {left}.", *_advice(answer)]
    level = f", level {answer['level']}" if answer["level"] else ""
    reasons = f": {', '.join(answer['reasons'])}" if answer["reasons"] else ""
    return [f"{answer['outcome']}{level}{reasons}", *_advice(answer)]


def _advice(answer: dict[str, Any]) -> list[str]:
    return [f"  {told['vi']} / {told['en']}" for told in answer.get("advice", ())]


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
