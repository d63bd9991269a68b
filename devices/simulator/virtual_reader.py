"""A private PC/SC service with one virtual reader and a simulated card in it.

The real `pcscd` and the real vpcd driver run, apart from the system's: the socket is handed over as
systemd would do it, the port is a free one, and readers on USB are left to the system's service.
Several can run at once, and root is not needed. Run as root, pcscd writes and removes
/run/pcscd/pcscd.pid, which only `pcscd --hotplug` looks at. The driver listens on all interfaces,
so keep it to specimen cards.

Source: sd_listen_fds(3) (LISTEN_FDS, LISTEN_PID, descriptor 3); pcscd(8); reader.conf(5).
"""

import atexit
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

from devices.simulator.card import SimulatedCard
from devices.simulator.errors import VirtualReaderMissingError, VirtualReaderUnavailableError
from devices.simulator.vpcd import CardEvent, VpcdSlot

FRIENDLY_NAME = "Virtual PCD"

_TIMEOUT_S = 15.0
_STOP_TIMEOUT_S = 5.0
_RETRY_S = 0.02
_LOOK_S = 0.6
"""pcscd looks at a reader each 0.4 s and would miss a card that is exchanged in between."""
_POWER_UP_S = 3.0
_PORTS = range(20000, 32000)  # below the ports that systems give to outgoing connections
_PCSCD_PLACES = ("/usr/sbin", "/usr/local/sbin", "/sbin")
_DRIVERS = (
    Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so"),
    Path("/usr/local/lib/pcsc/drivers/serial/libifdvpcd.so"),
)
_INSTALL = "Install it: apt-get install pcscd vsmartcard-vpcd"

# Becomes pcscd: LISTEN_PID must be its own number, and it must not outlive us (PR_SET_PDEATHSIG).
_HAND_OVER = """
import ctypes, os, sys
os.dup2(int(sys.argv[1]), 3, inheritable=True)
ctypes.CDLL(None).prctl(1, 15)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


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

    def __init__(self, card: SimulatedCard) -> None:
        """Prepare; `with` starts it.

        Args:
            card: the card that lies on the reader from the start.
        """
        self._card = card
        self.port = 0
        """Where the driver of the reader's first slot listens."""
        self._slot: VpcdSlot | None = None
        self._thread: threading.Thread | None = None
        self._powered = threading.Event()
        self._resources = ExitStack()

    @staticmethod
    def check_installed() -> None:
        """Make sure that pcscd and the driver are on this machine.

        Raises:
            VirtualReaderMissingError: one of them is not.
        """
        _find_pcscd()
        _find_driver()

    def __enter__(self) -> Self:
        """Start pcscd, insert the card and wait until the reader has powered it.

        Raises:
            VirtualReaderUnavailableError: pcscd or the driver is missing, or does not start.
        """
        pcscd, driver = _find_pcscd(), _find_driver()
        if not _in_use.acquire(blocking=False):
            raise VirtualReaderUnavailableError("This process already has a virtual reader.")
        self._resources.callback(_in_use.release)
        try:
            self._start(pcscd, driver)
            self.insert()
        except BaseException:
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
            if self._powered.wait(_POWER_UP_S):
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
            self._thread.join(_STOP_TIMEOUT_S)
        self._slot = self._thread = None

    def _note(self, event: CardEvent) -> None:
        if event in ("power-on", "reset"):
            self._powered.set()

    def _start(self, pcscd: Path, driver: Path) -> None:
        folder = Path(self._resources.enter_context(tempfile.TemporaryDirectory(prefix="pcscd-")))
        no_usb_drivers = folder / "drivers"
        no_usb_drivers.mkdir()
        self.port = _free_port()
        configuration = folder / "reader.conf"
        configuration.write_text(
            f'FRIENDLYNAME "{FRIENDLY_NAME}"\n'
            f"DEVICENAME /dev/null:0x{self.port:X}\n"
            f"LIBPATH {driver}\n"
            f"CHANNELID 0x{self.port:X}\n"
        )
        path = _socket_path()
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            try:
                listener.bind(str(path))
            except OSError as error:
                raise VirtualReaderUnavailableError(f"{path} cannot be a socket") from error
            listener.listen()
            self._resources.callback(path.unlink, missing_ok=True)
            descriptor = listener.fileno()
            command = [sys.executable, "-I", "-S", "-c", _HAND_OVER, str(descriptor)]
            command += [str(pcscd), "--foreground", "--config", str(configuration)]
            command += _access_options(pcscd)
            self._process = subprocess.Popen(
                command,
                env={"LISTEN_FDS": "1", "PCSCLITE_HP_DROPDIR": str(no_usb_drivers)},
                pass_fds=(descriptor,),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self._resources.callback(_stop, self._process)
        os.environ["PCSCLITE_CSOCK_NAME"] = str(path)

    def _connect(self, deadline: float) -> VpcdSlot:
        """Connect to the driver as soon as it listens."""
        while True:
            if self._process.poll() is not None:
                raise VirtualReaderUnavailableError(
                    f"pcscd ended with exit code {self._process.returncode}."
                )
            try:
                return VpcdSlot(self._card, "127.0.0.1", self.port, self._note)
            except VirtualReaderUnavailableError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_RETRY_S)


_in_use = threading.Lock()


@cache
def _socket_path() -> Path:
    """Return the one socket path of this process."""
    folder = tempfile.mkdtemp(prefix="chinhchu-pcsc-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder) / "pcscd.comm"


def _find_pcscd() -> Path:
    places = os.pathsep.join((os.environ.get("PATH", ""), *_PCSCD_PLACES))
    found = shutil.which("pcscd", path=places) if sys.platform == "linux" else None
    if found is None:
        raise VirtualReaderMissingError(f"pcscd is not installed. {_INSTALL}")
    return Path(found)


def _access_options(pcscd: Path) -> list[str]:
    """Return what lets this process in where no polkit runs: the socket's folder is ours alone."""
    usage = subprocess.run([pcscd, "--help"], capture_output=True, check=False).stdout
    return ["--disable-polkit"] if b"--disable-polkit" in usage else []


def _find_driver() -> Path:
    for path in _DRIVERS:
        if path.is_file():
            return path
    raise VirtualReaderMissingError(f"The driver libifdvpcd.so is not installed. {_INSTALL}")


def _free_port() -> int:
    """Return a port that is free together with the next one: the driver has two slots."""
    for _ in range(100):
        port = secrets.choice(_PORTS)
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind(("", port))
                second.bind(("", port + 1))
            except OSError:
                continue
            return port
    raise VirtualReaderUnavailableError("No free port for the virtual reader.")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
