"""The policy (procedure file) that a relying party knows, and whether an assertion meets it.

Its digest says that this very file decided. What it demands is checked once more here, so that an
issuer that let less through is found out.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.assertions.findings import claimed_level, value_at
from api.assertions.vocabulary import AssuranceLevel
from api.errors import InputUnusableError

MAX_POLICY_BYTES = 8 << 10
"""A dozen times what a procedure of the catalogue has; `tomllib` takes quadratic time over a key of
many dots, half a second for as many as fit."""


@dataclass(frozen=True)
class KnownPolicy:
    """What one policy demands of every assertion."""

    digest: str
    """SHA-256 of the file, lower-case hex."""
    code: str
    """Base code of the procedure, such as ``2.000884``."""
    minimum_level: AssuranceLevel
    attendance: tuple[str, ...]
    """Modes in which it may be done."""
    party_roles: tuple[str, ...]

    def shortfalls(self, payload: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what a claim set lacks, in its own words."""
        level = claimed_level(payload)
        code = value_at(payload, "txn", "procedure_code")
        holds = {
            # A portal appends the agency's numbers to a procedure's two.
            "txn.procedure_code": isinstance(code, str)
            and ".".join(code.split(".")[:2]) == self.code,
            "txn.party_role": value_at(payload, "txn", "party_role") in self.party_roles,
            "assurance_level": level is not None and level.rank >= self.minimum_level.rank,
            "attendance.mode": value_at(payload, "attendance", "mode") in self.attendance,
        }
        return tuple(name for name, met in holds.items() if not met)


def parse_policy(file: bytes) -> KnownPolicy:
    """Read a procedure file of the catalogue.

    Raises:
        InputUnusableError: it is none, or larger than 8 KiB.
    """
    if len(file) > MAX_POLICY_BYTES:
        raise InputUnusableError(f"a policy has at most {MAX_POLICY_BYTES >> 10} KiB")
    try:
        table = tomllib.loads(file.decode("utf-8"))
        return KnownPolicy(
            digest=hashlib.sha256(file).hexdigest(),
            code=str(table["code"]),
            minimum_level=AssuranceLevel(table["minimum_level"]),
            attendance=_words(table["attendance"]),
            party_roles=_words(table["party_roles"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputUnusableError("a policy is not a procedure file of the catalogue") from None


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(w, str) for w in value):
        raise ValueError("not a list of words")
    return tuple(value)
