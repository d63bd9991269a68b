"""Send frames while more are taken: one thread, a short queue, frames left out evenly."""

from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Thread
from typing import Final

from api.agent.client import ServerUnreachableError, SessionClient
from api.fleet.frames import FrameSigner

MAX_BACKLOG: Final = 8
"""Frames that wait to be sent. At the server a frame may lag by three seconds."""
TRIES: Final = 3
PATIENCE_S: Final = 1.0
"""For a request on its way when a capture is given up."""
_END: Final = None


class FrameSender:
    """Signs and sends the frames of one capture in the background; use it as a context manager.

    Where the network is slower than the camera, of every few frames only one is taken, the fewer
    the more are waiting: frames stay evenly spaced, and none comes late. They are numbered when
    they are sent, so that what was left out leaves no gap.
    """

    def __init__(self, session: SessionClient, signer: FrameSigner) -> None:
        self._session, self._signer = session, signer
        self._waiting: Queue[tuple[int, bytes] | None] = Queue(MAX_BACKLOG)
        self._thread = Thread(target=self._send_all, name="frames", daemon=True)
        self._failure: Exception | None = None
        self._is_over = False
        self._passed_over = 0
        self.sent = 0
        """Frames that the server has taken."""
        self.left_out = 0
        """Frames that there was no time for."""

    def __enter__(self) -> "FrameSender":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and forget what has not been sent; a request on its way is not waited for."""
        self._is_over = True
        while self._thread.is_alive():
            try:
                self._waiting.put_nowait(_END)
                break
            except Full:
                with suppress(Empty):
                    self._waiting.get_nowait()
        self._thread.join(PATIENCE_S)

    def offer(self, t_ms: int, picture: bytes, *, needed: bool = False) -> None:
        """Send a frame if the network keeps up, or in any case if it is needed.

        Raises:
            ServerUnreachableError, ServerRefusedError: an earlier frame could not be sent.
        """
        self._raise_failure()
        waiting = self._waiting.qsize()
        if not needed and (self._passed_over < waiting or waiting == MAX_BACKLOG):
            self._passed_over += 1
            self.left_out += 1
            return
        self._passed_over = 0
        self._waiting.put((t_ms, picture))

    def finish(self) -> None:
        """Wait until everything that was taken has been sent.

        Raises:
            ServerUnreachableError, ServerRefusedError: a frame could not be sent.
        """
        self._waiting.put(_END)
        self._thread.join()
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _send_all(self) -> None:
        while (item := self._waiting.get()) is not _END:
            if self._failure is None:
                try:
                    self._send(*item)
                except Exception as error:  # said by the thread that offers frames
                    self._failure = error

    def _send(self, t_ms: int, picture: bytes) -> None:
        frame = self._signer.sign(t_ms, picture)
        for left in reversed(range(TRIES)):
            try:
                self._session.put_frame(frame.number, frame.t_ms, frame.picture, frame.signature)
                break
            except ServerUnreachableError:
                if not left or self._is_over:
                    raise
        self.sent += 1
