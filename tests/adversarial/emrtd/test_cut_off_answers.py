"""Whoever stands between reader and card cuts off answers and gives them out later as others."""

from contextlib import suppress
from dataclasses import replace

import pytest

from devices.emrtd.files import SOD
from devices.emrtd.lds.mrz import Can
from devices.emrtd.terminal.access import AccessPolicy, ChipAccess
from devices.emrtd.terminal.file_reading import FileReader
from devices.errors import DeviceError
from devices.simulator.card import SimulatedCard
from devices.simulator.image import CardImage
from devices.transport import PlainChannel

READ, GET_RESPONSE = b"\x0c\xb0", b"\x0c\xc0"
CHUNKS = (256, 192, 128)
"""A read of 256 bytes does not fit a protected short response: the card answers in two parts."""


class Interceptor:
    """Passes commands on, but answers one of them by a bare status and keeps the card's answer."""

    def __init__(self, card: SimulatedCard, instruction: bytes, number: int, status: int) -> None:
        self.name, self.atr = card.name, card.atr
        self._card = card
        self._instruction, self._left, self._status = instruction, number, status
        self._kept: bytes | None = None
        self.gives_out = True
        """Whether the next READ BINARY gets the answer that was cut off."""

    def transmit(self, command: bytes) -> bytes:
        self._left -= command[:2] == self._instruction
        if self._kept is not None and self.gives_out and command[:2] == READ:
            kept, self._kept = self._kept, None
            return kept
        response = self._card.transmit(command)
        if self._left == 0 and command[:2] == self._instruction:
            self._left, self._kept = -1, response
            return self._status.to_bytes(2, "big")
        return response

    def close(self) -> None:
        self._card.close()


@pytest.fixture(scope="module")
def image(card_image: CardImage) -> CardImage:
    quirks = (*card_image.behaviour.quirks, "response-in-protected-parts-61xx")
    behaviour = replace(card_image.behaviour, extended_length=False, quirks=quirks)
    return replace(card_image, behaviour=behaviour)


def _read(card: Interceptor) -> bytes | None:
    access = ChipAccess(PlainChannel(card), Can("123456"), AccessPolicy.REQUIRE_PACE)
    channel = access.open()
    return FileReader(channel, CHUNKS, renew=access.reopen).read(SOD)


@pytest.mark.parametrize("status", [0x6700, 0x6C80, 0x6D00, 0x6F00])
@pytest.mark.parametrize("instruction", [READ, GET_RESPONSE], ids=["whole", "part"])
def test_never_taken_for_other_bytes(image: CardImage, instruction: bytes, status: int) -> None:
    parts = len(image.files["EF.SOD"]) // CHUNKS[0]
    assert parts > 3
    for number in range(1, parts + 1):
        with suppress(DeviceError):
            card = Interceptor(SimulatedCard(image), instruction, number, status)
            assert _read(card) == image.files["EF.SOD"]


def test_a_part_refused_costs_the_session_and_no_more(image: CardImage) -> None:
    card = Interceptor(SimulatedCard(image), GET_RESPONSE, 2, 0x6F00)
    card.gives_out = False
    assert _read(card) == image.files["EF.SOD"]
