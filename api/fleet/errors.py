"""What can be wrong with device keys, statements, signatures and the list of agents."""

from api.errors import ApiError


class DeviceKeyUnusableError(ApiError):
    """A device key is none, is of another kind, or its file cannot be used."""

    code = "device-key-unusable"


class DeviceKeyPasswordError(ApiError):
    """The password of a device key is missing, wrong or too short."""

    code = "device-key-password"


class StatementInvalidError(ApiError):
    """What an agent says of itself is malformed or not signed by its key."""

    code = "agent-statement-invalid"


class FrameSignatureInvalidError(ApiError):
    """A frame's signature is malformed, or not of this frame in this capture."""

    code = "frame-signature-invalid"


class AgentsInvalidError(ApiError):
    """The list of agents cannot be used."""

    code = "agents-invalid"


class AgentUnknownError(ApiError):
    """No agent of this name is enrolled."""

    code = "agent-unknown"


class AgentEnrolledError(ApiError):
    """An agent of this name, or with this key, is enrolled already."""

    code = "agent-enrolled"
