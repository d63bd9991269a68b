"""Objects of later revisions in the spelling of the standard, so that all readers read the same.

Readers forgive: a dictionary that ends with one bracket, a control character between two numbers.
Each forgives something else, and where one goes on, another leaves a page blank or looks further.
Software that signs has no need to be forgiven. Only behind a trailer's dictionary it may name
itself in comments, as iText does.

Source: ISO 32000-2 §7.2 (characters and tokens), §7.3 (objects).
"""

import re

from api.pdf.errors import PdfUnusableError

_SPACE = rb"[\0\t\n\f\r ]*+"
_REGULAR = rb"[!\"$&'*-.0-;=?-Z\\^-z|~\x80-\xff]"
_TOKEN = re.compile(
    _SPACE
    + rb"(?:(?P<open><<|\[)|(?P<close>>>|\])|(?P<string>\()|<[0-9A-Fa-f\0\t\n\f\r ]*+>"
    + rb"|(?:/(?:#[0-9A-Fa-f]{2}|"
    + _REGULAR
    + rb")*+|[+-]?(?:[0-9]++\.?[0-9]*+|\.[0-9]++)|(?P<word>[A-Za-z]++))"
    + rb"(?=[\0\t\n\f\r ()<>\[\]/])"
    + rb"|(?P<comment>%(?:(?!xref|trailer|obj)[0-9A-Za-z._-])++(?=[\r\n])))"
)
_STRING = re.compile(rb"(?:[^()\\]|\\.)*+([()])", re.DOTALL)
END_OF_TRAILER = frozenset({b"startxref"})
_WORDS = frozenset({b"true", b"false", b"null", b"R"})


def check_spelling(data: bytes, position: int, ends: frozenset[bytes]) -> None:
    """Check the tokens of an object, from a place to one of the words that end it.

    Raises:
        PdfUnusableError: one of them is not as the standard has it, or brackets are not in pairs.
    """
    closing: list[bytes] = []
    is_over = False
    while (token := _TOKEN.match(data, position)) is not None:
        position = token.end()
        word = token["word"]
        if word in ends and not closing:
            return
        if token["comment"] and is_over and ends is END_OF_TRAILER:
            continue
        if is_over or token["comment"]:
            break
        if token["open"]:
            closing.append(b">>" if token["open"] == b"<<" else b"]")
        elif token["close"]:
            if not closing or closing.pop() != token["close"]:
                break
            is_over = not closing
        elif token["string"]:
            position = _end_of_string(data, position)
        elif word is not None and word not in _WORDS:
            break
    raise PdfUnusableError("a later revision holds an object in a spelling of its own")


def _end_of_string(data: bytes, position: int) -> int:
    depth = 1
    while depth:
        part = _STRING.match(data, position)
        if part is None:
            raise PdfUnusableError("a later revision holds a string that does not end")
        position = part.end()
        depth += 1 if part[1] == b"(" else -1
    return position
