"""`chinhchu agent enrol` and `agent cameras`: make this machine known to its operator."""

import argparse
import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from api.cli.agent_capture import PASSWORD_VARIABLE
from api.cli.keys_secrets import new_password
from api.cli.output import EXIT_PASSED, print_json, printable
from api.errors import InputUnusableError

if TYPE_CHECKING:
    from devices.camera_identity import CameraIdentity

EPILOG_ENROL = f"""\
examples:
  chinhchu agent enrol --device-id counter-3 --out counter-3.pem --camera 0
  chinhchu agent enrol --device-id counter-3 --out counter-3.pem --no-password

Makes the key with which this machine signs its captures, and prints the line that its operator
enters at the server. With --camera the line pins that camera: name, USB id and where it is plugged
in. The private key never leaves this machine; it gets mode 0600 (on Windows it inherits the
folder's access list). The password comes from --password-file, else from {PASSWORD_VARIABLE},
else it is asked for.
"""

EPILOG_CAMERAS = """\
examples:
  chinhchu agent cameras
  chinhchu agent cameras --json
"""


def register(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add both commands below `agent`."""
    enrol = actions.add_parser(
        "enrol",
        help="make this machine's key, and the line that enrols it at the server",
        description="Make a device key (P-256), and print what the server's operator has to enter.",
        epilog=EPILOG_ENROL,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    enrol.add_argument("--device-id", required=True, metavar="NAME", help="such as counter-3")
    enrol.add_argument("--out", required=True, type=Path, metavar="FILE", help="a new file")
    enrol.add_argument("--camera", metavar="CAMERA", help="pin it: number, device file or name")
    secret = enrol.add_mutually_exclusive_group()
    secret.add_argument("--password-file", type=Path, metavar="FILE", help="its first line")
    secret.add_argument("--no-password", action="store_true", help="leave the key unencrypted")
    enrol.add_argument("--json", action="store_true", help="print one JSON document")
    enrol.set_defaults(run=run_enrol)

    cameras = actions.add_parser(
        "cameras",
        help="list the cameras of this machine (Linux)",
        description="List the cameras of this machine with what pins each of them (Linux).",
        epilog=EPILOG_CAMERAS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    cameras.add_argument("--json", action="store_true", help="print one JSON document")
    cameras.set_defaults(run=run_cameras)


def run_enrol(args: argparse.Namespace) -> int:
    """Make the key."""
    from api.assertions.jwk import thumbprint
    from api.fleet.device_keys import make_device_key, public_text
    from api.fleet.registry import EnrolledAgent
    from devices.camera_sysfs import choose_camera

    camera = choose_camera(args.camera).identity if args.camera else None
    password = (
        None
        if args.no_password
        else new_password(args.password_file, os.environ, PASSWORD_VARIABLE)
    )
    check_device_id(args.device_id)
    key = make_device_key(args.out, password).public_key()
    agent = EnrolledAgent(args.device_id, key)
    line = ["chinhchu", "agents", "add", agent.device_id, "--key", public_text(key)]
    line += _pins(camera) if camera else []
    if password is None:
        print("the device key is not encrypted: whoever reads it can sign", file=sys.stderr)
    if args.json:
        record = {
            "device_id": agent.device_id,
            "file": str(args.out),
            "key": public_text(key),
            "thumbprint": thumbprint(key),
            "camera": camera and camera.to_dict(),
            "enter_at_the_server": line,
        }
        print_json(record)
        return EXIT_PASSED
    print(f"device id    {agent.device_id}")
    print(f"private key  {args.out}")
    print(f"thumbprint   {thumbprint(key)}")
    print(
        f"camera       {_in_words(camera) if camera else 'not pinned: captures are not attested'}"
    )
    print(f"\nenter at the server, and compare the thumbprint:\n  {printable(shlex.join(line))}")
    return EXIT_PASSED


def run_cameras(args: argparse.Namespace) -> int:
    """List the cameras."""
    from devices.camera_sysfs import IS_LINUX, find_cameras

    if not IS_LINUX:
        raise InputUnusableError("only Linux says which cameras there are and what they are")
    cameras = find_cameras()
    if args.json:
        found = [
            {"number": node.number, "file": str(node.file), **node.identity.to_dict()}
            | {"virtual": node.identity.is_virtual}
            for node in cameras
        ]
        print_json({"cameras": found})
        return EXIT_PASSED
    for node in cameras:
        print(printable(f"{node.number}  {_in_words(node.identity)}"))
    if not cameras:
        print("no camera is connected", file=sys.stderr)
    return EXIT_PASSED


def check_device_id(device_id: str) -> None:
    """Refuse a name that the server would refuse.

    Raises:
        InputUnusableError: it is none.
    """
    from api.fleet.registry import DEVICE_ID

    if not DEVICE_ID.fullmatch(device_id):
        raise InputUnusableError(
            "a device id has 1 to 64 letters, digits, dots, hyphens and underscores"
        )


def _pins(camera: "CameraIdentity") -> list[str]:
    pins = {
        "--camera-usb": camera.usb_id,
        "--camera-name": camera.name,
        "--camera-path": camera.path,
        "--driver": camera.driver,
    }
    return [word for name, value in pins.items() if value for word in (name, value)]


def _in_words(camera: "CameraIdentity") -> str:
    kind = ", VIRTUAL: a program makes its pictures" if camera.is_virtual else ""
    found = (camera.name, camera.usb_id, camera.driver, camera.bus, camera.path)
    return ", ".join(text for text in found if text) + kind
