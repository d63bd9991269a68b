"""What the subject is told: never which check of liveness said what."""

from collections.abc import Iterable

NOT_CONFIRMED = "liveness-not-confirmed"

_PREFIXES = (
    *("agent-", "camera-", "capture-", "challenge-", "frame-", "pad-"),
    # Names of signals begin the reasons of those that said nothing.
    *("head-relief-", "identity-continuity-"),
)

_TOLD = frozenset(
    {
        "challenge-several-faces",
        "challenge-face-lost",
        "challenge-frames-missing",
        "challenge-too-few-frames",
    }
)
"""What the person sees anyway and can do better."""


def for_subject(reasons: Iterable[str], *, passed: bool = False) -> list[str]:
    """Return the reasons with those of liveness and injection put into one.

    Of a session that has passed they say only what capped its level, and are left out.
    """
    told = (NOT_CONFIRMED if _is_hidden(reason) else reason for reason in reasons)
    return [reason for reason in dict.fromkeys(told) if not (passed and reason == NOT_CONFIRMED)]


def _is_hidden(reason: str) -> bool:
    return reason.startswith(_PREFIXES) and reason not in _TOLD
