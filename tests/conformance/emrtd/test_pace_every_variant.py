"""Doc 9303-11, 4.4: every mapping on every standardised domain with every cipher, for real.

The card is the simulated one, whose cryptography is its own.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from devices.apdu import OK, CommandApdu
from devices.emrtd.chip_authentication_mapping import check_chip_authentication
from devices.emrtd.crypto.domain_parameters import STANDARDISED
from devices.emrtd.crypto.elliptic_curves import Curve
from devices.emrtd.evidence import CamRecord, ChipEvidence
from devices.emrtd.files import EMRTD_AID
from devices.emrtd.lds.card_security import parse_card_security
from devices.emrtd.lds.mrz import Can
from devices.emrtd.lds.security_infos import Mapping, PaceInfo, pace_infos, parse_security_infos
from devices.emrtd.terminal.access import AccessPolicy, ChipAccess
from devices.emrtd.terminal.pace import open_pace
from devices.emrtd.terminal.reader import read_chip
from devices.emrtd.terminal.secure_messaging import SecureChannel
from devices.emrtd.trust.certificates import parse_certificate
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.verification.verifier import verify_evidence
from devices.simulator.card import SimulatedCard
from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.profile import SPECIMEN, CardProfile, load_profile, parse_profile
from devices.transport import PlainChannel

CAN = Can("123456")
AT = datetime(2026, 11, 22, tzinfo=UTC)
CIPHERS = ("3des", "aes-128", "aes-192", "aes-256")
P_224 = 10
MAPPINGS = {
    **dict.fromkeys(range(3), ("gm", "im")),
    **dict.fromkeys(range(8, 19), ("gm", "im", "cam")),
    P_224: ("gm", "cam"),
}
VARIANTS = [
    (parameter_id, mapping, cipher)
    for parameter_id, mappings in MAPPINGS.items()
    for mapping in mappings
    for cipher in CIPHERS
    if (mapping, cipher) != ("cam", "3des")
]


def _profile(*offers: dict[str, Any]) -> CardProfile:
    person = load_profile(SPECIMEN).person
    chip = {"pace": offers, "active_authentication": "none", "quirks": []}
    table: dict[str, Any] = {
        "person": {
            "number": person.number,
            "full_name": person.full_name,
            "date_of_birth": person.date_of_birth,
            "sex": person.sex,
            "date_of_issue": person.date_of_issue,
            "date_of_expiry": person.date_of_expiry,
            "chip_id": person.chip_id,
        },
        "chip": chip | {"can": CAN.digits},
    }
    return parse_profile(table)


@pytest.fixture(scope="module")
def image_of() -> Callable[[int], CardImage]:
    """Return the maker of a card that offers everything on one set of domain parameters."""
    images: dict[int, CardImage] = {}

    def make(parameter_id: int) -> CardImage:
        if parameter_id not in images:
            offers = [
                {"mapping": mapping, "parameter_id": number, "cipher": cipher}
                for number, mapping, cipher in VARIANTS
                if number == parameter_id
            ]
            images[parameter_id] = personalise(_profile(*offers))
        return images[parameter_id]

    return make


def _offer(image: CardImage, mapping: str, cipher: str) -> PaceInfo:
    offers = pace_infos(parse_security_infos(image.files["EF.CardAccess"]))
    (found,) = (
        offer
        for offer in offers
        if offer.mapping.value == mapping.upper() and offer.cipher.label == cipher.upper()
    )
    return found


@pytest.mark.parametrize(
    ("parameter_id", "mapping", "cipher"), VARIANTS, ids=lambda value: str(value)
)
def test_4_4_opens_a_session(
    image_of: Callable[[int], CardImage], parameter_id: int, mapping: str, cipher: str
) -> None:
    image = image_of(parameter_id)
    offer = _offer(image, mapping, cipher)
    assert offer.parameter_id == parameter_id
    plain = PlainChannel(SimulatedCard(image))
    session = open_pace(plain, offer, CAN)
    channel = SecureChannel(plain, session.messaging)
    assert channel.send(CommandApdu(0x00, 0xA4, 0x04, 0x0C, EMRTD_AID)).status == OK
    assert (session.cam is not None) is (offer.mapping is Mapping.CHIP_AUTHENTICATION)
    if session.cam is not None:
        _check(image, offer, session.cam)


def _check(image: CardImage, offer: PaceInfo, cam: CamRecord) -> None:
    assert isinstance(offer.domain, Curve)
    card_security = parse_card_security(image.files["EF.CardSecurity"])
    check_chip_authentication(cam, offer.domain, card_security.security_infos)


def test_4_4_3_5_ef_card_security_is_read_before_the_application(
    image_of: Callable[[int], CardImage],
) -> None:
    image = image_of(13)
    access = ChipAccess(PlainChannel(SimulatedCard(image)), CAN, AccessPolicy.REQUIRE_PACE)
    access.open()
    assert access.card_security == image.files["EF.CardSecurity"]
    assert set(access.files) == {"EF.CardAccess", "EF.CardSecurity"}
    record = access.pace_record
    assert record is not None
    assert (record.oid, record.parameter_id) == ("0.4.0.127.0.7.2.2.4.6.2", 13)
    assert record.cam is not None
    first = record.cam
    access.reopen()
    assert access.pace_record is not None
    assert access.pace_record.cam not in (None, first)


def test_4_4_3_5_the_evidence_keeps_what_the_chip_showed(
    image_of: Callable[[int], CardImage],
) -> None:
    image = image_of(13)
    evidence = read_chip(SimulatedCard(image), CAN, data_groups=(1,))
    again = ChipEvidence.from_bytes(evidence.to_bytes())
    assert again == evidence
    assert again.pace is not None
    assert again.pace.cam is not None
    assert again.only(()).files.keys() == {"EF.CardAccess", "EF.CardSecurity", "EF.SOD"}
    curve = STANDARDISED[13]
    assert isinstance(curve, Curve)
    card_security = parse_card_security(again.files["EF.CardSecurity"])
    check_chip_authentication(again.pace.cam, curve, card_security.security_infos)
    anchors = TrustAnchors((parse_certificate(image.csca),))
    verdict = verify_evidence(again, anchors, challenge=None, at=AT)
    assert verdict.passive_authentication == "ok"
    # The server has no session keys of its own: the mapping is no clone check for it.
    assert verdict.check("chip-authentication").result == "not_performed"
