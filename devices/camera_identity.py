"""What a camera is: its driver, its bus, its name and where it is plugged in.

Source: Linux `Documentation/ABI/testing/sysfs-class-video4linux`-style tree as the kernel lays it
out: `class/video4linux/videoN` with `name`, `index`, and `device`, a link to the interface whose
parent is the USB device (`idVendor`, `idProduct`). A device that software made has no `device`, or
lies below `devices/virtual`, or hangs on a USB bus that is itself software.
"""

import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Final

from devices.errors import DeviceError

SYSFS: Final = Path("/sys")
MAX_TEXT: Final = 200
USB_ID: Final = re.compile(r"[0-9a-f]{4}:[0-9a-f]{4}")

VIRTUAL_DRIVERS: Final = frozenset(
    {"v4l2loopback", "v4l2 loopback", "vivid", "vimc", "vcam", "akvcam", "virtual"}
)
"""Drivers whose pictures come from a program. Sources: the kernel's `media/test-drivers`,
v4l2loopback, akvcam."""
SOFTWARE_BUSES: Final = ("vhci_hcd", "dummy_hcd", "usbip", "/virtual/")
"""Parts of a sysfs path: USB over a network, a USB device made by a program, no bus at all."""
VIRTUAL_NAME: Final = re.compile(
    r"virtual|dummy|loopback|akvcam|droidcam|iriun|epoccam|snap ?camera|manycam|xsplit|e2esoft"
    r"|vcam|sparkocam|webcamoid|newtek|ndi (?:video|webcam)|mmhmm|camo\b|fake"
    r"|(?:^|[^a-z])obs(?:[^a-z]|$)",
    re.IGNORECASE,
)
"""Names that programs which pose as a camera give it."""


class CameraMalformedError(DeviceError):
    """What describes a camera is no such description."""

    code: ClassVar[str] = "camera-malformed"


class CameraKind(StrEnum):
    """Where the pictures come from."""

    DEVICE = "device"
    FILE = "file"
    """A recording or a folder of pictures: for tests."""


@dataclass(frozen=True)
class CameraIdentity:
    """One camera; what the platform does not say is None."""

    kind: CameraKind
    driver: str | None = None
    """Name of the kernel's driver, such as `uvcvideo`."""
    bus: str | None = None
    """`usb`, `pci`, `platform`, …; `virtual` where there is no hardware."""
    name: str | None = None
    usb_id: str | None = None
    """Vendor and product in lower-case hex, such as `046d:0825`."""
    path: str | None = None
    """Where it is plugged in, as the kernel names it; the same port gives the same path."""

    def __post_init__(self) -> None:
        texts = (self.driver, self.bus, self.name, self.path)
        if not isinstance(self.kind, CameraKind) or not all(map(_is_text, texts)):
            raise CameraMalformedError("a camera's driver, bus, name and path are short plain text")
        is_usb_id = isinstance(self.usb_id, str) and USB_ID.fullmatch(self.usb_id)
        if self.usb_id is not None and not is_usb_id:
            raise CameraMalformedError("a camera's USB id is two times four hex digits: 046d:0825")

    @property
    def is_virtual(self) -> bool:
        """Whether a program makes its pictures, as far as its description says so."""
        path = f"/{self.path}/" if self.path else ""
        return self.kind is CameraKind.DEVICE and (
            self.bus == "virtual"
            or (self.driver or "").lower() in VIRTUAL_DRIVERS
            or any(part in path for part in SOFTWARE_BUSES)
            or VIRTUAL_NAME.search(self.name or "") is not None
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the identity for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Any) -> "CameraIdentity":
        """Read what `to_dict` wrote.

        Raises:
            CameraMalformedError: it is anything else.
        """
        try:
            return cls(**{**data, "kind": CameraKind(data["kind"])})
        except (KeyError, TypeError, ValueError):
            raise CameraMalformedError("this describes no camera") from None


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


def _is_text(value: object) -> bool:
    return value is None or (
        isinstance(value, str) and 0 < len(value) <= MAX_TEXT and value.isprintable()
    )
