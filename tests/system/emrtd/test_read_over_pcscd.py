"""The same reading through the real PC/SC service, with a virtual reader."""

import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from devices.emrtd.errors import PasswordWrongError
from devices.emrtd.lds.mrz import Can, MrzKey
from devices.emrtd.terminal.interruption import ReadingInterruptedError
from devices.emrtd.terminal.reader import Progress, read_chip
from devices.errors import CardMissingError, CardRemovedError, ReaderMissingError
from devices.pcsc import connect, list_readers
from devices.simulator.card import SimulatedCard
from devices.simulator.errors import VirtualReaderMissingError
from devices.simulator.virtual_reader import VirtualReader

CAN = Can("123456")
CHALLENGE = bytes.fromhex("0011223344556677")

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="pcscd with vpcd is for Linux"),
    pytest.mark.timeout(90),
]


@pytest.fixture
def reader(make_card: Any) -> Iterator[VirtualReader]:
    pytest.importorskip("smartcard", reason="pyscard is not installed: chinhchu[pcsc]")
    try:
        VirtualReader.check_installed()
    except VirtualReaderMissingError as error:
        pytest.skip(str(error))
    with VirtualReader(SimulatedCard(make_card())) as reader:
        yield reader


def _take_away(reader: VirtualReader) -> None:
    reader.remove()


@pytest.mark.parametrize(
    ("password", "used"),
    [(CAN, "PACE-CAN"), (MrzKey("190123456", "900520", "300520"), "PACE-MRZ")],
    ids=["can", "mrz"],
)
def test_read(reader: VirtualReader, password: Any, used: str) -> None:
    assert VirtualReader.name in list_readers()
    with connect(VirtualReader.name, 10) as card:
        assert card.atr
        evidence = read_chip(card, password, challenge=CHALLENGE)
    assert (evidence.access, evidence.reader) == (used, VirtualReader.name)
    assert evidence.data_groups.keys() == {1, 2, 13, 14, 15}
    assert evidence.aa_response is not None


def test_wrong_can_and_then_the_right_one(reader: VirtualReader) -> None:
    with connect(None, 10) as card, pytest.raises(PasswordWrongError):
        read_chip(card, Can("654321"))
    with connect(None, 10) as card:
        assert read_chip(card, CAN).access == "PACE-CAN"


def test_unknown_reader(reader: VirtualReader) -> None:
    with pytest.raises(ReaderMissingError):
        connect("no such reader", 0)


def test_part_of_a_readers_name(reader: VirtualReader) -> None:
    connect("pcd 00 00", 10).close()
    with pytest.raises(ReaderMissingError):
        connect("virtual", 0)


def test_no_card(reader: VirtualReader) -> None:
    _take_away(reader)
    started = time.monotonic()
    with pytest.raises(CardMissingError) as error:
        connect(VirtualReader.name, 1.5)
    assert error.value.retryable
    assert 1 < time.monotonic() - started < 30


def test_card_placed_while_waiting(reader: VirtualReader) -> None:
    _take_away(reader)
    placing = threading.Timer(1.0, reader.insert)
    placing.start()
    with connect(VirtualReader.name, 60) as card:
        assert read_chip(card, CAN, data_groups=(1,)).data_group(1)
    placing.join()


def test_card_pulled_out_in_the_middle(reader: VirtualReader, make_card: Any) -> None:
    reader.insert(SimulatedCard(make_card(extended_length=False)))

    def pull(event: Progress) -> None:
        if event.file == "EF.DG2" and 0 < event.done_bytes < event.total_bytes / 2:
            reader.remove()

    with connect(VirtualReader.name, 10) as card, pytest.raises(CardRemovedError) as error:
        read_chip(card, CAN, progress=pull)
    assert error.value.retryable
    reader.insert()
    with connect(VirtualReader.name, 10) as card:
        assert read_chip(card, CAN).data_group(2)


@pytest.mark.parametrize("how", ["card", "reader"])
def test_a_reading_goes_on_after_card_or_reader_were_away(
    reader: VirtualReader, make_card: Any, how: str
) -> None:
    image = make_card(extended_length=False)
    reader.insert(SimulatedCard(image))

    def tear(event: Progress) -> None:
        if event.file == "EF.DG2" and event.done_bytes > event.total_bytes / 2:
            (reader.remove if how == "card" else reader.unplug)()

    with (
        connect(VirtualReader.name, 10) as card,
        pytest.raises(ReadingInterruptedError) as torn,
    ):
        read_chip(card, CAN, progress=tear)
    assert torn.value.retryable
    (reader.insert if how == "card" else reader.plug_in)()
    with connect(VirtualReader.name, 10) as card:
        evidence = read_chip(card, CAN, resume=torn.value.partial, challenge=CHALLENGE)
    assert evidence.resumed == 1
    assert {name: image.files[name] for name in evidence.files} == evidence.files
    assert evidence.aa_response


def test_evidence_over_pcsc_equals_the_cards_files(reader: VirtualReader) -> None:
    with connect(VirtualReader.name, 10) as card:
        first = read_chip(card, CAN)
    with connect(VirtualReader.name, 10) as card:
        second = read_chip(card, MrzKey("190123456", "900520", "300520"))
    assert first.files == second.files
