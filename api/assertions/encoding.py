"""Base64url and JSON read strictly: one spelling a value, no duplicate name, bounded depth."""

import base64
import binascii
import json
import math
from typing import Any, NoReturn

from api.assertions.errors import AssertionMalformedError

MAX_DEPTH = 24
"""Levels of nesting; the claim set needs eight."""

_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def b64url_encode(data: bytes) -> str:
    """Return base64url without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def b64url_decode(text: str) -> bytes:
    """Decode base64url without padding, accepting only the spelling that encoding yields.

    Python's decoder ignores stray characters and unused trailing bits, so that a changed byte of
    the text can leave the value unchanged. Here it cannot.

    Raises:
        AssertionMalformedError: it is not canonical base64url.
    """
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise AssertionMalformedError("a part is not base64url") from None
    if b64url_encode(data) != text:
        raise AssertionMalformedError("a part is not canonical base64url")
    return data


def dump_json(value: Any) -> bytes:
    """Return compact JSON in UTF-8."""
    return _COMPACT.encode(value).encode()


def parse_json(data: bytes) -> Any:
    """Parse JSON, refusing what two parsers could read differently.

    Raises:
        AssertionMalformedError: invalid JSON or UTF-8, a name twice in one object, a number that is
            not finite, a lone surrogate, or nesting deeper than `MAX_DEPTH`.
    """
    try:
        text = data.decode("utf-8")
        value = json.loads(
            text,
            object_pairs_hook=_unique_names,
            parse_float=_finite,
            parse_constant=_not_json,
        )
    except (ValueError, RecursionError):
        raise AssertionMalformedError("a part is not unambiguous JSON") from None
    _check(value, MAX_DEPTH)
    return value


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # RFC 8725 §3.10 asks for care with JSON; RFC 7515 §4 wants names to be unique.
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate name")
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("number out of range")
    return value


def _not_json(text: str) -> NoReturn:
    raise ValueError(f"{text} is not JSON")


def _check(value: Any, depth: int) -> None:
    if depth < 0:
        raise AssertionMalformedError("a part is nested too deeply")
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            raise AssertionMalformedError("a part holds text that is not Unicode")
    elif isinstance(value, list):
        for item in value:
            _check(item, depth - 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            _check(name, depth - 1)
            _check(item, depth - 1)
