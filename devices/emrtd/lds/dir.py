"""EF.DIR: the applications on the card.

Source: ICAO Doc 9303-10, 3.11.2; ISO/IEC 7816-4:2020, 12.3.3.
"""

from dataclasses import dataclass

from devices.emrtd.errors import FileMalformedError
from devices.emrtd.lds.atr_info import parse_unwrapped
from devices.tlv import Tlv

MAX_APPLICATIONS = 64
_TEMPLATE, _IDENTIFIER, _LABEL = 0x61, 0x4F, 0x50


@dataclass(frozen=True)
class Application:
    """One application."""

    identifier: bytes
    """AID, 1–16 bytes."""
    label: str | None
    """Text for people, or None."""


def parse_dir(data: bytes) -> tuple[Application, ...]:
    """Return the applications of EF.DIR, at least one; other data objects are passed over.

    Padding of 00 or FF after the last data object is dropped.

    Raises:
        TlvMalformedError, FileMalformedError: the file is malformed, or names no application or
            more than 64.
    """
    applications = tuple(
        _application(element.children() if element.tag == _TEMPLATE else (element,))
        for element in parse_unwrapped(data)
        if element.tag in (_TEMPLATE, _IDENTIFIER)
    )
    if not 1 <= len(applications) <= MAX_APPLICATIONS:
        raise FileMalformedError("EF.DIR names no application or too many")
    return applications


def _application(elements: tuple[Tlv, ...]) -> Application:
    values = {element.tag: element.value for element in elements}
    identifier = values.get(_IDENTIFIER, b"")
    if not 1 <= len(identifier) <= 16:
        raise FileMalformedError("an application of EF.DIR has no valid identifier")
    label = values.get(_LABEL, b"").decode("utf-8", errors="replace").strip()
    return Application(identifier, label or None)
