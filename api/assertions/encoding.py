"""Base64url and JSON read strictly: one spelling a value, no duplicate name, bounded depth."""

import binascii
import json
import math
import re
from typing import Any, NoReturn

from api.assertions.errors import AssertionMalformedError

MAX_DEPTH = 24
"""Levels of nesting; the claim set needs eight."""

_HOLDERS = frozenset({dict, list})
"""What the parser makes of objects and arrays."""

# The characters that a text of four n + 2 or four n + 3 may end in: those whose unused bits are 0.
_LAST = {2: b"AQgw", 3: b"AEIMQUYcgkosw048"}

_NULL = re.compile(rb"null")  # which finds it in two thirds of the time that `in` takes
_WHITE_SPACE = " \t\n\r"  # RFC 8259 §2

_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def b64url_encode(data: bytes) -> str:
    """Return base64url without padding (RFC 7515 §2)."""
    text = binascii.b2a_base64(data, newline=False).rstrip(b"=")
    return text.replace(b"+", b"-").replace(b"/", b"_").decode("ascii")


def b64url_decode(text: str) -> bytes:
    """Decode base64url without padding, accepting only the spelling that encoding yields.

    Python's decoder ignores unused trailing bits, and stray characters unless told otherwise, so
    that a changed byte of the text can leave the value unchanged. Here it cannot.

    Raises:
        AssertionMalformedError: it is not canonical base64url.
    """
    try:
        raw = text.encode("ascii")
        # What base64 has besides, the padding too.
        if b"+" in raw or b"/" in raw or b"=" in raw:
            raise ValueError
        standard = raw.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(raw) % 4)
        data = binascii.a2b_base64(standard, strict_mode=True)
    except ValueError:
        raise AssertionMalformedError("a part is not base64url") from None
    if len(raw) % 4 and raw[-1] not in _LAST[len(raw) % 4]:
        raise AssertionMalformedError("a part is not canonical base64url")
    return data


def dump_json(value: Any) -> bytes:
    """Return compact JSON in UTF-8."""
    return _COMPACT.encode(value).encode()


def write_json(value: Any) -> bytes:
    """Return what `dump_json` does, in a tenth of the time; for what is signed.

    `orjson` writes what is no number as null, where the standard library refuses it, and knows no
    integer beyond 64 bits: both are left to the standard library. A float can be spelled in another
    way (``1e16``, ``1e+16``).
    """
    import orjson  # here: who only verifies does without

    try:
        text = orjson.dumps(value)
    except TypeError:
        return dump_json(value)
    return dump_json(value) if _NULL.search(text) else text


def parse_json(data: bytes) -> Any:
    """Parse JSON, refusing what two parsers could read differently.

    Raises:
        AssertionMalformedError: invalid JSON or UTF-8, a name twice in one object, a number that is
            not finite, a lone surrogate, or nesting deeper than `MAX_DEPTH`.
    """
    try:
        text = data.decode("utf-8").strip(_WHITE_SPACE)
        value, end = _STRICT.raw_decode(text)
        if end != len(text):
            raise ValueError("more than one value")
        # UTF-8 holds no surrogate, so that only an escape can bring one in. The one character is
        # looked for first, which takes a tenth of the time.
        if "\\" in text and "\\u" in text:
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
    level = [value] if type(value) in _HOLDERS else []
    for _ in range(MAX_DEPTH):
        level = [
            item
            for holder in level
            for item in (holder.values() if type(holder) is dict else holder)
            if type(item) in _HOLDERS
        ]
        if not level:
            return
    raise AssertionMalformedError("a part is nested too deeply")
