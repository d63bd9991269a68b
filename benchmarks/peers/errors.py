"""What can go wrong with a peer."""

from devices.errors import DeviceError


class PeerUnavailableError(DeviceError):
    """The peer cannot run on this machine: a tool or a download is missing."""

    code = "peer-unavailable"


class PeerFailedError(DeviceError):
    """The peer does not build, ended, or did not answer in time."""

    code = "peer-failed"
