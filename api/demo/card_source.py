"""Where the demonstration's card lies: in this process, or on a virtual reader of a real pcscd."""

from types import TracebackType
from typing import Protocol, Self

from devices.simulator.card import SimulatedCard
from devices.simulator.image import CardImage
from devices.transport import CardTransport

CONNECT_WAIT_S = 10.0


class CardSource(Protocol):
    """A place to put cards, as a context manager."""

    via: str
    """How the card is reached, for people."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def place(self, image: CardImage) -> CardTransport:
        """Put a card there, in place of the one before, and connect to it."""
        ...


class InProcess:
    """Cards that answer by function call."""

    via = "in process"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is held."""

    def place(self, image: CardImage) -> CardTransport:
        """Return a card with this image."""
        return SimulatedCard(image)


class OverPcsc:
    """Cards on a virtual reader of a private, real pcscd."""

    via = "over PC/SC (pcscd, virtual reader)"

    def __init__(self, first: CardImage) -> None:
        from devices.simulator.virtual_reader import VirtualReader

        self._reader = VirtualReader(SimulatedCard(first))

    def __enter__(self) -> Self:
        self._reader.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reader.__exit__(kind, error, trace)

    def place(self, image: CardImage) -> CardTransport:
        """Lay the card on the reader and connect through PC/SC."""
        from devices import pcsc

        self._reader.insert(SimulatedCard(image))
        return pcsc.connect(self._reader.name, CONNECT_WAIT_S)
