"""A server of keys and status lists alone, on a real socket."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI

from api import problems, publishing
from api.keys import keys
from api.keys.ring import KeyRing
from api.status import routes
from api.status.lists import StatusLists
from api.store.database import open_database

PUBLIC_URL = "https://office.example"


class PublicServer:
    """What relying parties reach: everything published, no sessions."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.ring = KeyRing.open(home / "keys", None)
        engine = open_database(home / "chinhchu.sqlite")
        self.statuses = StatusLists.over(
            engine, self.ring, keep_links_s=3600, public_url=PUBLIC_URL, list_size=1 << 12
        )
        app = FastAPI()
        app.include_router(routes.router)
        app.include_router(publishing.router)
        problems.install(app)
        app.state.status_publisher = self.statuses.publisher
        app.state.key_publisher = publishing.KeyPublisher(self.ring)
        config = uvicorn.Config(
            app, host="127.0.0.1", port=0, access_log=False, log_level="critical"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    @property
    def url(self) -> str:
        (listener,) = self._server.servers[0].sockets
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    def start(self) -> None:
        self._thread.start()
        deadline = time.monotonic() + 60
        while not self._server.started:
            assert self._thread.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(30)
        self.statuses.allocation.engine.dispose()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PublicServer]:
    begin = datetime.now(UTC) - timedelta(minutes=5)
    keys.init(tmp_path / "home/keys", issuer=PUBLIC_URL, password=None, at=begin)
    running = PublicServer(tmp_path / "home")
    running.start()
    yield running
    running.stop()
