"""A simulated card in a process of its own, so that its computing is not the reader's.

Run as `python -m devices.simulator.card_process DIR HOST PORT` it lays the card of a folder on the
reader of a vpcd driver, prints an event a line, and takes the card away when its input ends.
"""

import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, get_args

from devices.simulator.card import SimulatedCard
from devices.simulator.errors import VirtualReaderUnavailableError
from devices.simulator.image import CardImage
from devices.simulator.vpcd import CardEvent, VpcdSlot

_STOP_TIMEOUT_S = 5.0
_DRIVER_TIMEOUT_S = 15.0
_EVENTS: dict[str, CardEvent] = {event: event for event in get_args(CardEvent)}


class CardProcess:
    """The same as `VpcdSlot`, but the card lives and computes in a child process."""

    def __init__(
        self,
        card: SimulatedCard,
        host: str,
        port: int,
        on_event: Callable[[CardEvent], None] = lambda event: None,
    ) -> None:
        """Start the child; it inserts the card when it is ready.

        Args:
            card: what the child's card is made of: image, faults and link, not its randomness.
            host: where the driver runs.
            port: where it listens.
            on_event: called from `serve` with what happens to the card.
        """
        self._on_event = on_event
        self._folder = tempfile.TemporaryDirectory(prefix="chinhchu-card-")
        folder = Path(self._folder.name)
        card.image.save(folder)
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(folder), host, str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="ascii",
        )

    def serve(self) -> None:
        """Pass the child's events on until it ends."""
        with _pipe(self._process.stdout) as lines:
            for line in lines:
                if event := _EVENTS.get(line.strip()):
                    self._on_event(event)

    def remove(self) -> None:
        """Take the card out and end the child."""
        _pipe(self._process.stdin).close()
        try:
            self._process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def main(arguments: list[str]) -> int:
    """Serve a card as the module says; return the exit code."""
    folder, host, port = arguments
    try:
        card = SimulatedCard(CardImage.load(Path(folder)))
        slot = VpcdSlot(card, host, int(port), _tell, wait_s=_DRIVER_TIMEOUT_S)
    except VirtualReaderUnavailableError as error:
        print(error, file=sys.stderr)
        return 1
    threading.Thread(target=_remove_at_end, args=(slot, sys.stdin), daemon=True).start()
    slot.serve()
    return 0


def _tell(event: CardEvent) -> None:
    print(event, flush=True)


def _remove_at_end(slot: VpcdSlot, stream: IO[str]) -> None:
    stream.read()
    slot.remove()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
