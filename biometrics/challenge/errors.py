"""What can be wrong with a challenge."""

from typing import ClassVar

from biometrics.errors import BiometricsError


class ChallengeInvalidError(BiometricsError):
    """A challenge is malformed, or asks for what nobody can do in its time."""

    code: ClassVar[str] = "challenge-invalid"


def require(met: bool, otherwise: str) -> None:
    """Refuse the challenge unless a rule is met.

    Raises:
        ChallengeInvalidError: it is not.
    """
    if not met:
        raise ChallengeInvalidError(otherwise)


def is_whole(value: object) -> bool:
    """Return whether this is a whole number; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool)
