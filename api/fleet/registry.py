"""The agents that an operator enrolled: `agents.toml` in the server's folder."""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from api.assertions.jwk import thumbprint
from api.fleet.device_keys import parse_public_text, public_text
from api.fleet.errors import (
    AgentEnrolledError,
    AgentsInvalidError,
    AgentUnknownError,
    DeviceKeyUnusableError,
)
from devices.camera_identity import MAX_TEXT, USB_ID, CameraIdentity

DEFAULT_DRIVERS: Final = ("uvcvideo",)
"""The kernel's driver of USB video class cameras: hardware, whatever its name says."""
DEVICE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
VERSION: Final = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6}){0,3}")
MAX_AGENTS: Final = 100_000
_HEADING: Final = "# Written by `chinhchu agents`; restart the server after a change.\n"


@dataclass(frozen=True)
class CameraPin:
    """What the camera of one agent has to be; at least one of id, name and path is given."""

    usb_id: str | None = None
    name: str | None = None
    path: str | None = None
    drivers: tuple[str, ...] = DEFAULT_DRIVERS
    """Only these may drive it."""

    def __post_init__(self) -> None:
        given = [text for text in (self.usb_id, self.name, self.path) if text is not None]
        if not given or not self.drivers:
            raise AgentsInvalidError("a camera is pinned by usb_id, name or path, and has a driver")
        for text in (*given, *self.drivers):
            if not isinstance(text, str) or not 0 < len(text) <= MAX_TEXT or not text.isprintable():
                raise AgentsInvalidError("what pins a camera is short plain text")
        if self.usb_id is not None and not USB_ID.fullmatch(self.usb_id):
            raise AgentsInvalidError("usb_id is two times four lower-case hex digits: 046d:0825")

    def holds(self, camera: CameraIdentity) -> bool:
        """Return whether a camera is the pinned one; its driver is another question."""
        wanted = ((self.usb_id, camera.usb_id), (self.name, camera.name), (self.path, camera.path))
        return all(pin is None or pin == found for pin, found in wanted)


@dataclass(frozen=True)
class EnrolledAgent:
    """One agent, by the name that its operator gave its machine."""

    device_id: str
    key: ec.EllipticCurvePublicKey = field(repr=False)
    camera: CameraPin | None = None
    """None: no camera of this agent is attested."""
    revoked: bool = False
    """Whatever this key signs is refused: it was stolen, or its machine was opened."""

    def __post_init__(self) -> None:
        if not isinstance(self.device_id, str) or not DEVICE_ID.fullmatch(self.device_id):
            raise AgentsInvalidError(
                "a device id has 1 to 64 letters, digits, dots, hyphens and underscores"
            )

    @cached_property
    def thumbprint(self) -> str:
        """Of the key (RFC 7638)."""
        return thumbprint(self.key)


