"""`chinhchu agent capture`: take a session's capture with a camera, or hand a recording in."""

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api.cli.frame_files import (
    DEFAULT_FPS,
    frame_paths,
    frames_per_second,
    is_simulated,
    read_frames,
)
from api.cli.output import printable, read_input, write_output
from api.errors import ApiError, InputUnusableError

if TYPE_CHECKING:
    from api.agent.capture import CaptureListener
    from api.agent.client import SessionClient
    from api.agent.device import EnrolledDevice
    from devices.camera_stream import FrameSource

    SessionStep = Callable[[argparse.Namespace, SessionClient], dict[str, Any]]

PASSWORD_VARIABLE = "CHINHCHU_DEVICE_KEY_PASSWORD"  # noqa: S105 - the variable's name
MAX_PASSWORD_FILE = 4096

EPILOG = f"""\
examples:
  chinhchu agent cameras                               what is connected, and what pins it
  chinhchu agent capture --server URL --session ID --camera 0
  chinhchu agent capture --server URL --session ID --camera "Logitech" --camera-usb 046d:0825 \\
      --device-id counter-3 --device-key counter-3.pem
  chinhchu agent capture --server URL --session ID --camera recording.avi      for tests only

The chip has to be accepted already. From the server's challenge on everything runs in real time:
each step is shown when it begins, and the frames are sent as they are taken. Without a device key
the capture counts as a browser's. A terminal throws no coloured light on a face: leave --light to
where a page shows the challenge's colours. The key's password comes from --password-file, else
from {PASSWORD_VARIABLE}.
"""


class FramesSimulatedError(ApiError):
    """The frames were rendered, not taken by a camera, and nobody said that this is meant."""

    code = "frames-simulated"


