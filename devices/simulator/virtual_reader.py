"""A simulated card on a virtual reader of a private PC/SC service; see `pcscd`."""

import atexit
import os
import shutil
import tempfile
import threading
import time
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

from devices.simulator.card import SimulatedCard
from devices.simulator.card_process import CardProcess
from devices.simulator.errors import VirtualReaderUnavailableError
from devices.simulator.pcscd import FRIENDLY_NAME, PrivatePcscd, find_driver, find_pcscd
from devices.simulator.vpcd import CardEvent, VpcdSlot

_SOCKET_VARIABLE = "PCSCLITE_CSOCK_NAME"
_TIMEOUT_S = 30.0
_JOIN_TIMEOUT_S = 5.0
_RETRY_S = 0.02
_LOOK_S = 0.6
"""pcscd looks at a reader each 0.4 s and would miss a card that is exchanged in between."""
_POWER_UP_S = 3.0
_POWER_UP_OF_PROCESS_S = 15.0


class VirtualReader:
    """Context manager: a card on a reader of a private pcscd.

    libpcsclite reads PCSCLITE_CSOCK_NAME in the first PC/SC call of a process and keeps to it. So
    `with VirtualReader(card)` sets the variable in this process, to the same path each time, and
    must come before the process's first PC/SC call; or the reader is used from a child process,
    which inherits it. One process can have one virtual reader at a time, and after the next
    `with` it needs a new PC/SC context.
    """

    name = f"{FRIENDLY_NAME} 00 00"
    """The reader's name, as PC/SC lists it."""

    def __init__(self, card: SimulatedCard, *, separate_process: bool = False) -> None:
        """Prepare; `with` starts it.

        Args:
            card: the card that lies on the reader from the start.
            separate_process: let the card compute in a process of its own, where its time is not
                counted as the reader's; the card given here then only says what it is made of.
        """
        self._card = card
        self._in_process = not separate_process
        self._slot: VpcdSlot | CardProcess | None = None
        self._thread: threading.Thread | None = None
        self._service: PrivatePcscd | None = None
        self._powered = threading.Event()
        self._resources = ExitStack()

    @staticmethod
    def check_installed() -> None:
        """Make sure that pcscd and the driver are on this machine.

        Raises:
            VirtualReaderMissingError: one of them is not.
        """
        find_pcscd()
        find_driver()

    @property
    def port(self) -> int:
        """Where the driver of the reader's first slot listens; 0 before `with`."""
        return 0 if self._service is None else self._service.port

    @property
    def socket_name(self) -> str:
        """What PCSCLITE_CSOCK_NAME is in the environment of a process that uses the reader."""
        return str(_socket_path())

    @property
    def pid(self) -> int | None:
        """Process number of pcscd, None while it does not run."""
        return None if self._service is None else self._service.pid

    def __enter__(self) -> Self:
        """Start pcscd, insert the card and wait until the reader has powered it.

        Raises:
            VirtualReaderUnavailableError: pcscd or the driver is missing, or does not start.
        """
        self.check_installed()
        if not _in_use.acquire(blocking=False):
            raise VirtualReaderUnavailableError("This process already has a virtual reader.")
        self._resources.callback(_in_use.release)
        try:
            folder = self._resources.enter_context(tempfile.TemporaryDirectory(prefix="pcscd-"))
            self._service = PrivatePcscd(Path(folder), _socket_path())
            self._resources.callback(self._service.stop)
            os.environ[_SOCKET_VARIABLE] = self.socket_name
            self.plug_in()
        except BaseException:
            self._withdraw()
            self._resources.close()
            raise
        self._resources.callback(self._withdraw)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the card and stop pcscd."""
        self._resources.close()

    def unplug(self) -> None:
        """Take the reader away, its card and pcscd with it; clients lose their connection."""
        self._running_service().stop()
        self._withdraw()

    def plug_in(self) -> None:
        """Start pcscd again and lay the card on the reader; clients need a new PC/SC context.

        Raises:
            VirtualReaderUnavailableError: pcscd does not start.
        """
        self._running_service().start()
        self.insert()

    def insert(self, card: SimulatedCard | None = None) -> None:
        """Lay a card on the reader and wait until it is powered.

        Args:
            card: another card than the one before.

        Raises:
            VirtualReaderUnavailableError: the reader does not take it.
        """
        self.remove()
        self._card = card or self._card
        deadline = time.monotonic() + _TIMEOUT_S
        while time.monotonic() < deadline:
            self._powered.clear()
            self._slot = self._connect(deadline)
            self._thread = threading.Thread(target=self._slot.serve, name="vpcd-card", daemon=True)
            self._thread.start()
            if self._powered.wait(_POWER_UP_S if self._in_process else _POWER_UP_OF_PROCESS_S):
                return
            self.remove()
        raise VirtualReaderUnavailableError("The virtual reader does not notice its card.")

    def remove(self) -> None:
        """Take the card away and wait until pcscd has looked at the empty reader."""
        if self._slot is not None:
            self._withdraw()
            time.sleep(_LOOK_S)

    def _withdraw(self) -> None:
        if self._slot is not None and self._thread is not None:
            self._slot.remove()
            self._thread.join(_JOIN_TIMEOUT_S)
        self._slot = self._thread = None

    def _note(self, event: CardEvent) -> None:
        if event in ("power-on", "reset"):
            self._powered.set()

    def _connect(self, deadline: float) -> VpcdSlot | CardProcess:
        """Connect to the driver as soon as it listens."""
        while True:
            service = self._running_service()
            service.check_running()
            if not self._in_process:
                return CardProcess(self._card, "127.0.0.1", service.port, self._note)
            try:
                return VpcdSlot(self._card, "127.0.0.1", service.port, self._note)
            except VirtualReaderUnavailableError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_RETRY_S)

    def _running_service(self) -> PrivatePcscd:
        if self._service is None:
            raise VirtualReaderUnavailableError("The virtual reader was not started.")
        return self._service


_in_use = threading.Lock()


@cache
def _socket_path() -> Path:
    """Return the one socket path of this process."""
    folder = tempfile.mkdtemp(prefix="chinhchu-pcsc-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder) / "pcscd.comm"
