"""Challenges that `chinhchu chip read` makes itself, and the secret file that `verify` needs."""

import os
import secrets
from pathlib import Path

from api.cli.output import read_input
from api.errors import InputUnusableError
from devices.emrtd.active_authentication import CHALLENGE_BYTES
from devices.emrtd.errors import ChipAuthenticationUnsupportedError
from devices.emrtd.evidence import ChipAuthenticationRequest
from devices.emrtd.verification.challenges import MAX_CHALLENGES_BYTES, Challenges
from devices.emrtd.verification.chip_authentication import (
    ChipAuthenticationChallenge,
    challenge_chip,
)


class Challenger:
    """Does what a server does for its agent: it asks the chip and keeps the secrets."""

    def __init__(self) -> None:
        self.aa = secrets.token_bytes(CHALLENGE_BYTES)
        self._ca: ChipAuthenticationChallenge | None = None

    def challenge_chip(
        self, dg14: bytes, *, short_identifiers: bool
    ) -> ChipAuthenticationRequest | None:
        """Return a challenge for Chip Authentication; None if no variant is known."""
        try:
            self._ca = challenge_chip(dg14, short_identifiers=short_identifiers)
        except ChipAuthenticationUnsupportedError:
            return None
        return self._ca.request(dg14)

    @property
    def challenges(self) -> Challenges:
        """What the verifier has to keep."""
        return Challenges(self.aa, self._ca)


def load_challenges(path: Path) -> Challenges:
    """Return the challenges of a file.

    Raises:
        InputUnusableError, ChallengeMalformedError: it cannot be read, or is something else.
    """
    return Challenges.from_bytes(read_input(path, MAX_CHALLENGES_BYTES))


def _open_for_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def write_secret(path: Path, data: bytes) -> None:
    """Write a file that its owner alone can read.

    Raises:
        InputUnusableError: it cannot be written.
    """
    try:
        with open(path, "wb", opener=_open_for_owner) as file:
            if path.is_file():  # the rights of a device are not ours to change
                path.chmod(0o600)
            file.write(data)
    except OSError as error:
        raise InputUnusableError(f"{path}: {error.strerror or 'cannot be written'}") from None
