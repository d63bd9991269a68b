"""The names under which a PDF carries assertions and their timestamps."""

MAX_ASSERTIONS = 16
"""Parties to one document; each brings about 8 KiB."""


def _names(number: int) -> tuple[str, str]:
    suffix = "" if number == 1 else f"-{number}"
    return f"assertion{suffix}.sd-jwt", f"assertion{suffix}.tst"


NAMES = tuple(_names(number) for number in range(1, MAX_ASSERTIONS + 1))
"""Of the attachments: each assertion and its timestamp."""
(ASSERTION, TIMESTAMP), *_ = NAMES
OURS = frozenset(name for pair in NAMES for name in pair)
