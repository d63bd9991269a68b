"""From a profile to a card: build the files, sign them, make the chip's keys.

Source: ICAO Doc 9303-10 (files), Doc 9303-12 (test PKI).
"""

from datetime import UTC, datetime, time

from devices.simulator.agreement_keys import AgreementKeyPair
from devices.simulator.card_security import build_card_security
from devices.simulator.der_variants import with_negative_modulus
from devices.simulator.exact_size import fit
from devices.simulator.image import CardBehaviour, CardImage
from devices.simulator.keys import EcKeyPair, RsaKeyPair, generate_key
from devices.simulator.lds import build_com, data_group_name
from devices.simulator.master_files import build_atr_info, build_dir
from devices.simulator.mrz import mrz_information
from devices.simulator.personal_data import build_personal_data_groups, mrz_fields
from devices.simulator.pki import TestPki
from devices.simulator.profile import CardProfile, Chip
from devices.simulator.protocols import ChipAuthenticationKey, PaceOffer
from devices.simulator.security_infos import (
    active_authentication_infos,
    build_dg14,
    build_dg15,
    chip_authentication_infos,
    chip_authentication_public_key_infos,
    encode_security_infos,
    pace_infos,
    terminal_authentication_info,
)
from devices.simulator.sod import build_sod

_SURPLUS = bytes(16)


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
        FileSizeError: a file cannot have the size that the profile asks for.
    """
    chip = profile.chip
    aa_key = (
        None if chip.active_authentication == "none" else generate_key(chip.active_authentication)
    )
    static_keys = chip.static_keys()
    pairs = [AgreementKeyPair.generate(key.parameter_id) for key in static_keys]
    announced = _announced(chip, static_keys)
    own_keys = chip_authentication_public_key_infos(
        static_keys, pairs, chip.chip_authentication_parameters
    )

    data_groups = build_personal_data_groups(profile, portrait)
    if dg14 := _dg14(chip, [*announced, *own_keys], aa_key):
        data_groups[14] = dg14
    if aa_key is not None:
        data_groups[15] = _dg15(chip, aa_key)

    pki = pki or TestPki.create(
        profile.signers.csca,
        profile.signers.dsc,
        country=profile.signers.country,
        document_type=profile.document.document_code.rstrip("<"),
        digest=profile.signers.digest,
        rsa_padding=profile.signers.rsa_padding,
    )
    signed_at = datetime.combine(profile.person.date_of_issue, time(12), tzinfo=UTC)
    files = {
        "EF.COM": build_com(sorted(data_groups)),
        "EF.SOD": _sod(profile, data_groups, pki, signed_at),
    } | {data_group_name(number): content for number, content in data_groups.items()}
    if "pace" in chip.access:
        files["EF.CardAccess"] = encode_security_infos(announced)
        if any(offer.mapping == "cam" for offer in chip.pace):
            infos = encode_security_infos([*announced, *own_keys])
            files["EF.CardSecurity"] = build_card_security(infos, pki, signed_at)
    files |= _master_files(profile)
    for name in profile.files.omit:
        files.pop(name, None)
    if "surplus-bytes-after-files" in chip.quirks:
        files = {name: content + _SURPLUS for name, content in files.items()}
    behaviour = CardBehaviour(
        can=profile.can,
        mrz_information=mrz_information(mrz_fields(profile)),
        access=chip.access,
        quirks=chip.quirks,
        pace=chip.pace if "pace" in chip.access else (),
        chip_authentication=static_keys,
        active_authentication_digest=chip.active_authentication_digest,
        link=profile.link,
        faults=profile.faults,
        **chip.same_limits(),
    )
    ca_keys = tuple(pair.private_key_info() for pair in pairs)
    aa_stored = None if aa_key is None else aa_key.private_key_info()
    return CardImage(behaviour, files, pki.csca, aa_stored, ca_keys)


def _sod(
    profile: CardProfile, data_groups: dict[int, bytes], pki: TestPki, signed_at: datetime
) -> bytes:
    def build(filler_bytes: int | None) -> bytes:
        return build_sod(
            data_groups,
            pki,
            signed_at,
            filler_bytes=filler_bytes,
            extra_zeros="ecdsa-extra-zeros" in profile.chip.quirks
            and isinstance(pki.dsc_key, EcKeyPair),
        )

    size = profile.file_sizes.get("EF.SOD")
    return build(None) if size is None else fit("EF.SOD", size, build)


def _master_files(profile: CardProfile) -> dict[str, bytes]:
    files = {}
    if "EF.ATR" in profile.files.master_files:
        without_sfi = any(quirk.startswith("sfi-") for quirk in profile.chip.quirks)
        files["EF.ATR"] = build_atr_info(profile.chip, short_identifiers=not without_sfi)
    if "EF.DIR" in profile.files.master_files:
        files["EF.DIR"] = build_dir()
    return files


def _announced(chip: Chip, keys: tuple[ChipAuthenticationKey, ...]) -> list[bytes]:
    """Return the SecurityInfos of EF.CardAccess, which the signed files repeat.

    Source: ICAO Doc 9303-11 §9.2.11.
    """
    offers = pace_infos(chip.pace) if "pace" in chip.access else []
    if not offers and not keys:
        return []
    return [terminal_authentication_info(), *offers, *chip_authentication_infos(keys)]


def _dg14(chip: Chip, infos: list[bytes], aa_key: EcKeyPair | RsaKeyPair | None) -> bytes | None:
    """Return DG14, None if there is nothing to say in it."""
    infos = [*infos, *active_authentication_infos(aa_key, chip.active_authentication_digest)]
    if "dg14-disagrees-with-card-access" in chip.quirks:
        infos += pace_infos([PaceOffer(cipher="aes-256")])
    if not infos:
        return None
    if "dg14-unsorted" in chip.quirks:
        return build_dg14(encode_security_infos(sorted(infos, reverse=True), sort=False))
    return build_dg14(encode_security_infos(infos))


def _dg15(chip: Chip, aa_key: EcKeyPair | RsaKeyPair) -> bytes:
    public_key_info = aa_key.public_key_info()
    if "dg15-modulus-without-00" in chip.quirks and isinstance(aa_key, RsaKeyPair):
        public_key_info = with_negative_modulus(public_key_info)
    return build_dg15(public_key_info)
