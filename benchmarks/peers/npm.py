"""npm's jose and @sd-jwt libraries, as a process that answers requests."""

import json
import subprocess
import threading
from types import TracebackType
from typing import Any, Self

from benchmarks.peers.errors import PeerFailedError
from benchmarks.peers.npm_build import node, program
from devices.errors import DeviceError

_TIMEOUT_S = 60.0


class NpmRefusedError(DeviceError):
    """A library refused what it was given; in its own words."""

    code = "npm-refused"


class Npm:
    """Context manager: the running process."""

    def __enter__(self) -> Self:
        """Install if needed, and start.

        Raises:
            PeerUnavailableError: this machine cannot run it.
            PeerFailedError: it cannot be installed.
        """
        self._process = subprocess.Popen(
            [node(), program()],
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

    def call(self, library: str, function: str, **request: Any) -> Any:
        """Call a function of `jose.mjs`, `sd_jwt_vc.mjs` or `status_list.mjs`.

        Args:
            library: ``jose``, ``sdJwtVc`` or ``statusList``.
            function: its exported name.
            request: its arguments; None is left out.

        Raises:
            NpmRefusedError: the library refused.
            PeerFailedError: the process ended or took too long.
        """
        given = {name: value for name, value in request.items() if value is not None}
        reply = self._exchange(json.dumps({"library": library, "call": function, **given}))
        if not reply["ok"]:
            raise NpmRefusedError("{name} {code}: {message}".format(**reply["error"]))
        return reply["value"]

    def _exchange(self, line: str) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
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
            raise PeerFailedError("the npm process ended or did not answer in time")
        reply: dict[str, Any] = json.loads(answer)
        return reply
