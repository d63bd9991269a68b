"""`chinhchu card run`, a card on a virtual reader, and `card quirks`, what is odd about cards."""

import argparse
import json
import signal
import sys
from pathlib import Path

from api.cli.output import EXIT_FAULT, EXIT_PASSED, print_json

EPILOG = """\
The system needs pcscd with the driver of the package vsmartcard-vpcd. Ctrl-C or SIGTERM takes the
card away.

A fault has a kind and the number of the command at which it shows; commands are counted from 1, or
only those that read a file or have an instruction:

  --fault tear@9                          taken away at the ninth command
  --fault tear=2@3,EF.DG2                 at the third read of DG2, back after two seconds
  --fault naked-status=6A80@every=5       each fifth command is refused without protection
  --fault wrong-mac@1,ins=B0              the MAC of the first READ BINARY is wrong
  --fault slow-answer=5@4                 the fourth answer comes five seconds late
  --fault truncated-file@EF.SOD           the second half of a file is missing

Other kinds: replayed-answer, unprotected-data, oversized-answer, endless-61xx, garbage,
stub-answer, naked-6700 @NUMBER; length-4-gib@FILE. A link is a bit rate, and maybe more:

  --link 848,command_ms=15,ec_multiplication_ms=60,secure_messaging_bytes_s=100000

examples:
  chinhchu card run card &
  chinhchu chip read --can 123456
  chinhchu card run card --link 106 --fault tear=2@9
"""

EPILOG_QUIRKS = """\
A profile names them in its table [chip], as in quirks = ["le-on-select-refused", "sfi-6a86"].

examples:
  chinhchu card quirks
  chinhchu card quirks --json
"""


def register_run(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add both actions to `chinhchu card`."""
    run = actions.add_parser(
        "run",
        help="lay a card on a virtual reader",
        description="Connect a card to the vpcd driver of a PC/SC service and answer its APDUs.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("card", metavar="DIR", type=Path, help="folder that `card new` made")
    run.add_argument("--host", default="127.0.0.1", help="where the driver listens (%(default)s)")
    run.add_argument("--port", type=int, default=35963, help="its port (%(default)s)")
    run.add_argument(
        "--fault",
        metavar="KIND[=VALUE]@PLACE",
        action="append",
        default=[],
        help="what goes wrong, and where; may be given several times",
    )
    run.add_argument(
        "--link", metavar="KBIT/S[,NAME=N]", help="take as long as a card does at 106 to 848 kbit/s"
    )
    run.add_argument("--json", action="store_true", help="print each event as a JSON line")
    run.set_defaults(run=_run)
    quirks = actions.add_parser(
        "quirks",
        help="list the habits of real cards that a profile can name",
        description="List the quirks: habits of real cards that a profile can name.",
        epilog=EPILOG_QUIRKS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    quirks.add_argument("--json", action="store_true", help="print JSON")
    quirks.set_defaults(run=_quirks)


def _run(args: argparse.Namespace) -> int:
    from devices.simulator.card import SimulatedCard
    from devices.simulator.faults import parse_fault
    from devices.simulator.image import CardImage
    from devices.simulator.link import parse_link
    from devices.simulator.vpcd import CardEvent, VpcdSlot

    def tell(event: CardEvent) -> None:
        if args.json:
            print(json.dumps({"event": event}), flush=True)
        else:
            print(f"card: {event.replace('-', ' ')}", file=sys.stderr)

    faults = [parse_fault(text) for text in args.fault]
    link = None if args.link is None else parse_link(args.link)
    card = SimulatedCard(CardImage.load(args.card), faults, link=link)
    slot = VpcdSlot(card, args.host, args.port, tell)
    # Scripts and service managers end it by SIGTERM; what a shell puts in the background hears no
    # Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        slot.serve()
    except KeyboardInterrupt:
        return EXIT_PASSED
    print("chinhchu: the card is gone, or the virtual reader went away", file=sys.stderr)
    return EXIT_FAULT


def _quirks(args: argparse.Namespace) -> int:
    from devices.simulator.quirks import QUIRKS

    if args.json:
        print_json(dict(QUIRKS))
        return EXIT_PASSED
    from rich.console import Console
    from rich.table import Table

    table = Table("quirk", "what the card does")
    for name, sentence in QUIRKS.items():
        table.add_row(name, sentence)
    Console().print(table)
    return EXIT_PASSED
