"""The data groups about the person: from a profile to their contents.

Source: ICAO Doc 9303-10 §4.7.
"""

from collections.abc import Callable
from pathlib import Path

from devices.simulator.data_groups import (
    build_displayed_portrait,
    build_document_details,
    build_personal_details,
    build_persons_to_notify,
    build_signature,
)
from devices.simulator.dg2 import build_dg2
from devices.simulator.dg13 import build_dg13
from devices.simulator.errors import PortraitUnusableError
from devices.simulator.exact_size import fit
from devices.simulator.lds import build_dg1, build_dg3
from devices.simulator.mrz import MrzFields, build_mrz
from devices.simulator.portrait import TARGET_BYTES, make_portrait, read_picture
from devices.simulator.profile import CardProfile

_TRAILING_BYTES = 64
_RESERVE_BYTES = 512
"""What headers and the filler's own form take of the size that a profile asks for DG2."""
_SEX = {"Nam": "M", "Nữ": "F", "X": "<"}
_DG3_RANDOM_BYTES = 16


def mrz_fields(profile: CardProfile) -> MrzFields:
    """Return what the machine readable zone is made of."""
    person = profile.person
    return MrzFields(
        profile.document,
        person.number,
        person.full_name,
        person.date_of_birth,
        _SEX[person.sex],
        person.expiry,
    )


def build_personal_data_groups(profile: CardProfile, picture: bytes | None) -> dict[int, bytes]:
    """Return the data groups that do not depend on the chip's keys, by number.

    Args:
        profile: whose person and files.
        picture: a picture in place of the profile's; without either there is no DG2.

    Raises:
        PortraitUnusableError: the picture is unreadable, or DG5 wants one and there is none.
        FileSizeError: a file cannot have the size that the profile asks for.
    """
    person, quirks = profile.person, profile.chip.quirks
    if picture is None and person.portrait is not None:
        picture = read_picture(Path(person.portrait))
    data_groups = {1: build_dg1(build_mrz(mrz_fields(profile)))}
    if picture is not None:
        data_groups[2] = _dg2(profile, picture)
    if "dg3-behind-terminal-authentication" in quirks:
        data_groups[3] = _sized(profile, 3, lambda n: build_dg3(_DG3_RANDOM_BYTES + (n or 0)))
    if person.number:
        data_groups[13] = build_dg13(person, quirks)
    return data_groups | {
        number: _further(profile, number, picture) for number in profile.files.data_groups
    }


def _dg2(profile: CardProfile, picture: bytes) -> bytes:
    files = profile.files
    size = profile.file_sizes.get("EF.DG2")
    target = TARGET_BYTES if size is None else max(1, size // files.faces - _RESERVE_BYTES)
    portrait = make_portrait(picture, files.portrait_format, target)
    trailing = _TRAILING_BYTES if "portrait-trailing-padding" in profile.chip.quirks else 0

    def build(filler_bytes: int | None) -> bytes:
        last = portrait if filler_bytes is None else portrait.with_filler(filler_bytes)
        portraits = [portrait] * (files.faces - 1) + [last]
        return build_dg2(portraits, files.portrait_record, trailing)

    return _sized(profile, 2, build)


def _sized(profile: CardProfile, number: int, build: Callable[[int | None], bytes]) -> bytes:
    name = f"EF.DG{number}"
    for sized, size in profile.file_sizes.items():
        if sized == name:
            return fit(name, size, build)
    return build(None)


def _further(profile: CardProfile, number: int, picture: bytes | None) -> bytes:
    """Return a data group that the citizen card does not have."""
    person = profile.person
    match number:
        case 5:
            if picture is None:
                raise PortraitUnusableError("DG5 needs a picture")
            return build_displayed_portrait(make_portrait(picture, "jpeg").data)
        case 7:
            return _sized(profile, 7, build_signature)
        case 11:
            return build_personal_details(
                person.full_name,
                person.number,
                person.date_of_birth,
                person.place_of_origin,
                person.place_of_residence,
            )
        case 12:
            return build_document_details("TEST AUTHORITY", person.date_of_issue)
        case _:
            relative = person.mother or person.father or person.full_name
            return build_persons_to_notify(
                person.date_of_issue, relative, person.place_of_residence
            )
