"""From a profile to a card: build the files, sign them, make the chip's keys.

Source: ICAO Doc 9303-10 (files), Doc 9303-12 (test PKI).
"""

from datetime import UTC, datetime, time
from pathlib import Path

from devices.simulator.dg13 import build_dg13
from devices.simulator.image import CardBehaviour, CardImage
from devices.simulator.keys import EcKeyPair, RsaKeyPair, generate_key
from devices.simulator.lds import build_com, build_dg1, build_dg2, build_dg3, data_group_name
from devices.simulator.mrz import build_mrz, mrz_information
from devices.simulator.pki import TestPki
from devices.simulator.portrait import make_portrait, read_picture
from devices.simulator.profile import CardProfile
from devices.simulator.security_infos import build_dg14, build_dg15, card_access
from devices.simulator.sod import build_sod


def personalise(
    profile: CardProfile, *, portrait: bytes | None = None, pki: TestPki | None = None
) -> CardImage:
    """Make a card.

    Args:
        profile: what the card says and speaks.
        portrait: a picture in place of the profile's; without either there is no DG2.
        pki: the test PKI that signs, so that several cards share a CSCA; by default a fresh one.

    Raises:
        PortraitUnusableError: the picture is unreadable.
    """
    chip, person = profile.chip, profile.person
    pace = "pace" in chip.access
    aa_key = (
        None if chip.active_authentication == "none" else generate_key(chip.active_authentication)
    )
    ca_key = generate_key("ecdsa-brainpoolP256r1") if chip.chip_authentication else None
    assert ca_key is None or isinstance(ca_key, EcKeyPair)
    explicit = chip.chip_authentication_parameters == "explicit"
    dg14 = build_dg14(pace=pace, ca_key=ca_key, ca_explicit=explicit, aa_key=aa_key)
    picture = portrait if portrait is not None else _profile_portrait(profile)

    data_groups = _personal_data_groups(profile, picture)
    if dg14 is not None:
        data_groups[14] = dg14
    if aa_key is not None:
        data_groups[15] = build_dg15(aa_key)

    pki = pki or TestPki.create(profile.signers.csca, profile.signers.dsc)
    signed_at = datetime.combine(person.date_of_issue, time(12), tzinfo=UTC)
    files = {
        "EF.COM": build_com(sorted(data_groups)),
        "EF.SOD": build_sod(data_groups, pki, signed_at),
    } | {data_group_name(number): content for number, content in data_groups.items()}
    if pace:
        files["EF.CardAccess"] = card_access(chip_authentication=chip.chip_authentication)
    behaviour = CardBehaviour(
        can=profile.can,
        mrz_information=mrz_information(person.number, person.date_of_birth, person.expiry),
        access=chip.access,
        quirks=chip.quirks,
        link=profile.link,
        faults=profile.faults,
        **chip.same_limits(),
    )
    return CardImage(behaviour, files, pki.csca, _stored(aa_key), _stored(ca_key))


def _personal_data_groups(profile: CardProfile, picture: bytes | None) -> dict[int, bytes]:
    person, quirks = profile.person, profile.chip.quirks
    mrz = build_mrz(
        person.number,
        person.full_name,
        person.date_of_birth,
        "M" if person.sex == "Nam" else "F",
        person.expiry,
    )
    data_groups = {
        1: build_dg1(mrz),
        13: build_dg13(person, flat_parents="dg13-flat-parents" in quirks),
    }
    if picture is not None:
        data_groups[2] = build_dg2(make_portrait(picture))
    if "dg3-behind-terminal-authentication" in quirks:
        data_groups[3] = build_dg3()
    return data_groups


def _profile_portrait(profile: CardProfile) -> bytes | None:
    path = profile.person.portrait
    return None if path is None else read_picture(Path(path))


def _stored(key: EcKeyPair | RsaKeyPair | None) -> bytes | None:
    return None if key is None else key.private_key_info()
