"""Cards with every limit and reading quirk: the same bytes, in as few commands as they allow."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from devices.emrtd.lds.mrz import Can
from devices.emrtd.terminal.lengths import LengthMemory
from devices.emrtd.terminal.reader import read_chip
from devices.simulator.card import SimulatedCard
from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.profile import SPECIMEN, load_profile

CAN = Can("123456")
CHALLENGE = bytes(range(8))
READING_QUIRKS = [
    "select-mf-6d00",
    "card-access-6982-after-aid",
    "card-access-6283-on-select",
    "le-on-select-refused",
    "sfi-6a82",
    "sfi-6a86",
    "sfi-6b00",
    "even-read-crossing-7fff-6b00",
    "full-read-6282",
    "read-beyond-end-6cxx",
    "response-in-parts-61xx",
    "response-in-protected-parts-61xx",
    "surplus-bytes-after-files",
    "too-much-answered-bare",
]


class Recorder:
    """Passes commands on to a card and keeps them."""

    def __init__(self, card: SimulatedCard) -> None:
        self.name = "recorded card"
        self.atr = card.atr
        self._card = card
        self.commands: list[bytes] = []

    def transmit(self, command: bytes) -> bytes:
        self.commands.append(command)
        return self._card.transmit(command)

    def close(self) -> None:
        self._card.close()


@pytest.fixture(scope="module")
def measured_card(make_card: Any) -> CardImage:
    """The card of the round-trip target: SOD of 2 kB, DG2 of 20 kB."""
    profile = load_profile(SPECIMEN)
    sized = replace(profile, file_sizes={"EF.SOD": 2000, "EF.DG2": 20_000})
    return personalise(sized, portrait=make_card.portrait)


def _limited(image: CardImage, **limits: Any) -> SimulatedCard:
    return SimulatedCard(replace(image, behaviour=replace(image.behaviour, **limits)))


@pytest.mark.parametrize(("extended", "most"), [(True, 12), (False, 112)])
def test_round_trips_on_a_card_never_seen_before(
    measured_card: CardImage, extended: bool, most: int
) -> None:
    card = _limited(measured_card, extended_length=extended)
    evidence = read_chip(card, CAN, data_groups=(1, 2, 14, 15))
    assert len(evidence.files["EF.SOD"]) == 2000
    assert len(evidence.files["EF.DG2"]) == 20_000
    assert evidence.apdu_count <= most
    assert evidence.files.keys() == {
        f"EF.{n}" for n in ("CardAccess", "SOD", *_groups(1, 2, 14, 15))
    }


@pytest.mark.parametrize("asked_too_much", ["6700", "6Cxx", "less", "6282"])
@pytest.mark.parametrize("master_files", [(), ("EF.ATR",)], ids=["untold", "told"])
@pytest.mark.parametrize("most_bytes", [1600, 4096])
def test_extended_length_that_is_announced_and_limited_is_used(
    make_card: Any, most_bytes: int, master_files: tuple[str, ...], asked_too_much: str
) -> None:
    profile = load_profile(SPECIMEN)
    limits = {"max_response_bytes": most_bytes, "asked_too_much": asked_too_much}
    sized = replace(
        profile,
        file_sizes={"EF.SOD": 2000, "EF.DG2": 20_000},
        chip=replace(profile.chip, **limits),
        files=replace(profile.files, master_files=master_files),
    )
    image = personalise(sized, portrait=make_card.portrait)
    evidence = read_chip(SimulatedCard(image), CAN, data_groups=(1, 2, 14, 15))
    assert evidence.files["EF.DG2"] == image.files["EF.DG2"]
    # Three commands find the length, which short reads would need five times as many for.
    assert evidence.apdu_count <= 30


def _groups(*numbers: int) -> list[str]:
    return [f"DG{number}" for number in numbers]


@pytest.mark.parametrize("extended", [True, False], ids=["extended", "short"])
@pytest.mark.parametrize("quirk", READING_QUIRKS)
def test_quirks(make_card: Any, quirk: str, extended: bool) -> None:
    image = make_card(quirks=(quirk,), extended_length=extended)
    evidence = read_chip(SimulatedCard(image), CAN, challenge=CHALLENGE)
    assert evidence.data_groups.keys() == {1, 2, 13, 14, 15}
    for name, data in evidence.files.items():
        # Surplus bytes after a file's end are the card's, not the file's.
        assert image.files[name].startswith(data)
        assert len(image.files[name]) - len(data) in (0, 4, 16) or data == image.files[name]
    assert evidence.aa_response
    assert evidence.resumed == 0


@pytest.mark.parametrize("asked_too_much", ["6700", "6Cxx", "less", "6282"])
@pytest.mark.parametrize("bare", [False, True], ids=["protected", "bare"])
@pytest.mark.parametrize(
    "limits",
    [
        {"max_read_bytes": 16},
        {"max_read_bytes": 100},
        {"max_read_bytes": 192},
        {"max_read_bytes": 1000},
        {"max_read_bytes": 4096},
        {"max_response_bytes": 128},
        {"max_response_bytes": 1200},
        {"max_read_bytes": 192, "extended_length": False},
    ],
    ids=str,
)
def test_limits(make_card: Any, limits: dict[str, Any], bare: bool, asked_too_much: str) -> None:
    quirks = ("too-much-answered-bare",) if bare else ()
    image = make_card(quirks=quirks, asked_too_much=asked_too_much, **limits)
    evidence = read_chip(SimulatedCard(image), CAN)
    assert all(image.files[name] == data for name, data in evidence.files.items())
    assert evidence.data_groups.keys() == {1, 2, 13, 14, 15}


class Stumbling:
    """A card that takes extended length in the open but answers it bare under protection."""

    def __init__(self, card: SimulatedCard, habit: str) -> None:
        self.name, self.atr = card.name, card.atr
        self._card, self._habit = card, habit
        self.sessions = 0

    def transmit(self, command: bytes) -> bytes:
        self.sessions += command[1] == 0x22
        if command[0] & 0x0C and command[1] == 0xB0 and command[4] == 0:
            if self._habit == "counts":
                self._card.transmit(command)
            elif self._habit == "ends session":
                self._card.transmit(bytes.fromhex("0084000008"))
            return b"\x67\x00"
        return self._card.transmit(command)

    def close(self) -> None:
        self._card.close()


@pytest.mark.parametrize(("habit", "sessions"), [("unseen", 1), ("counts", 2), ("ends session", 2)])
def test_bare_refusals_of_extended_reads(make_card: Any, habit: str, sessions: int) -> None:
    image = make_card()
    card = Stumbling(SimulatedCard(image), habit)
    evidence = read_chip(card, CAN, challenge=CHALLENGE)
    assert all(image.files[name] == data for name, data in evidence.files.items())
    assert (card.sessions, evidence.resumed) == (sessions, sessions - 1)
    assert evidence.aa_response


def test_files_beyond_0x7fff(make_card: Any) -> None:
    profile = load_profile(SPECIMEN)
    sized = replace(profile, file_sizes={"EF.DG2": 70_000})
    image = personalise(sized, portrait=make_card.portrait)
    for extended in (True, False):
        card = Recorder(_limited(image, extended_length=extended))
        evidence = read_chip(card, CAN, data_groups=(2,))
        assert evidence.files["EF.DG2"] == image.files["EF.DG2"]
        assert any(command[:2] == b"\x0c\xb1" for command in card.commands)


def test_what_worked_is_remembered_by_answer_to_reset(make_card: Any, tmp_path: Any) -> None:
    image = make_card(quirks=("sfi-6a82", "select-mf-6d00"), max_read_bytes=192)
    path = tmp_path / "cache" / "lengths.json"
    first = read_chip(SimulatedCard(image), CAN, lengths=LengthMemory(path))
    second = read_chip(SimulatedCard(image), CAN, lengths=LengthMemory(path))
    # The two extended reads that fail, the full short one, and a short identifier in each place.
    assert second.apdu_count <= first.apdu_count - 3
    assert second.files == first.files
    assert SimulatedCard(image).atr.hex() not in path.read_text().lower()


def test_a_short_card_is_not_probed_twice(make_card: Any) -> None:
    image = make_card(extended_length=False)
    memory = LengthMemory()
    counts = [
        read_chip(SimulatedCard(image), CAN, lengths=memory, data_groups=(1,)).apdu_count
        for _ in range(2)
    ]
    assert counts[0] - counts[1] == 1


def test_sod_comes_first_and_nothing_unwanted_is_read(make_card: Any) -> None:
    card = Recorder(SimulatedCard(make_card()))
    evidence = read_chip(card, CAN, data_groups=(1, 14))
    reads = [command[2] & 0x1F for command in card.commands if command[1] == 0xB0]
    assert reads == [0x1C, 0x1D, 0x01, 0x0E]
    assert evidence.data_groups.keys() == {1, 14}


def test_the_host_decodes_while_the_card_sends(make_card: Any) -> None:
    image = make_card()
    seen = []
    read_chip(SimulatedCard(image), CAN, on_file=seen.append)
    assert [file.name for file in seen] == [
        *("EF.CardAccess", "EF.SOD", "EF.DG1", "EF.DG2", "EF.DG13", "EF.DG14", "EF.DG15")
    ]
    assert all(file.error is None and file.parsed is not None for file in seen)
    assert [file.hash_matches for file in seen] == [None, None, *[True] * 5]
    assert [file.size_bytes for file in seen] == [len(image.files[file.name]) for file in seen]
    assert "MẪU" not in repr(seen)


def test_a_changed_file_is_noticed_while_reading(make_card: Any) -> None:
    image = make_card()
    forged = image.files["EF.DG13"][:-1] + b"\xff"
    files = dict(image.files) | {"EF.DG13": forged, "EF.DG15": b"\x6f\x02\x05\x00"}
    seen = []
    read_chip(SimulatedCard(replace(image, files=files)), CAN, on_file=seen.append)
    matches = Counter((file.name, file.hash_matches) for file in seen)
    assert matches["EF.DG13", False] == matches["EF.DG15", False] == matches["EF.DG1", True] == 1
    (key,) = (file for file in seen if file.name == "EF.DG15")
    assert key.error is not None


def test_a_listener_that_fails_ends_the_reading(make_card: Any) -> None:
    class StopError(Exception):
        pass

    def stop(_: object) -> None:
        raise StopError

    card = Recorder(SimulatedCard(make_card()))
    with pytest.raises(StopError):
        read_chip(card, CAN, progress=stop)
    assert card.commands == []
    with pytest.raises(StopError):
        read_chip(SimulatedCard(make_card()), CAN, on_file=stop)
