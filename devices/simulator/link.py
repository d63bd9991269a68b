"""The air between reader and card: how long an exchange takes, and waiting for just that long.

    T ≥ T_act + Σ t_cmd + 9·(B + 3·F)/R + F·t_FDT + k·t_EC + L/v_sm

B bytes go over the air in F frames, k scalar multiplications are done by the chip, and L bytes of
plaintext pass through its secure messaging. A block that is not the last of its APDU is answered
by a block R(ACK), which is a frame as well, so that n blocks of command and m of response make
2·(n + m - 1) frames.

Source: ISO/IEC 14443-4 §7 (half-duplex block protocol, chaining); ISO/IEC 14443-2 §8 and -3 §6.1
(a byte takes 9 etu, an etu is 1/R); NFC Digital §4.8 (frame delay time).
"""

import time
from collections.abc import Iterable, Iterator
from dataclasses import astuple
from math import ceil
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from devices.simulator.errors import ProfileInvalidError

_PROLOGUE_AND_CRC_BYTES = 3  # PCB and two bytes of CRC, no CID and no NAD
_ETU_PER_BYTE = 9
_SPIN_S = 0.0004
"""A sleeping thread wakes up late by up to this much."""

_AES_BLOCK_BYTES = 16
_STATUS_AND_MAC_BYTES = 4 + 10 + 2  # DO'99', DO'8E', SW1-SW2


@dataclass(frozen=True)
class Exchange:
    """One command-response pair, as the link sees it."""

    command_bytes: int
    """Length of the command APDU."""
    response_bytes: int
    """Length of the response APDU with its status word."""
    ec_multiplications: int = 0
    """Scalar multiplications (or private-key operations) that the chip performs."""
    protected_bytes: int = 0
    """Plaintext that the chip encrypts or decrypts."""


@dataclass(frozen=True, config=ConfigDict(extra="forbid", hide_input_in_errors=True))
class LinkModel:
    """Reader, air and chip as times."""

    bit_rate_kbit_s: Literal[106, 212, 424, 848] = 848
    """Bit rate in both directions."""
    frame_bytes: Annotated[int, Field(ge=16, le=4096)] = 256
    """Longest frame (FSD and FSC), prologue and CRC included."""
    command_ms: Annotated[float, Field(ge=0, le=60_000)] = 15.0
    """What reader, driver and chip take for any command."""
    frame_delay_us: Annotated[float, Field(ge=0, le=1_000_000)] = 86.0
    """Pause after each frame."""
    ec_multiplication_ms: Annotated[float, Field(ge=0, le=60_000)] = 0.0
    """What the chip takes for a scalar multiplication or another private-key operation."""
    secure_messaging_bytes_s: Annotated[float, Field(gt=0)] | None = None
    """Throughput of the chip's secure messaging; None if it costs nothing."""
    activation_ms: Annotated[float, Field(ge=0, le=60_000)] = 0.0
    """From the field to the first command; taken with the first command after each power-up."""

    def frames(self, command_bytes: int, response_bytes: int) -> int:
        """Return how many frames, acknowledgements included, carry two APDUs."""
        room = self.frame_bytes - _PROLOGUE_AND_CRC_BYTES
        blocks = max(1, ceil(command_bytes / room)) + max(1, ceil(response_bytes / room))
        return 2 * (blocks - 1)

    def exchange_s(
        self,
        command_bytes: int,
        response_bytes: int,
        ec_multiplications: int = 0,
        protected_bytes: int = 0,
    ) -> float:
        """Return how many seconds one command-response pair takes; see `Exchange`."""
        frames = self.frames(command_bytes, response_bytes)
        on_air_bytes = command_bytes + response_bytes + _PROLOGUE_AND_CRC_BYTES * frames
        seconds = self.command_ms / 1e3 + ec_multiplications * self.ec_multiplication_ms / 1e3
        seconds += _ETU_PER_BYTE * on_air_bytes / (self.bit_rate_kbit_s * 1e3)
        seconds += frames * self.frame_delay_us / 1e6
        if self.secure_messaging_bytes_s is not None:
            seconds += protected_bytes / self.secure_messaging_bytes_s
        return seconds

    def bound_s(self, exchanges: Iterable[Exchange]) -> float:
        """Return how many seconds a reading takes at least: activation and all its exchanges."""
        return self.activation_ms / 1e3 + sum(self.exchange_s(*astuple(one)) for one in exchanges)


