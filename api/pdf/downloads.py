"""The body of an HTTP answer, bounded in size and in all the time that it takes."""

import time

import httpx


class AnswerTooLargeError(httpx.HTTPError):
    """An answer is larger than anything of its kind."""


def read_body(reply: httpx.Response, *, limit: int, timeout_s: float) -> bytes:
    """Read the body of a streamed answer.

    Args:
        reply: as `httpx.stream` gives it.
        limit: bytes that it has at most.
        timeout_s: until its end; httpx's own is for each read, so that who sends a byte now and
            then holds a caller for days.

    Raises:
        AnswerTooLargeError: it is larger.
        httpx.HTTPError: it takes longer, or the connection breaks.
    """
    ends = time.monotonic() + timeout_s
    body = bytearray()
    for chunk in reply.iter_bytes():
        body += chunk
        if len(body) > limit:
            raise AnswerTooLargeError(f"more than {limit} bytes")
        if time.monotonic() > ends:
            raise httpx.ReadTimeout(f"no end after {timeout_s:g} s", request=reply.request)
    return bytes(body)
