"""The service on a free loopback port, in a thread, for as long as a demonstration lasts."""

import threading
import time
from types import TracebackType
from typing import Self

import uvicorn

from api.app import create_app
from api.errors import ApiError
from api.proofing.service import ProofingService

START_TIMEOUT_S = 15.0


class ServerNotStartedError(ApiError):
    """The server did not come up."""

    code = "server-not-started"


class LocalServer:
    """Context manager: serves on entry, has stopped on exit."""

    def __init__(self, service: ProofingService) -> None:
        config = uvicorn.Config(
            create_app(service), host="127.0.0.1", port=0, access_log=False, log_level="critical"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        (listener,) = self._server.servers[0].sockets
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise ServerNotStartedError("the local server did not start")
            time.sleep(0.01)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
