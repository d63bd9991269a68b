"""The quick readers find what the plain ones find, in the whole and in any part of the bytes."""

from hypothesis import example, given
from hypothesis import strategies as st

from devices.emrtd.crypto import der
from devices.emrtd.lds import parse_dg14
from devices.emrtd.lds.mrz import check_digit
from devices.emrtd.lds.security_infos import _parse_and_remember
from devices.errors import TlvMalformedError
from devices.tlv import Span, encode_tlv, parse_header, parse_spans, parse_tlvs

TAGS = st.sampled_from([0x02, 0x04, 0x30, 0x31, 0x5F1F, 0x7F61, 0x5F2E])
WELL_FORMED = st.lists(st.builds(encode_tlv, TAGS, st.binary(max_size=300)), max_size=5).map(
    b"".join
)
BYTES = st.one_of(st.binary(max_size=60), WELL_FORMED)


def _spans_one_by_one(data: bytes) -> list[Span] | None:
    """What the bytes hold by `parse_header` alone; None if they are malformed."""
    spans, at = [], 0
    while at < len(data):
        try:
            tag, header, length = parse_header(data, at)
        except TlvMalformedError:
            return None
        value, at = at + header, at + header + length
        if at > len(data):
            return None
        spans.append((tag, value, at))
    return spans


@given(before=st.binary(max_size=8), data=BYTES, after=st.binary(max_size=8))
@example(before=b"", data=b"\x5f", after=b"\x1f\x00")
@example(before=b"", data=b"\x04", after=b"\x00")
@example(before=b"", data=b"\x04\x81", after=b"\x00")
def test_spans_of_a_part_never_look_beyond_it(before: bytes, data: bytes, after: bytes) -> None:
    expected = _spans_one_by_one(data)
    offset = len(before)
    try:
        found = parse_spans(before + data + after, offset, offset + len(data))
    except TlvMalformedError:
        assert expected is None
        return
    assert found == [(tag, start + offset, end + offset) for tag, start, end in expected or ()]
    assert expected is not None
    values = [(tlv.tag, tlv.value) for tlv in parse_tlvs(data)]
    assert values == [(tag, data[start:end]) for tag, start, end in expected]


def _elements_one_by_one(data: bytes, start: int, end: int) -> list[der.Element] | None:
    try:
        return list(der.read_each(data, start, end))
    except ValueError:
        return None


@given(before=st.binary(max_size=8), data=BYTES, after=st.binary(max_size=8))
def test_elements_read_together_are_those_read_one_by_one(
    before: bytes, data: bytes, after: bytes
) -> None:
    whole, start, end = before + data + after, len(before), len(before) + len(data)
    expected = _elements_one_by_one(whole, start, end)
    try:
        assert der.children(whole, (der.SEQUENCE, 0, start, end)) == expected
    except ValueError:
        assert expected is None


@given(st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789<", max_size=50))
def test_the_check_digit_weighs_7_3_1_in_turn(text: str) -> None:
    values = {"<": 0} | {c: int(c, 36) for c in text if c != "<"}
    total = sum(values[c] * (7, 3, 1)[i % 3] for i, c in enumerate(text))
    assert check_digit(text) == str(total % 10)


@given(st.binary(min_size=32, max_size=32))
def test_no_key_of_a_chip_is_remembered(x: bytes) -> None:
    """ChipAuthenticationPublicKeyInfo on the smallest curve, 192 bits, and on one of 256."""
    oid = bytes.fromhex("060904007F0007020201 02".replace(" ", ""))
    ec = bytes.fromhex("06072A8648CE3D0201")
    for point in (x[:24] + x[:24], x + x):
        curve = bytes.fromhex("06082A8648CE3D030101")
        key = encode_tlv(0x30, encode_tlv(0x30, ec + curve) + encode_tlv(3, b"\0\4" + point))
        before = _parse_and_remember.cache_info()
        (info,) = parse_dg14(encode_tlv(0x6E, encode_tlv(0x31, encode_tlv(0x30, oid + key))))
        assert info.required_data == key
        assert _parse_and_remember.cache_info() == before
