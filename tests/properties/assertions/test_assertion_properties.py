"""What holds of every assertion and of every input, whatever it is."""

import base64
import contextlib
import json
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.assertions import sd_jwt
from api.assertions.disclosures import conceal, reveal
from api.assertions.encoding import (
    MAX_DEPTH,
    b64url_decode,
    b64url_encode,
    dump_json,
    parse_json,
    write_json,
)
from api.assertions.errors import AssertionMalformedError
from api.assertions.verification import CheckName, Outcome
from api.errors import ApiError

ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~="

shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

names = st.text(min_size=1, max_size=8).filter(lambda n: n not in ("_sd", "...", "_sd_alg"))
scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=12)
objects = st.recursive(
    st.dictionaries(names, scalars, max_size=4),
    lambda inner: st.dictionaries(names, inner | st.lists(inner, max_size=3), max_size=4),
    max_leaves=12,
)


def every_path(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    steps: Any = ()
    if isinstance(value, dict):
        steps = value.items()
    elif isinstance(value, list):
        steps = enumerate(value)
    here = [path] if path else []
    return here + [p for step, item in steps for p in every_path(item, (*path, step))]


def test_no_changed_byte_passes(office: Any) -> None:
    """Each position once, with a replacement that is legal in the format."""
    rng = random.Random(20261121)
    assertion = sd_jwt.present(office.issue(), [("verified_claims", "claims", "name")]).encode()
    for position, byte in enumerate(assertion):
        other = rng.choice([b for b in ALPHABET if b != byte])
        changed = assertion[:position] + bytes([other]) + assertion[position + 1 :]
        assert office.verify(changed).outcome is Outcome.FAILED, position


@shared
@given(data=st.data())
def test_no_changed_deleted_or_inserted_byte_passes(office: Any, data: st.DataObject) -> None:
    assertion = data.draw(st.just(office.issue())).encode()
    position = data.draw(st.integers(0, len(assertion) - 1))
    rest = data.draw(st.sampled_from([position, position + 1]))
    insert = data.draw(st.binary(max_size=2))
    changed = assertion[:position] + insert + assertion[rest:]
    if changed != assertion:
        assert office.verify(changed).outcome is Outcome.FAILED


@settings(shared, max_examples=300)
@given(data=st.data())
def test_certificates_in_the_header_are_answered_whatever_they_are(
    office: Any, data: st.DataObject
) -> None:
    which = data.draw(st.integers(0, len(office.key.x5c) - 1))
    der = bytearray(base64.b64decode(office.key.x5c[which]))
    for _ in range(data.draw(st.integers(1, 3))):
        der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    x5c = list(office.key.x5c)
    x5c[which] = base64.b64encode(der).decode()
    if x5c != list(office.key.x5c):
        verification = office.verify(office.sign_as(office.key, x5c=x5c))
        assert verification.outcome is Outcome.FAILED


@shared
@given(document=st.binary(max_size=200))
def test_no_other_document_passes(office: Any, document: bytes) -> None:
    verification = office.verify(office.issue(), documents=[document])
    assert verification.outcome is Outcome.FAILED
    assert verification.reasons == ("document-changed",)


@given(data=st.binary(max_size=300) | st.text(max_size=300).map(lambda t: t.encode("utf-8")))
def test_parser_answers_or_refuses(data: bytes) -> None:
    with contextlib.suppress(AssertionMalformedError):
        sd_jwt.parse(data)


@shared
@given(
    header=st.dictionaries(
        st.sampled_from(["alg", "typ", "x5c", "crit", "b64"]), scalars | objects
    ),
    payload=objects,
    disclosures=st.lists(st.lists(scalars | objects, max_size=4), max_size=3),
)
def test_verifier_answers_whatever_it_is_given(
    office: Any, header: Any, payload: Any, disclosures: Any
) -> None:
    parts = [b64url_encode(dump_json(part)) for part in (header, payload)]
    tail = [b64url_encode(dump_json(part)) for part in disclosures]
    verification = office.verify("~".join([f"{parts[0]}.{parts[1]}.AAAA", *tail, ""]))
    assert verification.outcome is Outcome.FAILED
    assert [check.name for check in verification.checks] == list(CheckName)


@shared
@given(payload=objects)
def test_signed_nonsense_never_passes(office: Any, payload: dict[str, Any]) -> None:
    verification = office.verify(office.sign_bytes(dump_json(payload)) + "~")
    assert verification.outcome is Outcome.FAILED


@shared
@given(
    section=st.sampled_from(
        ["txn", "chip", "face", "pad", "iad", "attendance", "policy", "verified_claims"]
    ),
    value=scalars | objects | st.lists(objects),
)
def test_any_section_replaced_is_answered(office: Any, section: str, value: Any) -> None:
    verification = office.verify(
        office.sign(lambda payload: payload.update({section: value}), hide=False),
        policy_digests=["7a" * 32],
    )
    assert verification.outcome is Outcome.FAILED


@given(payload=objects, data=st.data(), decoys=st.integers(0, 3), fill_to=st.integers(0, 9))
def test_what_is_hidden_and_fully_disclosed_is_the_same(
    payload: dict[str, Any], data: st.DataObject, decoys: int, fill_to: int
) -> None:
    paths = every_path(payload)
    reserved = ("iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "status")
    paths = [p for p in paths if p[0] not in reserved]
    chosen = data.draw(st.sets(st.sampled_from(paths), max_size=5)) if paths else set()
    hidden, disclosures = conceal(payload, chosen, decoys=decoys, fill_to=fill_to)
    revealed = reveal(parse_json(dump_json(hidden)), disclosures)
    assert revealed.payload == payload
    assert set(revealed.paths) == chosen


@given(data=st.binary(max_size=64))
def test_base64url_has_one_spelling(data: bytes) -> None:
    text = b64url_encode(data)
    assert b64url_decode(text) == data
    for other in {text + "=", text + "A", f" {text}", text + "\n"} - {text}:
        try:
            assert b64url_decode(other) != data
        except AssertionMalformedError:
            continue


@given(text=st.text(alphabet="AQgwBRhx-_", min_size=1, max_size=8))
def test_base64url_is_read_only_as_it_is_written(text: str) -> None:
    try:
        data = b64url_decode(text)
    except AssertionMalformedError:
        return
    assert b64url_encode(data) == text


@given(text=st.text(alphabet="AQEgwBR-_+/= \n.é", max_size=9))
def test_base64url_is_refused_where_the_slow_way_refuses_it(text: str) -> None:
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        canonical = base64.urlsafe_b64encode(data).decode().rstrip("=") == text
    except ValueError:
        canonical = False
    if canonical:
        assert b64url_decode(text) == data
    else:
        with pytest.raises(AssertionMalformedError):
            b64url_decode(text)


def spelled(data: st.DataObject, name: str) -> str:
    """Write a name as JSON, each character as it is or as an escape."""
    escapes = [f"\\u{ord(c):04x}" for c in name]
    return "".join(data.draw(st.sampled_from(pair)) for pair in zip(name, escapes, strict=True))


@given(
    data=st.data(), keys=st.lists(st.sampled_from(["_sd", "...", "a", "é", ":", "{"]), max_size=5)
)
def test_no_name_is_there_twice_however_it_is_spelled(data: st.DataObject, keys: list[str]) -> None:
    space = st.sampled_from(["", " ", "\n", "\t\r"])
    members = [f'"{spelled(data, key)}"{data.draw(space)}:{data.draw(space)}1' for key in keys]
    inner = "{" + ",".join(members) + "}"
    text = data.draw(st.sampled_from(["%s", ' {"b":[%s]} ', '[":",{"x":%s}]'])) % inner
    if len(set(keys)) == len(keys):
        parse_json(text.encode())
    else:
        with pytest.raises(AssertionMalformedError):
            parse_json(text.encode())


@given(
    levels=st.lists(
        st.sampled_from(["[%s]", '{"a":%s}', '[0,"]",%s]', '{"b":[],"a":%s}']), max_size=30
    )
)
def test_depth_is_bounded_whatever_stands_in_strings(levels: list[str]) -> None:
    text = '"}]"'
    for level in levels:
        text = level % text
    if len(levels) <= MAX_DEPTH:
        parse_json(text.encode())
    else:
        with pytest.raises(AssertionMalformedError):
            parse_json(text.encode())


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)


@given(value=anything)
def test_what_is_signed_is_written_as_the_standard_library_would(value: Any) -> None:
    try:
        expected = dump_json(value)
    except ValueError as error:
        with pytest.raises(type(error)):
            write_json(value)
        return
    assert json.loads(write_json(value)) == json.loads(expected)


@given(data=st.binary(max_size=200))
def test_json_reader_answers_or_refuses(data: bytes) -> None:
    try:
        value = parse_json(data)
    except AssertionMalformedError:
        return
    assert parse_json(dump_json(value)) == value


def test_every_refusal_is_typed() -> None:
    with pytest.raises(ApiError):
        sd_jwt.present("a.b.c~", [])
