"""Cameras as Linux lists them, and the one among them that was asked for.

`class/video4linux/videoN` holds `name`, `index` and `device`, a link to the interface whose parent
is the USB device (`idVendor`, `idProduct`). What a program made has no `device`, or lies below
`devices/virtual`, or hangs on a USB bus that is itself a program.

Source: Linux, Documentation/admin-guide/sysfs-rules and the V4L2 core (`v4l2-dev.c`).
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from devices.camera_identity import MAX_TEXT, USB_ID, CameraIdentity, CameraKind
from devices.errors import CameraMissingError, DeviceError

SYSFS: Final = Path("/sys")
IS_LINUX: Final[bool] = sys.platform == "linux"
"""Elsewhere nothing says what a camera is."""


class CameraOtherError(DeviceError):
    """The camera that is there is not the one that was asked for."""

    code: ClassVar[str] = "camera-other"


class CameraVirtualError(DeviceError):
    """A program poses as the camera."""

    code: ClassVar[str] = "camera-virtual"


class CameraAmbiguousError(DeviceError):
    """Several cameras fit what was asked for."""

    code: ClassVar[str] = "camera-ambiguous"


@dataclass(frozen=True)
class VideoNode:
    """A device file that gives pictures, with the camera behind it."""

    file: Path
    """Such as `/dev/video0`."""
    number: int
    identity: CameraIdentity


def find_cameras(sysfs: Path = SYSFS) -> tuple[VideoNode, ...]:
    """Return the cameras that Linux knows, by number; empty on other platforms.

    Of a camera with several device files only the first is taken: the others carry metadata.
    """
    nodes = []
    for entry in (sysfs / "class/video4linux").glob("video*"):
        number = entry.name.removeprefix("video")
        if number.isdigit() and _line(entry / "index") in (None, "0"):
            file = Path("/dev") / entry.name
            nodes.append(VideoNode(file, int(number), read_identity(entry, sysfs)))
    return tuple(sorted(nodes, key=lambda node: node.number))


def read_identity(entry: Path, sysfs: Path = SYSFS) -> CameraIdentity:
    """Return what sysfs says of one entry of `class/video4linux`."""
    device = _target(entry / "device")
    place = device or _target(entry)
    base = _target(sysfs / "devices") or sysfs / "devices"
    inside = place is not None and place.is_relative_to(base)
    driver = _target(device / "driver") if device else None
    bus = _target(device / "subsystem") if device else None
    vendor, product = None, None
    if device:
        vendor, product = (_line(device.parent / name) for name in ("idVendor", "idProduct"))
    usb_id = f"{vendor}:{product}".lower()
    return CameraIdentity(
        kind=CameraKind.DEVICE,
        driver=driver.name[:MAX_TEXT] if driver else None,
        bus=bus.name[:MAX_TEXT] if bus else "virtual",
        name=_line(entry / "name"),
        usb_id=usb_id if USB_ID.fullmatch(usb_id) else None,
        path=place.relative_to(base).as_posix()[:MAX_TEXT] if place and inside else None,
    )


def choose_camera(
    wanted: str | None, usb_id: str | None = None, cameras: tuple[VideoNode, ...] | None = None
) -> VideoNode:
    """Return the one camera that fits.

    Args:
        wanted: its number, its device file, or its name or a part of it; None where the USB id
            says enough.
        usb_id: what its vendor and product have to be.
        cameras: among which; by default those that Linux lists.

    Raises:
        CameraMissingError: none fits.
        CameraAmbiguousError: several do.
        CameraOtherError: the one that was named has another USB id.
        CameraVirtualError: a program makes its pictures.
    """
    cameras = find_cameras() if cameras is None else cameras
    named = [node for node in cameras if wanted is None or _is_named(node, wanted)]
    if not named:
        there = ", ".join(f"{node.number}: {node.identity.name}" for node in cameras) or "none"
        raise CameraMissingError(f"there is no such camera; there are: {there}")
    fitting = [node for node in named if usb_id is None or node.identity.usb_id == usb_id]
    if not fitting and wanted is not None:
        found = ", ".join(str(node.identity.usb_id) for node in named)
        raise CameraOtherError(f"the camera is {found}, and {usb_id} was asked for")
    if not fitting:
        raise CameraMissingError(f"no camera {usb_id} is connected")
    if len(fitting) > 1:
        numbers = ", ".join(str(node.number) for node in fitting)
        raise CameraAmbiguousError(f"several cameras fit: give one of the numbers {numbers}")
    if fitting[0].identity.is_virtual:
        raise CameraVirtualError("a program makes this camera's pictures: choose another camera")
    return fitting[0]


def _is_named(node: VideoNode, wanted: str) -> bool:
    if wanted.isascii() and wanted.isdigit():
        return node.number == int(wanted)
    if wanted.startswith("/"):
        file = Path(wanted)
        return node.file in (file, _target(file))
    return wanted.casefold() in (node.identity.name or "").casefold()


def _target(link: Path) -> Path | None:
    try:
        return link.resolve(strict=True)
    except (OSError, RuntimeError):
        return None


def _line(path: Path) -> str | None:
    """Return the text of an attribute, without what could command a terminal."""
    try:
        with path.open("rb") as file:
            raw = file.read(4 * MAX_TEXT)
    except OSError:
        return None
    text = raw.decode("utf-8", "replace").partition("\n")[0].strip()
    return "".join(c for c in text if c.isprintable())[:MAX_TEXT] or None
