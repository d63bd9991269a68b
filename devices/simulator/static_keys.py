"""Which static keys a chip gets: those for Chip Authentication and those for PACE with CAM."""

from collections.abc import Iterable
from dataclasses import replace

from devices.simulator.protocols import ChipAuthenticationKey, PaceOffer


def plan_static_keys(
    keys: Iterable[ChipAuthenticationKey], offers: Iterable[PaceOffer]
) -> tuple[ChipAuthenticationKey, ...]:
    """Return the keys with their identifiers.

    Chip Authentication Mapping takes the key whose identifier is its parameter id (§9.2.1): a key
    of Chip Authentication on the same domain parameters, else one of its own. As soon as there are
    several keys, each has an identifier (§9.2.6).

    Args:
        keys: wanted for Chip Authentication.
        offers: of PACE.

    Raises:
        ValueError: two keys have the same identifier.

    Source: ICAO Doc 9303-11 §9.2.1, §9.2.6.
    """
    planned = list(keys)
    for parameter_id in {offer.parameter_id for offer in offers if offer.mapping == "cam"}:
        _plan_mapping_key(planned, parameter_id)
    if len(planned) > 1:
        taken = {key.key_id for key in planned}
        free = (number for number in range(1, 256) if number not in taken)
        planned = [
            replace(key, key_id=next(free)) if key.key_id is None else key for key in planned
        ]
    if len({key.key_id for key in planned}) != len(planned):
        raise ValueError("two static keys have the same key_id")
    return tuple(planned)


def _plan_mapping_key(planned: list[ChipAuthenticationKey], parameter_id: int) -> None:
    """Give one key of these domain parameters their number as identifier."""
    fitting = [key for key in planned if key.parameter_id == parameter_id]
    if any(key.key_id == parameter_id for key in fitting):
        return
    for key in fitting:
        if key.key_id is None:
            planned[planned.index(key)] = replace(key, key_id=parameter_id)
            return
    planned.append(ChipAuthenticationKey(parameter_id, (), parameter_id))
