"""Errors of the simulated card."""

from typing import ClassVar

from devices.errors import DeviceError


class SimulatorError(DeviceError):
    """Root of everything that the simulated card raises."""

    code: ClassVar[str] = "simulator-fault"


class ProfileInvalidError(SimulatorError):
    """A card profile cannot be personalised; the message names the key."""

    code: ClassVar[str] = "profile-invalid"


class PortraitUnusableError(SimulatorError):
    """A picture cannot become the portrait of a card."""

    code: ClassVar[str] = "portrait-unusable"


class FileSizeError(SimulatorError):
    """A file of the card cannot have the size that the profile asks for."""

    code: ClassVar[str] = "file-size-impossible"


class PkiUnusableError(SimulatorError):
    """A folder does not hold a test CSCA that can sign, or cannot take one."""

    code: ClassVar[str] = "test-pki-unusable"


class CardImageInvalidError(SimulatorError):
    """A folder does not hold a card that can be run, or cannot take one."""

    code: ClassVar[str] = "card-image-invalid"


class VirtualReaderUnavailableError(SimulatorError):
    """No virtual reader can be had, or it went away."""

    code: ClassVar[str] = "virtual-reader-unavailable"


class VirtualReaderMissingError(VirtualReaderUnavailableError):
    """What a virtual reader needs is not installed on this machine."""

    code: ClassVar[str] = "virtual-reader-missing"
