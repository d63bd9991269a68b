"""A private PC/SC service with one virtual reader.

The real `pcscd` and the real vpcd driver run, apart from the system's: the socket is handed over as
systemd would do it, the port is a free one, and readers on USB are left to the system's service.
Several can run at once, and root is not needed. Run as root, pcscd writes and removes
/run/pcscd/pcscd.pid, which only `pcscd --hotplug` looks at. The driver listens on all interfaces,
so keep it to specimen cards.

Source: sd_listen_fds(3) (LISTEN_FDS, LISTEN_PID, descriptor 3); pcscd(8); reader.conf(5).
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
from pathlib import Path

from devices.simulator.errors import VirtualReaderMissingError, VirtualReaderUnavailableError

FRIENDLY_NAME = "Virtual PCD"

_STOP_TIMEOUT_S = 5.0
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


class PrivatePcscd:
    """A pcscd of our own; it can be started again after it was stopped."""

    def __init__(self, folder: Path, socket_path: Path) -> None:
        """Find pcscd and its driver, and write its configuration.

        Args:
            folder: an empty folder, for the configuration.
            socket_path: where clients find the service.

        Raises:
            VirtualReaderUnavailableError: pcscd or the driver is missing, or no port is free.
        """
        self._pcscd, driver = find_pcscd(), find_driver()
        self._socket_path = socket_path
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()
        """Where the driver of the reader's first slot listens."""
        self._no_usb_drivers = folder / "drivers"
        self._no_usb_drivers.mkdir()
        self._configuration = folder / "reader.conf"
        self._configuration.write_text(
            f'FRIENDLYNAME "{FRIENDLY_NAME}"\n'
            f"DEVICENAME /dev/null:0x{self.port:X}\n"
            f"LIBPATH {driver}\n"
            f"CHANNELID 0x{self.port:X}\n"
        )

    @property
    def pid(self) -> int | None:
        """Number of the running process."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start the service.

        Raises:
            VirtualReaderUnavailableError: its socket cannot be made.
        """
        self._socket_path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            try:
                listener.bind(str(self._socket_path))
            except OSError as error:
                raise VirtualReaderUnavailableError(
                    f"{self._socket_path} cannot be a socket"
                ) from error
            listener.listen()
            descriptor = listener.fileno()
            command = [sys.executable, "-I", "-S", "-c", _HAND_OVER, str(descriptor)]
            command += [str(self._pcscd), "--foreground", "--config", str(self._configuration)]
            command += _access_options(self._pcscd)
            self._process = subprocess.Popen(
                command,
                env={"LISTEN_FDS": "1", "PCSCLITE_HP_DROPDIR": str(self._no_usb_drivers)},
                pass_fds=(descriptor,),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    def check_running(self) -> None:
        """Make sure that the service has not ended.

        Raises:
            VirtualReaderUnavailableError: it has.
        """
        if self._process is None or self._process.poll() is not None:
            code = "" if self._process is None else f" with exit code {self._process.returncode}"
            raise VirtualReaderUnavailableError(f"pcscd ended{code}.")

    def stop(self) -> None:
        """Stop the service; a second call does nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._socket_path.unlink(missing_ok=True)


def find_pcscd() -> Path:
    """Return where pcscd is.

    Raises:
        VirtualReaderMissingError: it is not installed.
    """
    places = os.pathsep.join((os.environ.get("PATH", ""), *_PCSCD_PLACES))
    found = shutil.which("pcscd", path=places) if sys.platform == "linux" else None
    if found is None:
        raise VirtualReaderMissingError(f"pcscd is not installed. {_INSTALL}")
    return Path(found)


def find_driver() -> Path:
    """Return where the driver of the virtual reader is.

    Raises:
        VirtualReaderMissingError: it is not installed.
    """
    for path in _DRIVERS:
        if path.is_file():
            return path
    raise VirtualReaderMissingError(f"The driver libifdvpcd.so is not installed. {_INSTALL}")


def _access_options(pcscd: Path) -> list[str]:
    """Return what lets this process in where no polkit runs: the socket's folder is ours alone."""
    usage = subprocess.run([pcscd, "--help"], capture_output=True, check=False).stdout
    return ["--disable-polkit"] if b"--disable-polkit" in usage else []


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
