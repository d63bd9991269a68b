"""How often a password may be wrong, and what that costs.

Source: ICAO Doc 9303-11 §4.4.4 (63Cx); ISO/IEC 7816-4 §5.6 (6983, method blocked).
"""

from collections import Counter

from devices.simulator import apdu
from devices.simulator.apdu import StatusError
from devices.simulator.limits import Limits
from devices.simulator.pace import Password


class PasswordTries:
    """Counts wrong passwords; like a chip's memory it outlasts a loss of power."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._failures: Counter[Password] = Counter()

    def begin(self, password: Password) -> int | None:
        """Return how many tries are left, None without a limit or if none is lost.

        Raises:
            StatusError: 6983, the password is blocked.
        """
        tries, failures = self._limits.password_tries, self._failures[password]
        if tries is None:
            return None
        if failures >= tries:
            raise StatusError(apdu.PASSWORD_BLOCKED)
        return tries - failures if failures else None

    def delay_s(self, password: Password) -> float:
        """Return how long the chip makes the terminal wait for its answer."""
        return self._failures[password] * self._limits.retry_delay_ms / 1e3

    def succeeded(self, password: Password) -> None:
        """Forget the failures."""
        del self._failures[password]

    def failed(self, password: Password) -> StatusError:
        """Count a failure and return what the card answers."""
        self._failures[password] += 1
        tries = self._limits.password_tries
        if tries is None:
            return StatusError(apdu.AUTHENTICATION_FAILED)
        return StatusError(apdu.TRIES_LEFT | max(0, tries - self._failures[password]))
