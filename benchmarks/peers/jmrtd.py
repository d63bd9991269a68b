"""JMRTD, the reference reader in Java, as a process that reads cards on request.

One virtual machine serves all requests, so that its code is warm. It is started after the virtual
reader: libpcsclite keeps to the service that it finds first.
"""

import json
import subprocess
import threading
from dataclasses import asdict, dataclass, field
from types import TracebackType
from typing import Any, Literal, Self

from benchmarks.peers.errors import PeerFailedError
from benchmarks.peers.jmrtd_build import class_path, java

_TIMEOUT_S = 120.0
_OPTIONS = (
    "-Dsun.security.smartcardio.library=libpcsclite.so.1",
    "-Xmx256m",
)


@dataclass(frozen=True, kw_only=True)
class JmrtdRequest:
    """What JMRTD shall do; the fields are those of Request.java."""

    reader: str
    access: Literal["bac", "pace"]
    files: tuple[str, ...]
    """Names in the order of reading; EF.CardSecurity is read while the master file is selected."""
    can: str | None = field(default=None, repr=False)
    """None to use the fields of the MRZ."""
    document_number: str | None = field(default=None, repr=False)
    date_of_birth: str | None = field(default=None, repr=False)
    """YYMMDD."""
    date_of_expiry: str | None = field(default=None, repr=False)
    """YYMMDD."""
    pace_oid: str | None = None
    """The offer to take; None for the first of EF.CardAccess."""
    extended_length: bool = True
    """Answers of up to 8190 bytes: javax.smartcardio receives no more."""
    block: int | None = None
    """Most plaintext bytes that a READ BINARY asks for; None for what fits."""
    short_file_ids: bool = True
    chip_authentication: bool = False
    active_authentication: bool = False
    repeat: int = 1
    folder: str | None = None
    """Where the files are written."""


@dataclass(frozen=True)
class JmrtdReply:
    """What JMRTD did; the fields are those of Reply.java."""

    files: dict[str, tuple[str, int]] = field(repr=False)
    """SHA-256 and length of each file, by name."""
    apdus: tuple[int, ...]
    """Command APDUs of each reading."""
    milliseconds: tuple[float, ...]
    """Time of each reading, from the connected card to the last answer."""
    error: tuple[str, ...] = ()
    """Exceptions that ended it early, outermost first; empty if all went well."""
    unparsed: tuple[str, ...] = ()
    """Files that JMRTD has a parser for and that it refuses."""
    step: str | None = None
    """What was under way then."""
    protocol: str | None = None
    """`BAC`, or the object identifier and parameter id of PACE."""
    chip_authentication: str | None = None
    """`ok`, `failed`; None where it did not take place."""
    active_authentication: str | None = None
    chip_authentication_mapping: str | None = None
    security_object: str | None = None
    """Signature of EF.SOD under its own certificate, and the hashes of the files read."""


class Jmrtd:
    """Context manager: the running process."""

    def __enter__(self) -> Self:
        """Build if needed, and start.

        Raises:
            PeerUnavailableError: this machine cannot run it.
            PeerFailedError: it does not build.
        """
        command = [str(java()), *_OPTIONS, "-cp", class_path(), "interop.Main"]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def read(self, request: JmrtdRequest) -> JmrtdReply:
        """Read a card; a refusal by JMRTD or the card is part of the reply.

        Raises:
            PeerFailedError: the process ended or took too long.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        line = json.dumps({_camel(name): value for name, value in asdict(request).items()})
        watchdog = threading.Timer(_TIMEOUT_S, self._process.kill)
        watchdog.start()
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except OSError:
            answer = ""
        finally:
            watchdog.cancel()
        if not answer:
            raise PeerFailedError("JMRTD's process ended or did not answer in time")
        return _parse(json.loads(answer))


def _parse(answer: dict[str, Any]) -> JmrtdReply:
    return JmrtdReply(
        files={name: (one["sha256"], one["length"]) for name, one in answer["files"].items()},
        apdus=tuple(answer["apdus"]),
        milliseconds=tuple(answer["milliseconds"]),
        error=tuple(answer.get("error", ())),
        unparsed=tuple(answer["unparsed"]),
        step=answer.get("step"),
        protocol=answer.get("protocol"),
        chip_authentication=answer.get("chipAuthentication"),
        active_authentication=answer.get("activeAuthentication"),
        chip_authentication_mapping=answer.get("chipAuthenticationMapping"),
        security_object=answer.get("securityObject"),
    )


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
