"""Lists that are made to exhaust a relying party: refused at once, with bounded memory."""

import time
import tracemalloc
import zlib
from datetime import timedelta
from typing import Any

import pytest

from api.assertions import jws
from api.assertions.chain import load_roots
from api.assertions.encoding import b64url_encode
from api.assertions.status_array import MAX_ARRAY_BYTES
from api.assertions.status_list import MAX_TOKEN_BYTES, TYPE, verify_status_list
from api.errors import ApiError

URI = "urn:uuid:7cd5c23e-18a4-4a20-b8e8-0251ec0fadd0"


def signed(office: Any, compressed: bytes) -> str:
    """Sign what a malicious or broken issuer would: the signature is right, the list is not."""
    at = int(office.at.timestamp())
    claims = {
        "sub": URI,
        "iat": at,
        "exp": at + 3600,
        "status_list": {"bits": 2, "lst": b64url_encode(compressed)},
    }
    return jws.sign({"typ": TYPE, "x5c": list(office.key.x5c)}, claims, office.key)


def refuse(office: Any, token: str | bytes) -> str:
    with pytest.raises(ApiError) as error:
        verify_status_list(
            token,
            uri=URI,
            roots=load_roots(office.root_pem),
            issuer="https://chinhchu.example",
            at=office.at + timedelta(minutes=1),
        )
    return error.value.code


def bomb(size: int) -> bytes:
    """Return a zlib stream that inflates to so many zeros."""
    stream = zlib.compressobj(9)
    chunk = bytes(1 << 20)
    parts = [stream.compress(chunk) for _ in range(size >> 20)]
    return b"".join([*parts, stream.flush()])


def test_a_bomb_inflates_no_further_than_the_bound(office: Any) -> None:
    token = signed(office, bomb(512 << 20))
    assert len(token) < 1 << 20
    tracemalloc.start()
    begun = time.process_time()
    code = refuse(office, token)
    took_s = time.process_time() - begun
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert code == "status-list-too-large"
    assert peak < 8 * MAX_ARRAY_BYTES
    assert took_s < 5


def test_the_largest_list_that_may_be_is_read_and_one_byte_more_is_not(office: Any) -> None:
    arguments = {
        "uri": URI,
        "roots": load_roots(office.root_pem),
        "issuer": "https://chinhchu.example",
        "at": office.at,
    }
    fits = signed(office, zlib.compress(bytes(MAX_ARRAY_BYTES)))
    assert verify_status_list(fits, **arguments).statuses.size == 4 * MAX_ARRAY_BYTES
    over = signed(office, zlib.compress(bytes(MAX_ARRAY_BYTES + 1)))
    assert refuse(office, over) == "status-list-too-large"


def test_a_token_beyond_the_bound_is_not_even_parsed(office: Any) -> None:
    begun = time.process_time()
    assert refuse(office, "a" * (MAX_TOKEN_BYTES + 1)) == "status-list-too-large"
    assert refuse(office, b"." * (MAX_TOKEN_BYTES + 1)) == "status-list-too-large"
    assert time.process_time() - begun < 1


def test_an_assertion_is_no_list_and_a_list_no_assertion(office: Any) -> None:
    assertion = office.issue()
    assert refuse(office, assertion.split("~")[0]) == "status-list-untrusted"
    token = signed(office, zlib.compress(bytes(64)))
    assert "type-not-allowed" in office.verify(token + "~").reasons