class AgentFleet:
    """All enrolled agents, and the oldest version that is still believed."""

    def __init__(
        self, agents: tuple[EnrolledAgent, ...] = (), minimum_version: str | None = None
    ) -> None:
        self.agents = agents
        self.minimum_version = minimum_version
        self._by_key = {agent.thumbprint: agent for agent in agents}
        names = {agent.device_id for agent in agents}
        if len(agents) > MAX_AGENTS or not len(agents) == len(names) == len(self._by_key):
            raise AgentsInvalidError("each agent has a name and a key of its own")
        if minimum_version is not None and _version(minimum_version) is None:
            raise AgentsInvalidError("minimum_version is a version, such as 0.1.0")

    @classmethod
    def load(cls, path: Path) -> "AgentFleet":
        """Read the file; one that is not there holds no agent.

        Raises:
            AgentsInvalidError: it is anything else than a list of agents.
        """
        if not os.path.lexists(path):
            return cls()
        try:
            table = tomllib.loads(path.read_text("utf-8"))
            unknown = table.keys() - {"minimum_version", "agents"}
            agents = table.get("agents", {})
            fleet = cls(
                tuple(_agent(name, entry) for name, entry in agents.items()),
                table.get("minimum_version"),
            )
        except AgentsInvalidError as error:
            raise AgentsInvalidError(f"{path}: {error}") from None
        except (OSError, ValueError, TypeError, KeyError, AttributeError, DeviceKeyUnusableError):
            raise AgentsInvalidError(
                f"{path} must hold a table [agents.NAME] an agent, each with its key"
            ) from None
        if unknown:
            raise AgentsInvalidError(f"{path} may hold minimum_version and agents, nothing else")
        return fleet

    def save(self, path: Path) -> None:
        """Write the file anew, all of it or nothing."""
        aside = path.with_name(f"{path.name}.new")
        aside.write_text(self.to_toml(), "utf-8")
        aside.replace(path)

    def to_toml(self) -> str:
        """Return the file's text."""
        lines = [_HEADING]
        if self.minimum_version is not None:
            lines.append(f"minimum_version = {_quoted(self.minimum_version)}\n")
        for agent in self.agents:
            lines.append(f"\n[agents.{_quoted(agent.device_id)}]\n")
            lines.append(f"key = {_quoted(public_text(agent.key))}\n")
            if agent.revoked:
                lines.append("revoked = true\n")
            if agent.camera is not None:
                given = {k: v for k, v in vars(agent.camera).items() if isinstance(v, str)}
                pins = [f"{name} = {_quoted(value)}" for name, value in given.items()]
                drivers = ", ".join(map(_quoted, agent.camera.drivers))
                lines.append(f"camera = {{ {', '.join(pins)}, drivers = [{drivers}] }}\n")
        return "".join(lines)

    def by_key(self, key_id: str) -> EnrolledAgent | None:
        """Return the agent with a key's thumbprint, revoked or not."""
        return self._by_key.get(key_id)

    def named(self, device_id: str) -> EnrolledAgent:
        """Return the agent of a name.

        Raises:
            AgentUnknownError: there is none.
        """
        for agent in self.agents:
            if agent.device_id == device_id:
                return agent
        raise AgentUnknownError("no agent of this name is enrolled")

    def believes(self, agent_version: str) -> bool:
        """Return whether a version is at least the minimum."""
        if self.minimum_version is None:
            return True
        found, wanted = _version(agent_version), _version(self.minimum_version)
        return found is not None and wanted is not None and found >= wanted

    def with_agent(self, agent: EnrolledAgent) -> "AgentFleet":
        """Return the fleet with one more agent.

        Raises:
            AgentEnrolledError: its name or its key is there already.
        """
        if any(agent.device_id == other.device_id for other in self.agents):
            raise AgentEnrolledError("an agent of this name is enrolled already")
        if agent.thumbprint in self._by_key:
            raise AgentEnrolledError("an agent with this key is enrolled already")
        return AgentFleet((*self.agents, agent), self.minimum_version)

    def without(self, device_id: str) -> "AgentFleet":
        """Return the fleet without one agent: its captures count as a browser's.

        Raises:
            AgentUnknownError: there is none of this name.
        """
        gone = self.named(device_id)
        kept = tuple(agent for agent in self.agents if agent is not gone)
        return AgentFleet(kept, self.minimum_version)

    def revoking(self, device_id: str) -> "AgentFleet":
        """Return the fleet with one agent revoked: its captures are refused.

        Raises:
            AgentUnknownError: there is none of this name.
        """
        gone = self.named(device_id)
        agents = (replace(a, revoked=True) if a is gone else a for a in self.agents)
        return AgentFleet(tuple(agents), self.minimum_version)


def _agent(name: str, entry: Mapping[str, Any]) -> EnrolledAgent:
    if entry.keys() - {"key", "camera", "revoked"}:
        raise AgentsInvalidError("an agent has key, camera and revoked, nothing else")
    revoked = entry.get("revoked", False)
    if not isinstance(revoked, bool):
        raise AgentsInvalidError("revoked is true or false")
    pin = entry.get("camera")
    camera = None
    if pin is not None:
        drivers = pin.get("drivers", list(DEFAULT_DRIVERS))
        if not isinstance(drivers, list):
            raise AgentsInvalidError("drivers is a list of names")
        camera = CameraPin(**{**pin, "drivers": tuple(drivers)})
    return EnrolledAgent(name, parse_public_text(entry["key"]), camera, revoked)


def _version(text: str) -> tuple[int, ...] | None:
    """Return a version's release numbers (PEP 440), four of them; None if it has none."""
    match = VERSION.match(text) if isinstance(text, str) else None
    if match is None:
        return None
    numbers = [int(n) for n in match.group().split(".")]
    return tuple(numbers + [0] * (4 - len(numbers)))


def _quoted(text: str) -> str:
    """Return a TOML basic string; printable text needs no more than JSON's escapes."""
    return json.dumps(text, ensure_ascii=False)
