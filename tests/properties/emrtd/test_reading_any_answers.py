"""Whatever a card answers, reading a file ends: the file, None, or a typed error."""

from collections.abc import Sequence
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from devices.emrtd.files import DATA_GROUPS
from devices.emrtd.terminal.file_reading import FileReader
from devices.emrtd.terminal.rerun import rerun
from devices.errors import DeviceError
from devices.tlv import encode_tlv
from devices.trace import parse_trace, redacted_atr
from devices.transport import PlainChannel

STATUSES = ["9000", "6282", "6700", "6C10", "6C00", "6F00", "6A82", "6B00", "6104", "6100", "6982"]
MAX_COMMANDS = 4000

answers = st.lists(
    st.tuples(st.binary(max_size=40), st.sampled_from(STATUSES)).map(
        lambda answer: answer[0] + bytes.fromhex(answer[1])
    ),
    min_size=1,
    max_size=20,
)


class Scripted:
    """A card that gives its answers round and round."""

    name = "scripted card"
    atr = b""

    def __init__(self, answers: Sequence[bytes]) -> None:
        self._answers = answers
        self.count = 0

    def transmit(self, command: bytes) -> bytes:
        self.count += 1
        assert self.count < MAX_COMMANDS
        return self._answers[self.count % len(self._answers)]

    def close(self) -> None:
        pass


@settings(deadline=None)
@given(answers)
def test_any_answers(script: list[bytes]) -> None:
    reader = FileReader(PlainChannel(Scripted(script)), (32768, 1503, 223, 192, 128, 64, 32, 16))
    try:
        data = reader.read(DATA_GROUPS[2])
    except DeviceError:
        return
    assert data is None or data[:1] == b"\x75"


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 2000) | st.integers(32_000, 34_000),
    st.integers(16, 33_000),
    st.booleans(),
    st.binary(max_size=20),
)
def test_any_size_and_limit(size: int, limit: int, refuses: bool, surplus: bytes) -> None:
    content = encode_tlv(0x75, bytes(index % 251 for index in range(size)))

    stored = content + surplus

    class Card(Scripted):
        def transmit(self, command: bytes) -> bytes:
            self.count += 1
            wide = command[4] == 0 and len(command) > 5
            if command[1] == 0xB1:
                at = 7 if wide else 5
                position = command[at + 2 : at + 2 + command[at + 1]]
                offset = int.from_bytes(position, "big")
            else:
                offset = 0 if command[2] & 0x80 else int.from_bytes(command[2:4], "big")
            le = int.from_bytes(command[-2:], "big") if wide else command[-1] or 256
            if refuses and le > limit:
                return b"\x67\x00"
            le = min(le, limit)
            if command[1] == 0xB1:
                return encode_tlv(0x53, stored[offset : offset + max(1, le - 4)]) + b"\x90\x00"
            return stored[offset : offset + le] + b"\x90\x00"

    chunks = (32768, 1503, 223, 192, 128, 64, 32, 16)
    reader = FileReader(PlainChannel(Card([])), chunks)
    assert reader.read(DATA_GROUPS[2]) == content
    assert reader.holds(DATA_GROUPS[2], content)
    changed = content[:-1] + bytes([content[-1] ^ 1])
    assert size == 0 or not reader.holds(DATA_GROUPS[2], changed)


@given(st.binary(max_size=40))
def test_any_answer_to_reset_is_redacted(atr: bytes) -> None:
    redacted = redacted_atr(atr)
    assert len(redacted) <= len(atr)


@given(st.binary(max_size=200))
def test_any_bytes_as_a_trace(data: bytes) -> None:
    prefix = b'{"format":"chinhchu-apdu-trace","version":1}\n'
    for content in (data, prefix + data):
        try:
            _, records = parse_trace(content)
            rerun(records)
        except DeviceError:
            pass


_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 70_000),
    st.sampled_from(["00B08100", "9000", "6700", "61055F1F", "EF.DG1", "file", "session-lost"]),
    st.lists(st.integers(0, 300), max_size=3),
)
_names = ["event", "file", "session", "lc", "le", "sw", "bytes", "head", "naked", "chunks", "chunk"]


@given(st.lists(st.dictionaries(st.sampled_from(_names), _values), max_size=8))
def test_any_records_as_a_trace(records: list[dict[str, object]]) -> None:
    opened = {"event": "session-opened", "chunks": [223, 16], "short_identifiers": True}
    with suppress(DeviceError):
        rerun([opened, *records])
