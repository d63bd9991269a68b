"""`chinhchu agent`: read the card for a session of a server."""

import argparse
import os
from pathlib import Path

from api.cli.card_arguments import add_card_arguments
from api.cli.output import EXIT_BY_OUTCOME, EXIT_PASSED, print_json, read_input
from api.errors import InputUnusableError

EPILOG = """\
examples:
  export CHINHCHU_SESSION_TOKEN=…            from the answer that opened the session
  chinhchu agent --server https://proofing.example.gov.vn --session ID --can 123456
  chinhchu agent --server http://127.0.0.1:8080 --session ID --card card --can 123456

The agent asks the server for its challenge and which data groups it wants, reads them, and hands
the evidence in. It decides nothing: the server verifies. The exit code is 0 if the server accepted
the chip, 1 if it refused it, 3 if an officer has to look, 4 if it could not be done.
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "agent",
        help="read the card for a session of a server",
        description="Read the card for a session and hand the evidence to the server.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--server", required=True, help="the server's address")
    parser.add_argument("--session", required=True, help="the session's id")
    parser.add_argument(
        "--token-file", type=Path, help="file with the session's token ($CHINHCHU_SESSION_TOKEN)"
    )
    add_card_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print the session as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, hand in, say what the server answered."""
    from api.agent.client import ProofingClient
    from api.agent.reading import read_for_session
    from api.cli.chip_output import progress
    from api.cli.chip_source import open_card, password_of

    token = _token(args.token_file)
    password = password_of(args)
    with ProofingClient(args.server) as client, progress(enabled=not args.json) as listener:
        session = client.session(args.session, token)
        session.read()  # an absent server is said before the card is asked for
        transport = open_card(args.reader, args.card, args.wait)
        try:
            answer = read_for_session(session, transport, password, listener).session
        finally:
            transport.close()
    if args.json:
        print_json(answer)
    elif answer["outcome"] is None:
        turns = ", ".join(answer["capture_challenge"]["turns"])
        print(f"The chip is accepted. Next: the camera, turning {turns}.")
    else:
        print(f"{answer['outcome']}: {', '.join(answer['reasons'])}")
    return EXIT_PASSED if answer["outcome"] is None else EXIT_BY_OUTCOME[answer["outcome"]]


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
