"""Bytes that are no SD-JWT, or one that two readers could read differently."""

from collections.abc import Callable
from typing import Any

import pytest

from api.assertions.verification import Outcome
from tests.fixtures.refusals import refused


@pytest.mark.parametrize(
    "payload",
    [
        b'{"iss":"a","iss":"b"}',
        b'{"exp":NaN}',
        b'{"exp":1e999}',
        b'{"name":"\\ud800"}',
        b'{"name":"\xff"}',
        b"\xef\xbb\xbf{}",
        b"[]",
        b"7",
        b"",
        b"[" * 20_000,
        b'{"a":' * 30 + b"1" + b"}" * 30,
        b'{"n":' + b"9" * 5000 + b"}",
    ],
    ids=lambda b: b[:16].decode("latin-1"),
)
def test_payload_that_is_not_unambiguous_json(office: Any, payload: bytes) -> None:
    refused(office.verify(office.sign_bytes(payload) + "~"), "assertion-malformed")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda a: "",
        lambda a: "~",
        lambda a: "a.b.c",
        lambda a: a.split("~")[0],
        lambda a: a.rstrip("~"),
        lambda a: a + " ",
        lambda a: " " + a,
        lambda a: a.replace("~", "~~", 1),
        lambda a: a.replace(".", "..", 1),
        lambda a: a + "á",
        lambda a: a.encode() + b"\xff",
        lambda a: a.replace("~", "=~", 1),
        lambda a: a + "A" * 70_000,
        lambda a: a + "WyJhIiwgImIiLCAiYyJd~" * 200,
    ],
)
def test_not_an_sd_jwt(office: Any, spoil: Callable[[str], str | bytes]) -> None:
    verification = office.verify(spoil(office.issue()))
    assert verification.outcome is Outcome.FAILED
    assert verification.reasons in {("assertion-malformed",), ("key-binding-unexpected",)}


@pytest.mark.parametrize("given", [None, 7, ["a~"], {"a": "~"}, bytearray(b"a.b.c~"), object()])
def test_something_else_than_text_or_bytes(office: Any, given: Any) -> None:
    refused(office.verify(given), "assertion-malformed")
