"""Frozen dataclasses as JSON claims, and which of the claims the holder may leave out."""

from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any

from api.assertions.disclosures import ClaimPath
from api.assertions.errors import ClaimsIncompleteError

_PLAIN = frozenset({str, int, float, bool, type(None)})
"""Types that JSON has as they are."""


@dataclass(frozen=True)
class Payload:
    """A claim set as JSON values, and which of its claims are selectively disclosable."""

    claims: dict[str, Any] = field(repr=False)
    disclosable: tuple[ClaimPath, ...]


def disclosable() -> Any:
    """Declare an optional claim that the holder may leave out, and that no `repr` shows."""
    return field(default=None, repr=False, metadata={"disclosable": True})


def as_json(value: Any) -> Any:
    """Return dataclasses as objects without their absent fields, times as RFC 3339 in UTC."""
    return _walk(value, (), [])


def as_payload(sections: dict[str, Any]) -> Payload:
    """Return dataclasses as a claim set, and where the disclosable claims are that are present."""
    hidden: list[ClaimPath] = []
    claims = {name: _walk(value, (name,), hidden) for name, value in sections.items()}
    return Payload(claims, tuple(hidden))


def _walk(value: Any, path: ClaimPath, hidden: list[ClaimPath]) -> Any:
    """Return a value as JSON, and add the paths of its disclosable claims."""
    kind: object = type(value)
    if kind in _PLAIN:
        return value
    if kind is tuple:
        return [_walk(item, (*path, index), hidden) for index, item in enumerate(value)]
    members = _members(kind)
    if members is not None:
        claims = {}
        for name, may_be_left_out in members:
            item = getattr(value, name)
            if item is None:
                continue
            if may_be_left_out:
                hidden.append((*path, name))
            claims[name] = item if type(item) in _PLAIN else _walk(item, (*path, name), hidden)
        return claims
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ClaimsIncompleteError("a time in the claims needs a time zone")
        try:
            utc = value.astimezone(UTC).replace(tzinfo=None)
        except OverflowError:
            raise ClaimsIncompleteError("a time in the claims is out of range") from None
        return utc.isoformat(timespec="seconds") + "Z"
    return str(value) if isinstance(value, StrEnum) else value


@cache
def _members(kind: type) -> tuple[tuple[str, bool], ...] | None:
    """Return the fields of a dataclass and whether each may be left out; None for other types."""
    if not is_dataclass(kind):
        return None
    return tuple((f.name, bool(f.metadata.get("disclosable"))) for f in fields(kind))
