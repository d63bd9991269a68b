"""Frozen dataclasses as JSON claims, and which of the claims the holder may leave out."""

from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from api.assertions.disclosures import ClaimPath
from api.assertions.errors import ClaimsIncompleteError


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
    if is_dataclass(value):
        named = ((f.name, getattr(value, f.name)) for f in fields(value))
        return {name: as_json(item) for name, item in named if item is not None}
    if isinstance(value, tuple):
        return [as_json(item) for item in value]
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ClaimsIncompleteError("a time in the claims needs a time zone")
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, StrEnum):
        return str(value)
    return value


def disclosable_paths(value: Any, path: ClaimPath) -> list[ClaimPath]:
    """Return where the disclosable claims of a dataclass are that are present."""
    paths: list[ClaimPath] = []
    if is_dataclass(value):
        for f in fields(value):
            item = getattr(value, f.name)
            if item is not None and f.metadata.get("disclosable"):
                paths.append((*path, f.name))
            paths += disclosable_paths(item, (*path, f.name))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            paths += disclosable_paths(item, (*path, index))
    return paths
