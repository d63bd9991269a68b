"""Base64url and JSON read strictly: one spelling a value, no duplicate name, bounded depth."""

import binascii
import json
import math
import string
from typing import Any, NoReturn

from api.assertions.errors import AssertionMalformedError

MAX_DEPTH = 24
"""Levels of nesting; the claim set needs eight."""

_HOLDERS = (dict, list)  # as a tuple, `isinstance` takes half the time

_TO_URL = bytes.maketrans(b"+/", b"-_")
_ALPHABET = string.ascii_letters.encode() + string.digits.encode() + b"-_"
_FROM_URL = bytes.maketrans(b"-_", b"+/")

_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def b64url_encode(data: bytes) -> str:
    """Return base64url without padding (RFC 7515 §2)."""
    text = binascii.b2a_base64(data, newline=False).rstrip(b"=")
    return text.translate(_TO_URL).decode("ascii")


def b64url_decode(text: str) -> bytes:
    """Decode base64url without padding, accepting only the spelling that encoding yields.

    Python's decoder ignores stray characters and unused trailing bits, so that a changed byte of
    the text can leave the value unchanged. Here it cannot.

    Raises:
        AssertionMalformedError: it is not canonical base64url.
    """
    try:
        raw = text.encode("ascii")
        data = binascii.a2b_base64(raw.translate(_FROM_URL) + b"=" * (-len(raw) % 4))
    except ValueError:
        raise AssertionMalformedError("a part is not base64url") from None
    # Nothing but the alphabet, and no bit set that the last character leaves unused.
    rest = len(data) % 3
    if raw.translate(None, _ALPHABET) or (
        rest and b64url_encode(data[-rest:]) != text[-rest - 1 :]
    ):
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
        value = _STRICT.decode(text)
        # UTF-8 holds no surrogate, so that only an escape can bring one in.
        if "\\u" in text:
            dump_json(value)
    except (ValueError, RecursionError):
        raise AssertionMalformedError("a part is not unambiguous JSON") from None
    # Most parts open fewer objects and arrays than could be too many inside one another.
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _check_depth(value)
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


_STRICT = json.JSONDecoder(
    object_pairs_hook=_unique_names, parse_float=_finite, parse_constant=_not_json
)


def _check_depth(value: Any) -> None:
    """Go through objects and arrays level by level."""
    level = [value] if isinstance(value, _HOLDERS) else []
    for _ in range(MAX_DEPTH):
        level = [
            item
            for holder in level
            for item in (holder.values() if isinstance(holder, dict) else holder)
            if isinstance(item, _HOLDERS)
        ]
        if not level:
            return
    raise AssertionMalformedError("a part is nested too deeply")