def register(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
    add_session_arguments: Callable[[argparse.ArgumentParser, str | None], None],
    run_step: "Callable[[argparse.Namespace, SessionStep], int]",
) -> None:
    """Add the command below `agent`."""
    parser = actions.add_parser(
        "capture",
        help="take the capture with a camera",
        description="Take a session's capture: show each step, send the frames, ask what follows.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_session_arguments(parser, argparse.SUPPRESS)
    camera = parser.add_argument_group("the camera")
    camera.add_argument(
        "--camera",
        metavar="CAMERA",
        help="number, device file or name; a recording or a folder of pictures for tests",
    )
    camera.add_argument(
        "--camera-usb",
        metavar="ID",
        type=str.lower,
        help="refuse another USB vendor and product than this (046d:0825)",
    )
    add_frames_arguments(camera)
    device = parser.add_argument_group("this machine, if it is enrolled")
    device.add_argument("--device-key", type=Path, metavar="FILE", help="made by `agent enrol`")
    device.add_argument("--device-id", metavar="NAME", help="what the operator calls it")
    device.add_argument("--password-file", type=Path, metavar="FILE", help="its first line")
    person = parser.add_argument_group("the person")
    person.add_argument(
        "--light",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="coloured light, where a page shows it (off)",
    )
    person.add_argument("--slow", action="store_true", help="twice the time for each step")
    parser.add_argument("--json", action="store_true", help="print the session as JSON")
    parser.set_defaults(run=lambda args: run_step(args, take_capture))


def add_frames_arguments(group: "argparse._ArgumentGroup") -> None:
    """Add the arguments of a folder of frames."""
    group.add_argument("--frames", type=Path, metavar="DIR", help="hand in this folder's frames")
    group.add_argument(
        "--fps", type=frames_per_second, default=DEFAULT_FPS, help="frames a second (12)"
    )
    group.add_argument(
        "--simulated",
        action="store_true",
        help="hand them in although `face rig` rendered them: never on a server in earnest",
    )
    group.add_argument(
        "--out", type=Path, metavar="FILE", help="write the assertion here if the session passes"
    )


def hand_in_folder(args: argparse.Namespace, session: "SessionClient") -> dict[str, Any]:
    """Stream a folder's frames, as a capture that nobody attests."""
    return _take(args, session, _folder(args.frames, args))


def take_capture(args: argparse.Namespace, session: "SessionClient") -> dict[str, Any]:
    """Take a capture with the camera, recording or folder that was named."""
    device = _device(args)
    source = _source(args)
    return _take(args, session, source, device, light=args.light, slow=args.slow)


def _take(
    args: argparse.Namespace,
    session: "SessionClient",
    source: "FrameSource",
    device: "EnrolledDevice | None" = None,
    *,
    light: bool = False,
    slow: bool = False,
) -> dict[str, Any]:
    from api.agent.capture import run_capture

    with closing(source):
        result = run_capture(
            session,
            source,
            device=device,
            light=light,
            pace="slow" if slow else "normal",
            listener=_listener(),
        )
    if args.out is not None and result.session["outcome"] == "PASSED":
        write_output(args.out, session.assertion().encode("ascii"))
    left_out = f", {result.left_out} left out, the network is slow" if result.left_out else ""
    print(f"{result.sent} frames sent{left_out}", file=sys.stderr)
    return result.session


def _source(args: argparse.Namespace) -> "FrameSource":
    from devices.camera_stream import VideoFile, open_camera
    from devices.camera_sysfs import IS_LINUX, choose_camera

    if args.frames is not None and args.camera is None:
        return _folder(args.frames, args)
    if (args.camera is None and args.camera_usb is None) or args.frames is not None:
        raise InputUnusableError("say which camera: --camera, --camera-usb, or --frames DIR")
    recording = Path(args.camera) if args.camera else None
    if recording and recording.is_dir():
        return _folder(recording, args)
    if recording and recording.is_file():
        if args.camera_usb is not None:
            raise InputUnusableError("a recording has no USB id")
        return VideoFile(recording)
    if IS_LINUX:
        return open_camera(choose_camera(args.camera, args.camera_usb))
    if args.camera_usb is not None or not (args.camera.isascii() and args.camera.isdigit()):
        raise InputUnusableError(
            "only Linux says what a camera is: give its number, without --camera-usb"
        )
    return open_camera(int(args.camera))


def _folder(folder: Path, args: argparse.Namespace) -> "FrameSource":
    from devices.camera_stream import Pictures

    paths = frame_paths(folder)
    if is_simulated(paths):
        if not args.simulated:
            raise FramesSimulatedError(
                f"the frames of {folder} are rendered, no camera took them; "
                "--simulated hands them in all the same"
            )
        print("simulated frames: no camera took them", file=sys.stderr)
    return Pictures(read_frames(paths, args.fps))


def _device(args: argparse.Namespace) -> "EnrolledDevice | None":
    from api.agent.device import EnrolledDevice
    from api.fleet.device_keys import load_device_key

    if args.device_key is None and args.device_id is None:
        return None
    if args.device_key is None or args.device_id is None:
        raise InputUnusableError("--device-key and --device-id belong together")
    return EnrolledDevice(
        args.device_id, load_device_key(args.device_key, _password(args.password_file))
    )


def _password(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get(PASSWORD_VARIABLE)
    try:
        text = read_input(file, MAX_PASSWORD_FILE).decode("utf-8")
    except UnicodeDecodeError:
        raise InputUnusableError(f"{file} is not text in UTF-8") from None
    return text.partition("\n")[0].rstrip("\r")


def _listener() -> "CaptureListener":
    from api.agent.capture import CaptureListener
    from biometrics.challenge import REST, Challenge, Step, Words, instruction

    def say(words: Words) -> None:
        print(printable(f"  {words.vi}  /  {words.en}"), file=sys.stderr, flush=True)

    class Terminal(CaptureListener):
        """Shows each step on standard error."""

        def begun(self, attempt: int, challenge: Challenge) -> None:
            seconds = challenge.duration_ms / 1000
            print(f"attempt {attempt}, {seconds:.0f} seconds", file=sys.stderr)
            say(REST)

        def prompt(self, step: Step | None) -> None:
            say(instruction(step) if step else REST)

        def again(self, pause_s: float) -> None:
            say(
                Words(
                    f"Xin làm lại một lần nữa, sau {pause_s:.0f} giây",
                    f"Please do it once more, in {pause_s:.0f} seconds",
                )
            )

    return Terminal()
