"""A trace: nothing personal in it, and enough to go through the reading again."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devices.emrtd.lds.mrz import Can, MrzKey, Password
from devices.emrtd.terminal.reader import read_chip
from devices.emrtd.terminal.rerun import rerun
from devices.errors import DeviceError, TraceMalformedError
from devices.simulator.card import SimulatedCard
from devices.simulator.faults import Fault
from devices.simulator.image import CardImage
from devices.trace import ApduTrace, parse_trace, read_trace, redacted_atr
from devices.transport import CardTransport

CAN = Can("123456")
MRZ = MrzKey("190123456", "900520", "300520")


class Listener:
    """Keeps what went over the wire."""

    def __init__(self, card: CardTransport) -> None:
        self.name, self.atr = card.name, card.atr
        self._card = card
        self.heard: list[bytes] = []

    def transmit(self, command: bytes) -> bytes:
        response = self._card.transmit(command)
        self.heard += [command, response]
        return response

    def close(self) -> None:
        self._card.close()


def _trace(
    image: CardImage, password: Password = CAN, faults: Sequence[Fault] = ()
) -> tuple[ApduTrace, list[bytes]]:
    trace = ApduTrace()
    card = Listener(SimulatedCard(image, faults=faults))
    with suppress(DeviceError):
        read_chip(card, password, challenge=bytes(range(8)), trace=trace)
    return trace, card.heard


@pytest.mark.parametrize(
    ("access", "password"),
    [(("pace", "bac"), CAN), (("pace", "bac"), MRZ), (("bac",), MRZ)],
    ids=["pace-can", "pace-mrz", "bac"],
)
@pytest.mark.parametrize("extended", [True, False], ids=["extended", "short"])
def test_nothing_personal_is_in_a_trace(
    make_card: Any, access: tuple[str, ...], password: Password, extended: bool
) -> None:
    image = make_card(access=access, extended_length=extended)
    trace, heard = _trace(image, password)
    text = trace.to_text().upper()
    card_access = image.files.get("EF.CardAccess", b"")
    secrets = [data for name, data in image.files.items() if name != "EF.CardAccess"]
    # No eight bytes of any file, nor of any payload that went over the wire, but for EF.CardAccess.
    payloads = [data[5:] if index % 2 == 0 else data[:-2] for index, data in enumerate(heard)]
    windows = {
        source[start : start + 8]
        for source in (*secrets, *payloads)
        for start in range(len(source) - 7)
    }
    public = {card_access[start : start + 8] for start in range(len(card_access) - 7)}
    digits = set(re.findall(r"[0-9A-F]{16,}", text))
    found = {
        window for window in windows - public if any(window.hex().upper() in d for d in digits)
    }
    assert not found
    for word in ("123456", "190123456", "900520", "300520"):
        assert word not in text
    if access == ("pace", "bac"):
        assert card_access.hex().upper() in text


@pytest.mark.parametrize("extended", [True, False], ids=["extended", "short"])
def test_a_reading_is_gone_through_again(make_card: Any, extended: bool) -> None:
    image = make_card(extended_length=extended)
    trace, _ = _trace(image)
    _, records = parse_trace(trace.to_text().encode())
    files = rerun(records)
    assert [file.name for file in files] == [
        *("EF.SOD", "EF.DG1", "EF.DG2", "EF.DG13", "EF.DG14", "EF.DG15")
    ]
    assert all(file.error is None for file in files)
    assert [file.size_bytes for file in files] == [len(image.files[file.name]) for file in files]
    assert sum(file.commands for file in files) == sum("session" in r for r in records) - 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault("naked-6700", at_apdu=9),
        Fault("naked-status", at_apdu=10, status=0x6982),
        Fault("truncated-file", file="EF.DG2"),
        Fault("length-4-gib", file="EF.DG13"),
        Fault("tear", at_apdu=11),
    ],
    ids=lambda fault: fault.kind,
)
def test_what_went_wrong_goes_wrong_again(make_card: Any, fault: Fault) -> None:
    trace, _ = _trace(make_card(extended_length=False), faults=[fault])
    _, records = parse_trace(trace.to_text().encode())
    recorded = [r["error"] for r in records if r.get("event") == "end" and r["error"]]
    codes = [file.error.code for file in rerun(records) if file.error]
    assert codes == ["card-removed" if code == "reading-interrupted" else code for code in recorded]


def test_a_reading_that_goes_another_way_is_told(make_card: Any) -> None:
    trace, _ = _trace(make_card(extended_length=False))
    _, records = parse_trace(trace.to_text().encode())
    changed = [
        record | {"le": 100} if record.get("session") == "00B08100" else record
        for record in records
    ]
    wrong = [file for file in rerun(changed) if file.error]
    assert [(file.name, file.error and file.error.code) for file in wrong] == [
        ("EF.DG1", "replay-mismatch")
    ]


def test_the_application_has_no_public_files(make_card: Any) -> None:
    """A card of the first years gives its files without a password: still nothing is kept."""
    trace = ApduTrace()
    plain = trace.transport(SimulatedCard(replace_files(make_card())))
    for command in ("00B09C0000", "00A4040C07A0000002471001", "00B09C0000", "00B0810000"):
        plain.transmit(bytes.fromhex(command))
    kept = [record.get("data") for record in trace.records]
    assert kept[0]
    assert kept[1:] == [None, None, None]


def replace_files(image: CardImage) -> CardImage:
    return replace(image, behaviour=replace(image.behaviour, quirks=()))


@pytest.mark.parametrize(
    ("atr", "redacted"),
    [
        ("3B80800101", "3B80800101"),
        ("3B858001807394014022", "3B858001807394014022"),
        ("3B8C8001805411223344739401C0AABB00", "3B8C8001805400000000739401C0AA0055"),
        ("3B888001112233445566778899", "3B888001000000000000000009"),
        ("3B84800180731122", "3B84800180731122"),
        ("3BFF", "3BFF"),
        ("3B", ""),
        ("", ""),
    ],
)
def test_numbers_in_the_answer_to_reset_are_blotted_out(atr: str, redacted: str) -> None:
    assert redacted_atr(bytes.fromhex(atr)).hex().upper() == redacted


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[1]\n",
        b'{"format":"chinhchu-apdu-trace","version":2}',
        b'{"format":"chinhchu-apdu-trace","version":1}\n[]',
        b'{"format":"chinhchu-apdu-trace","version":1}\n{',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_files_that_are_no_traces(content: bytes) -> None:
    with pytest.raises(TraceMalformedError):
        parse_trace(content)


@pytest.mark.parametrize(
    "record",
    [
        {"event": "file"},
        {"event": "file", "file": "EF.DG99"},
        {"event": "file", "file": "EF.DG1", "start": -1},
        {"event": "file", "file": "EF.DG1", "start": 1 << 40},
        {"event": "file", "file": "EF.DG1", "start": 4, "head": "zz"},
        {"event": "session-opened", "chunks": []},
        {"event": "session-opened", "chunks": ["a"]},
    ],
)
def test_records_that_make_no_sense(record: dict[str, Any]) -> None:
    opened = {"event": "session-opened", "chunks": [223], "short_identifiers": True}
    with pytest.raises(TraceMalformedError):
        rerun([opened, record])


def test_no_session_in_a_trace(tmp_path: Path) -> None:
    assert rerun([]) == ()
    with pytest.raises(TraceMalformedError):
        rerun([{"event": "file", "file": "EF.DG1"}])
    with pytest.raises(TraceMalformedError):
        read_trace(tmp_path / "missing")


def test_every_line_is_json(make_card: Any) -> None:
    trace, heard = _trace(make_card())
    lines = [json.loads(line) for line in trace.to_text().splitlines()]
    assert lines[0]["format"] == "chinhchu-apdu-trace"
    assert sum("apdu" in line for line in lines) == len(heard) / 2
    assert all(line["ms"] >= 0 and line["sw"] for line in lines if "apdu" in line)
