"""What a camera is: its driver, its bus, its name and where it is plugged in."""

import re
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, ClassVar, Final

from devices.errors import DeviceError

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
    r"virtual|dummy|loopback|droidcam|iriun|epoccam|snap ?camera|manycam|xsplit|e2esoft"
    r"|(?<![a-z])(?:ak)?vcam|sparkocam|webcamoid|newtek|ndi (?:video|webcam)|mmhmm|camo\b|fake"
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


def _is_text(value: object) -> bool:
    return value is None or (
        isinstance(value, str) and 0 < len(value) <= MAX_TEXT and value.isprintable()
    )
