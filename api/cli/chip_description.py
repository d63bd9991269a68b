"""What a card says of itself before any password."""

from pathlib import Path
from typing import Any

from api.cli.chip_source import open_card
from devices.emrtd.lds.dir import parse_dir
from devices.emrtd.lds.security_infos import (
    ID_CA,
    ID_TA,
    PaceInfo,
    SecurityInfo,
    pace_infos,
    parse_security_infos,
)
from devices.emrtd.terminal.access import AccessPolicy
from devices.emrtd.terminal.master_file import read_atr_info, read_card_access, read_directory
from devices.emrtd.terminal.pace_choice import choose_pace
from devices.errors import CardMissingError, DeviceError
from devices.transport import CardTransport, PlainChannel

TIMEOUT_S = 30.0
"""How long one card may take to say everything."""


def describe_cards(reader: str | None, card: Path | None) -> list[dict[str, Any]]:
    """Return what each reader, or the simulated card, holds and offers.

    Raises:
        DeviceError: the PC/SC service or the reader is missing, or the folder holds no card.
    """
    if card is not None:
        return [_describe(open_card(None, card, 0))]
    from devices.pcsc import connect, list_readers

    names = list_readers()
    if reader is not None:
        names = [name for name in names if reader.casefold() in name.casefold()]
    if not names:
        connect(reader, 0)
    found = []
    for name in names:
        try:
            found.append(_describe(connect(name, 0)))
        except CardMissingError:
            found.append({"reader": name, "card": False})
    return found


def _describe(transport: CardTransport) -> dict[str, Any]:
    described: dict[str, Any] = {
        "reader": transport.name,
        "card": True,
        "atr": transport.atr.hex().upper(),
    }
    try:
        channel = PlainChannel(transport, TIMEOUT_S)
        raw = read_card_access(channel)
        extended_length = channel.extended_length
        infos = () if raw is None else parse_security_infos(raw)
        limits = read_atr_info(channel)
        return described | {
            "card_access": None if raw is None else raw.hex().upper(),
            "protocols": _protocols(infos),
            "policies": _policies(pace_infos(infos)),
            "extended_length": extended_length,
            "max_response_bytes": limits and limits.max_response_bytes,
            "applications": _applications(channel),
        }
    except DeviceError as error:
        return described | {"error": {"code": error.code, "message": str(error)}}
    finally:
        transport.close()


def _applications(channel: PlainChannel) -> list[str]:
    raw = read_directory(channel)
    try:
        return [a.identifier.hex().upper() for a in parse_dir(raw)] if raw else []
    except DeviceError:
        return []


def _policies(offers: tuple[PaceInfo, ...]) -> dict[str, str]:
    """Say in words how each policy would open the chip."""
    chosen = choose_pace(offers)
    if chosen is not None:
        preferred = required = f"{chosen.label}, with CAN or MRZ"
        only_bac = "BAC with the MRZ, a downgrade"
    elif offers:
        required = "refused: the PACE on offer is none that this software runs"
        preferred = only_bac = "BAC with the MRZ, a downgrade"
    else:
        required = "refused: the card offers no PACE"
        preferred = only_bac = "BAC with the MRZ"
    return {
        AccessPolicy.PREFER_PACE.value: preferred,
        AccessPolicy.REQUIRE_PACE.value: required,
        AccessPolicy.BAC_ONLY.value: only_bac,
    }


def _protocols(infos: tuple[SecurityInfo, ...]) -> list[dict[str, Any]]:
    labels = {(offer.oid, offer.parameter_id): offer.label for offer in pace_infos(infos)}
    protocols = []
    for info in infos:
        label = labels.get((info.oid, info.parameter))
        if label is None and info.oid.startswith(ID_CA):
            label = "Chip Authentication"
        elif label is None and info.oid == ID_TA:
            label = "Terminal Authentication"
        protocols.append({"oid": info.oid, "version": info.version, "name": label})
    return protocols
