"""What the subject is told: never which check of liveness said what."""

from collections.abc import Iterable

NOT_CONFIRMED = "liveness-not-confirmed"

_PREFIXES = ("agent-", "camera-", "capture-", "challenge-", "frame-", "pad-")

_TOLD = frozenset(
    {
        "challenge-several-faces",
        "challenge-face-lost",
        "challenge-frames-missing",
        "challenge-too-few-frames",
    }
)
"""What the person sees anyway and can do better."""


def for_subject(reasons: Iterable[str]) -> list[str]:
    """Return the reasons with those of liveness and injection put into one."""
    hidden = (r if r in _TOLD or not r.startswith(_PREFIXES) else NOT_CONFIRMED for r in reasons)
    return list(dict.fromkeys(hidden))
