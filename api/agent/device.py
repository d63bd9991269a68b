"""The agent as an enrolled device: its name, its key, and what it says before a capture."""

import time
from dataclasses import dataclass, field
from importlib import metadata

from cryptography.hazmat.primitives.asymmetric import ec

from api.fleet.statement import AgentStatement, sign_statement
from devices.camera_identity import CameraIdentity


@dataclass(frozen=True)
class EnrolledDevice:
    """What an operator enrolled: a machine's name and its key."""

    device_id: str
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    def statement(self, session_id: str, camera: CameraIdentity) -> str:
        """Return who is about to capture, and with which camera, signed."""
        statement = AgentStatement(
            session_id=session_id,
            device_id=self.device_id,
            agent_version=metadata.version("chinhchu"),
            camera=camera,
            issued_at=int(time.time()),
        )
        return sign_statement(statement, self.key)
