"""The simulated citizen card: a card in the field, with its faults and its pace.

Source: ISO/IEC 7816-4 §5; PC/SC part 3 §3.1.3.2.3.1 (the ATR of a contactless card).
"""

import time
from collections.abc import Iterable
from dataclasses import replace
from functools import reduce
from operator import xor

from devices.errors import CardRemovedError
from devices.simulator import apdu
from devices.simulator.apdu import Instruction, status_bytes
from devices.simulator.commands import CommandProcessor
from devices.simulator.faults import Fault, FaultKind, FaultSchedule
from devices.simulator.image import CardBehaviour, CardImage
from devices.simulator.link import Exchange, LinkClock, LinkModel
from devices.simulator.randomness import Randomness, SystemRandomness
from devices.simulator.transmission import Transmission

_SURPLUS = bytes(60_000)
_MAC_HEADER = bytes.fromhex("8E08")
_ENDLESS_PART = bytes(0xFF) + status_bytes(apdu.MORE_DATA | 0xFF)


class SimulatedCard:
    """A card in process, with the interface of `devices.transport.CardTransport`.

    One thread at a time may use it. Like a real card it stays as it is between two readings:
    `reset` it first, as a reader does when it connects.
    """

    def __init__(
        self,
        image: CardImage,
        faults: Iterable[Fault] = (),
        randomness: Randomness | None = None,
        link: LinkModel | None = None,
    ) -> None:
        """Place a card into the field.

        Args:
            image: the personalised card.
            faults: what shall go wrong, beside the faults of its profile.
            randomness: source of nonces and ephemeral keys; the system's by default.
            link: how slow the card answers; by default as its profile says, or at once.
        """
        behaviour = image.behaviour
        behaviour = replace(
            behaviour, faults=(*behaviour.faults, *faults), link=link or behaviour.link
        )
        self.image = replace(image, behaviour=behaviour)
        """The card with all that goes wrong and its link."""
        self.name = "simulated card"
        self.atr = answer_to_reset(historical_bytes(behaviour))
        self._faults = FaultSchedule(behaviour.faults)
        files = {name: self._faults.spoil(name, data) for name, data in image.files.items()}
        self._random = randomness or SystemRandomness()
        self._processor = CommandProcessor(replace(image, files=files), self._random)
        self._transmission = Transmission(self._processor, behaviour)
        self._clock = None if behaviour.link is None else LinkClock(behaviour.link)
        self.reset()

    def reset(self) -> None:
        """Power the card anew: no session, nothing selected, back in the field after a tear."""
        self._processor.reset()
        self._transmission.reset()
        self._removed = False
        self.back_at_s: float | None = None
        """When a torn card comes back by itself, as `time.monotonic()` tells."""
        self._is_endless = False
        self._last_response = status_bytes(apdu.OK)
        if self._clock is not None:
            self._clock.reset()

    def close(self) -> None:
        """Take the card out of the field."""
        self._removed, self.back_at_s = True, None

    def transmit(self, command: bytes) -> bytes:
        """Answer one command APDU with a response APDU.

        Raises:
            CardRemovedError: the card was closed or torn away.
        """
        started_s = time.perf_counter()
        if self.back_at_s is not None and time.monotonic() >= self.back_at_s:
            self.reset()
        if self._removed:
            raise CardRemovedError("The card is no longer on the reader.")
        header = command[:4]
        ins = header[1] if len(header) > 1 else None
        due = self._faults.due(ins, self._processor.file_read_by(header))
        if tear := due.get("tear"):
            self.close()
            if tear.back_after_s is not None:
                self.back_at_s = time.monotonic() + tear.back_after_s
            raise CardRemovedError("The card was taken away during the exchange.")
        response = self._answer(command, ins, due)
        self._wait(command, response, started_s, due)
        return response

    def _answer(self, command: bytes, ins: int | None, due: dict[FaultKind, Fault]) -> bytes:
        """Return the response APDU, with the faults that are due."""
        self._is_endless &= ins == Instruction.GET_RESPONSE
        if self._is_endless:
            return _ENDLESS_PART
        if naked := due.get("naked-status"):
            return self._transmission.bare(command, naked.status or apdu.WRONG_LENGTH)
        if "naked-6700" in due:
            return self._transmission.bare(command, apdu.WRONG_LENGTH)
        response = self._transmission.exchange(
            command,
            surplus=_SURPLUS if "oversized-answer" in due else b"",
            unprotected="unprotected-data" in due,
        )
        before, self._last_response = self._last_response, response
        if "replayed-answer" in due:
            response = before
        if "wrong-mac" in due and response[-12:-10] == _MAC_HEADER:
            response = response[:-3] + bytes([response[-3] ^ 1]) + response[-2:]
        if "endless-61xx" in due:
            self._is_endless = True
            response = _ENDLESS_PART
        if "garbage" in due:
            response = self._random.octets(len(response))
        return response[:1] if "stub-answer" in due else response

    def _wait(
        self, command: bytes, response: bytes, started_s: float, due: dict[FaultKind, Fault]
    ) -> None:
        """Take as long as the link, lost passwords and a slow answer ask for."""
        slow = due.get("slow-answer")
        delay_s = self._processor.take_delay_s() + ((slow and slow.seconds) or 0.0)
        time.sleep(delay_s)
        if self._clock is not None:
            done = self._transmission
            exchange = Exchange(
                len(command), len(response), done.ec_multiplications, done.protected_bytes
            )
            self._clock.keep(exchange, started_s + delay_s)


def historical_bytes(behaviour: CardBehaviour) -> bytes:
    """Return the historical bytes: those of the profile, or the chip's capabilities.

    Source: ISO/IEC 7816-4 §12.1.1.2 (category 80), §12.1.1.9 (card capabilities, compact tag 73).
    """
    if behaviour.historical_bytes is not None:
        return bytes.fromhex(behaviour.historical_bytes)
    has_short_identifiers = not any(quirk.startswith("sfi-") for quirk in behaviour.quirks)
    selection = 0x80 | 0x10 | 0x04 * has_short_identifiers  # by full name, by file identifier
    lengths = 0x80 * behaviour.command_chaining | 0x40 * behaviour.extended_length
    return bytes([0x80, 0x73, selection, 0x01, lengths])


def answer_to_reset(historical: bytes) -> bytes:
    """Return the ATR that a contactless reader makes up for a card of type A.

    Args:
        historical: at most 15 bytes.

    Source: PC/SC part 3 §3.1.3.2.3.1.
    """
    body = bytes([0x80 | len(historical), 0x80, 0x01]) + historical
    return b"\x3b" + body + bytes([reduce(xor, body)])
