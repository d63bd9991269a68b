"""`chinhchu chip info`: readers, their cards, what these offer and what follows from it."""

import argparse
from typing import Any

from api.cli.card_arguments import add_source_arguments
from api.cli.output import EXIT_PASSED, print_json, printable

EPILOG = """\
Nothing personal is read: only EF.CardAccess, EF.ATR/INFO and EF.DIR, which every reader may see.

examples:
  chinhchu chip info
  chinhchu chip info --reader ACR1252 --json
  chinhchu chip info --card card                            a simulated card's folder
"""


def register(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the action to the group."""
    info = actions.add_parser(
        "info",
        help="list readers and what their cards offer",
        description="List the readers, the answer to reset of their cards, the protocols that "
        "EF.CardAccess offers, and how each policy of `chip read` would open the chip.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_source_arguments(info)
    info.add_argument("--json", action="store_true", help="print one JSON document")
    info.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from api.cli.chip_description import describe_cards

    cards = describe_cards(args.reader, args.card)
    if args.json:
        print_json({"readers": cards})
    else:
        _print(cards)
    return EXIT_PASSED


def _print(cards: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(markup=False)
    for card in cards:
        table = Table(title=printable(card["reader"]), show_header=False)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        table.add_row("answer to reset", card.get("atr", ""))
        table.add_row("offers", Text(_offers(card)))
        for policy, what in card.get("policies", {}).items():
            table.add_row(policy, Text(what))
        console.print(table)


def _offers(card: dict[str, Any]) -> str:
    if not card["card"]:
        return "no card"
    if "error" in card:
        return f"{card['error']['message']} [{card['error']['code']}]"
    lines = [protocol["name"] or protocol["oid"] for protocol in card["protocols"]]
    if card["card_access"] is None:
        lines.append("no EF.CardAccess: BAC, or no travel document")
    length = "extended length" if card["extended_length"] else "short APDUs only"
    if card["max_response_bytes"]:
        length += f", responses up to {card['max_response_bytes']} bytes"
    lines.append(length)
    lines += [f"application {aid}" for aid in card["applications"]]
    return "\n".join(lines)