def pace_exchanges(coordinate_bytes: int = 32) -> tuple[Exchange, ...]:
    """Return the five exchanges of PACE with Generic Mapping over elliptic curves.

    Args:
        coordinate_bytes: size of the curve's field, at most 48 (a point fits a short length).

    Source: ICAO Doc 9303-11 §4.4.4 (MSE:Set AT with DO'80' and DO'83', four GENERAL AUTHENTICATE).
    """
    point = 2 * coordinate_bytes + 5  # 7C len 8x len 04
    return (
        Exchange(20, 2),
        Exchange(8, 22),
        Exchange(point + 6, point + 2, ec_multiplications=3),
        Exchange(point + 6, point + 2, ec_multiplications=2),
        Exchange(18, 14),
    )


def read_exchanges(file_bytes: Iterable[int], chunk_bytes: int) -> Iterator[Exchange]:
    """Yield the exchanges of reading files under AES secure messaging, ceil(len/c) for each.

    Args:
        file_bytes: length of each file.
        chunk_bytes: plaintext that one READ BINARY returns: 223 with short lengths.

    Source: ICAO Doc 9303-11 §9.8.4 and §9.8.5 (DO'97', DO'8E'; DO'87', DO'99', DO'8E').
    """
    for size in file_bytes:
        for start in range(0, size, chunk_bytes):
            yield protected_read(min(chunk_bytes, size - start))


def protected_read(plaintext_bytes: int) -> Exchange:
    """Return one READ BINARY under AES secure messaging; see `read_exchanges`."""
    cryptogram = (plaintext_bytes // _AES_BLOCK_BYTES + 1) * _AES_BLOCK_BYTES + 1
    length_bytes = 1 if cryptogram < 0x80 else 2 if cryptogram < 0x100 else 3
    response = 1 + length_bytes + cryptogram + _STATUS_AND_MAC_BYTES
    # CLA INS P1 P2, Lc, DO'97', DO'8E', Le
    short = response - 2 <= 0x100
    command = 4 + 1 + 3 + 10 + 1 if short else 4 + 3 + 4 + 10 + 2
    return Exchange(command, response, protected_bytes=plaintext_bytes)


def parse_link(text: str) -> LinkModel:
    """Read a link as the command line gives it: `RATE[,NAME=NUMBER…]`, such as `848,command_ms=10`.

    Raises:
        ProfileInvalidError: it is no link; the message says why.
    """
    rate, *others = text.split(",")
    try:
        numbers = {name: float(number) for name, _, number in (o.partition("=") for o in others)}
        if "frame_bytes" in numbers:
            numbers["frame_bytes"] = int(numbers["frame_bytes"])
        return TypeAdapter(LinkModel).validate_python({"bit_rate_kbit_s": int(rate)} | numbers)
    except ValidationError as error:
        reasons = error.errors(include_input=False, include_url=False, include_context=False)
        message = "; ".join(f"{reason['loc'][0]}: {reason['msg']}" for reason in reasons)
        raise ProfileInvalidError(f"Link: {message}.") from None
    except (ValueError, OverflowError):
        raise ProfileInvalidError(
            "Link: a number cannot be read; give it as 848,command_ms=10."
        ) from None


class LinkClock:
    """Keeps a card in process as slow as the model says, whatever Python needs itself."""

    def __init__(self, model: LinkModel) -> None:
        self._model = model
        self._late_s = 0.0
        self.reset()

    def reset(self) -> None:
        """Owe the activation again."""
        self._activation_s = self._model.activation_ms / 1e3

    def keep(self, exchange: Exchange, started_s: float) -> None:
        """Wait until the exchange has lasted as long as the model says.

        Time that the card's own computing took beyond the model is taken off the next exchanges.

        Args:
            exchange: what was exchanged.
            started_s: `time.perf_counter()` when the command came in.
        """
        model_s = self._activation_s + self._model.exchange_s(*astuple(exchange))
        due_s = started_s + model_s - self._late_s
        sleep_until(due_s)
        self._activation_s = 0.0
        self._late_s = time.perf_counter() - due_s


def sleep_until(due_s: float) -> None:
    """Return at a moment of `time.perf_counter()`, late by microseconds only."""
    if (rest_s := due_s - time.perf_counter() - _SPIN_S) > 0:
        time.sleep(rest_s)
    while time.perf_counter() < due_s:
        pass
