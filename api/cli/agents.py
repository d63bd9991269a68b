"""`chinhchu agents`: whose cameras the server believes."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.output import EXIT_PASSED, print_json, printable
from api.settings import Settings

if TYPE_CHECKING:
    from api.fleet.registry import AgentFleet, EnrolledAgent

EPILOG = """\
examples:
  chinhchu agents add counter-3 --key MFkw… --camera-usb 046d:0825 --camera-name "C270 HD WEBCAM"
  chinhchu agents list
  chinhchu agents revoke counter-3        stolen or opened: what it signs is refused from now on
  chinhchu agents remove counter-3        retired: its captures count as a browser's

The line for `add` comes from `chinhchu agent enrol` on the machine; compare the thumbprint with its
officer by another way. An agent without a pinned camera is known, and its captures still count as
a browser's. The list is HOME/agents.toml; HOME is --home, else $CHINHCHU_HOME, else ~/.chinhchu.
Restart the server after a change.
"""


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `agents add`, `list`, `revoke` and `remove`."""
    group = commands.add_parser(
        "agents",
        help="enrol the machines whose cameras count as attested",
        description="The device agents that the server knows, each with its key and camera.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = group.add_subparsers(metavar="ACTION", required=True)
    add = _action(actions, "add", "enrol an agent", run_add)
    add.add_argument("device_id", metavar="NAME", help="such as counter-3")
    add.add_argument("--key", required=True, metavar="TEXT", help="its public key, one line")
    add.add_argument("--camera-usb", metavar="ID", type=str.lower, help="vendor:product, in hex")
    add.add_argument("--camera-name", metavar="TEXT", help="the camera's whole name")
    add.add_argument("--camera-path", metavar="TEXT", help="where it is plugged in")
    add.add_argument(
        "--driver",
        action="append",
        metavar="NAME",
        help="a driver that the camera may have (uvcvideo)",
    )
    _action(actions, "list", "list the agents", run_list)
    for name, words, run in (
        ("revoke", "refuse what an agent signs", run_revoke),
        ("remove", "forget an agent", run_remove),
    ):
        parser = _action(actions, name, words, run)
        parser.add_argument("device_id", metavar="NAME", help="the agent")


def run_add(args: argparse.Namespace) -> int:
    """Enrol an agent."""
    from api.errors import InputUnusableError
    from api.fleet.device_keys import parse_public_text
    from api.fleet.registry import DEFAULT_DRIVERS, CameraPin, EnrolledAgent

    pins = (args.camera_usb, args.camera_name, args.camera_path)
    if args.driver and not any(pins):
        raise InputUnusableError("a driver alone pins no camera: give its USB id, name or path")
    drivers = tuple(args.driver or DEFAULT_DRIVERS)
    pin = CameraPin(*pins, drivers=drivers) if any(pins) else None
    agent = EnrolledAgent(args.device_id, parse_public_text(args.key), pin)
    return _change(args, lambda fleet: fleet.with_agent(agent))


def run_list(args: argparse.Namespace) -> int:
    """List the agents."""
    from api.fleet.registry import AgentFleet

    fleet = AgentFleet.load(Settings.from_environment(args.home).agents)
    _print(args, fleet)
    return EXIT_PASSED


def run_revoke(args: argparse.Namespace) -> int:
    """Revoke an agent."""
    return _change(args, lambda fleet: fleet.revoking(args.device_id))


def run_remove(args: argparse.Namespace) -> int:
    """Remove an agent."""
    return _change(args, lambda fleet: fleet.without(args.device_id))


def _change(args: argparse.Namespace, change: "Callable[[AgentFleet], AgentFleet]") -> int:
    from api.fleet.registry import AgentFleet

    path = Settings.from_environment(args.home).agents
    fleet = change(AgentFleet.load(path))
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fleet.save(path)
    _print(args, fleet)
    print("a server that is running has to be restarted", file=sys.stderr)
    return EXIT_PASSED


def _print(args: argparse.Namespace, fleet: "AgentFleet") -> None:
    if args.json:
        agents = [_as_json(agent) for agent in fleet.agents]
        print_json({"minimum_version": fleet.minimum_version, "agents": agents})
        return
    for agent in fleet.agents:
        state = ", REVOKED" if agent.revoked else ""
        print(printable(f"{agent.device_id}{state}"))
        print(f"  key     {agent.thumbprint}")
        pin = agent.camera
        pins = [text for text in (pin.usb_id, pin.name, pin.path) if text] if pin else []
        camera = f"{', '.join(pins)} by {' or '.join(pin.drivers)}" if pin else "not pinned"
        print(printable(f"  camera  {camera}"))
    if not fleet.agents:
        print("no agent is enrolled: every capture counts as a browser's", file=sys.stderr)


def _as_json(agent: "EnrolledAgent") -> dict[str, Any]:
    return {
        "device_id": agent.device_id,
        "thumbprint": agent.thumbprint,
        "revoked": agent.revoked,
        "camera": vars(agent.camera) if agent.camera else None,
    }


def _action(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    words: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    parser = actions.add_parser(
        name,
        help=words,
        description=f"{words[0].upper()}{words[1:]}.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--home", type=Path, help="the server's folder")
    parser.add_argument("--json", action="store_true", help="print the list as JSON")
    parser.set_defaults(run=run)
    return parser
