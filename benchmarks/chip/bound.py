"""What no reader can beat, from the sizes of the files alone.

    T ≥ T_act + T_access + Σ ceil(len/c)·t_cmd + 9·(B_cmd + B_resp + 3F)/R + 2F·t_FDT + L/v_sm

with T_access of EF.CardAccess, the five commands of PACE and the selection of the application.
"""

import math
from collections.abc import Iterator, Mapping

from devices.simulator.image import CardImage
from devices.simulator.link import Exchange, LinkModel, pace_exchanges, read_exchanges

CHUNK_BYTES: Mapping[str, int] = {"extended": 65535, "short": 223}
"""Plaintext that one protected READ can return (AES secure messaging), by variant."""

_PLAIN_READ_BYTES = 5
_STATUS_BYTES = 2
# 0C A4 04 0C Lc, DO'87' with the padded AID, DO'8E', Le; DO'99', DO'8E', SW.
_SELECT_APPLICATION = Exchange(command_bytes=35, response_bytes=16, protected_bytes=7)


def exchanges(image: CardImage, files: tuple[str, ...], variant: str) -> Iterator[Exchange]:
    """Yield the fewest exchanges that open the chip by PACE and read the files."""
    card_access = len(image.files["EF.CardAccess"])
    yield Exchange(_PLAIN_READ_BYTES, card_access + _STATUS_BYTES)
    yield from pace_exchanges()
    yield _SELECT_APPLICATION
    yield from read_exchanges((len(image.files[name]) for name in files), CHUNK_BYTES[variant])


def round_trips(image: CardImage, files: tuple[str, ...], variant: str) -> int:
    """Return EF.CardAccess, five for PACE, one SELECT, and a READ for each chunk of each file."""
    chunk = CHUNK_BYTES[variant]
    return 1 + 5 + 1 + sum(math.ceil(len(image.files[name]) / chunk) for name in files)


def seconds(image: CardImage, files: tuple[str, ...], variant: str, link: LinkModel) -> float:
    """Return the formula's T."""
    return link.bound_s(exchanges(image, files, variant))
