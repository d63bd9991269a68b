"""What the policy makes of what card and password allow, and the quirks that access meets."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import pytest

from devices.emrtd.errors import (
    AccessFailedError,
    AccessUnsupportedError,
    FileMalformedError,
    PasswordBlockedError,
    PasswordWrongError,
)
from devices.emrtd.lds.mrz import Can, MrzKey, Password
from devices.emrtd.terminal.access import AccessPolicy, ChipAccess
from devices.emrtd.terminal.bac import open_bac
from devices.emrtd.terminal.pace import open_pace
from devices.errors import DeviceError
from devices.simulator.card import SimulatedCard
from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.profile import SPECIMEN, load_profile
from devices.simulator.protocols import PaceOffer
from devices.transport import PlainChannel

CAN = Can("123456")
MRZ = MrzKey("190123456", "900520", "300520")
REQUIRE, PREFER, BAC_ONLY = AccessPolicy


def _personalise(**chip: Any) -> CardImage:
    profile = load_profile(SPECIMEN)
    changed = replace(profile.chip, active_authentication="none", **chip)
    return personalise(replace(profile, chip=changed))


@pytest.fixture(scope="module")
def images() -> dict[str, CardImage]:
    return {
        "pace and bac": _personalise(),
        "pace": _personalise(access=("pace",)),
        "bac": _personalise(access=("bac",)),
        "pace over dh": _personalise(pace=(PaceOffer(parameter_id=2),)),
    }


class Recording:
    """A transport that counts, and may answer in the card's place."""

    name = "recording"
    atr = b""

    def __init__(
        self, image: CardImage, answer: Callable[[bytes], bytes | None] = lambda command: None
    ) -> None:
        self._card = SimulatedCard(image)
        self._answer = answer
        self.commands: list[bytes] = []

    def transmit(self, command: bytes) -> bytes:
        self.commands.append(command)
        return self._answer(command) or self._card.transmit(command)

    def sent(self, ins: int) -> int:
        return sum(1 for command in self.commands if command[1] == ins)

    def close(self) -> None:
        pass


def _access(card: Recording, password: Password, policy: AccessPolicy = PREFER) -> ChipAccess:
    return ChipAccess(PlainChannel(card), password, policy)


MATRIX: list[tuple[str, Password, AccessPolicy, str | type[DeviceError], str | None]] = [
    ("pace and bac", CAN, REQUIRE, "PACE-CAN", None),
    ("pace and bac", CAN, PREFER, "PACE-CAN", None),
    ("pace and bac", CAN, BAC_ONLY, AccessUnsupportedError, None),
    ("pace and bac", MRZ, REQUIRE, "PACE-MRZ", None),
    ("pace and bac", MRZ, PREFER, "PACE-MRZ", None),
    ("pace and bac", MRZ, BAC_ONLY, "BAC", "policy-bac-only"),
    ("pace", CAN, PREFER, "PACE-CAN", None),
    ("pace", MRZ, BAC_ONLY, AccessUnsupportedError, None),
    ("bac", CAN, REQUIRE, AccessUnsupportedError, None),
    ("bac", CAN, PREFER, AccessUnsupportedError, None),
    ("bac", MRZ, REQUIRE, AccessUnsupportedError, None),
    ("bac", MRZ, PREFER, "BAC", None),
    ("bac", MRZ, BAC_ONLY, "BAC", None),
]


@pytest.mark.parametrize(("chip", "password", "policy", "expected", "reason"), MATRIX)
def test_policy(
    images: dict[str, CardImage],
    chip: str,
    password: Password,
    policy: AccessPolicy,
    expected: str | type[DeviceError],
    reason: str | None,
) -> None:
    card = Recording(images[chip])
    access = _access(card, password, policy)
    if isinstance(expected, str):
        access.open()
        assert (access.protocol, access.downgrade_reason) == (expected, reason)
        assert (access.pace_record is None) is (expected == "BAC")
    else:
        with pytest.raises(expected):
            access.open()
    if policy is REQUIRE:
        assert card.sent(0x84) == card.sent(0x82) == 0
    if policy is BAC_ONLY:
        assert card.sent(0x86) == 0


@pytest.mark.parametrize("chip", ["pace and bac", "bac"])
def test_reopened_by_the_same_protocol(images: dict[str, CardImage], chip: str) -> None:
    card = Recording(images[chip])
    access = _access(card, MRZ)
    access.open()
    before = (access.protocol, access.downgrade_reason)
    access.reopen()
    assert (access.protocol, access.downgrade_reason) == before


@pytest.mark.parametrize(
    ("quirk", "selections"),
    [("pace-needs-do84", 1), ("pace-refuses-do84", 2), ("le-on-mse-refused", 1)],
)
@pytest.mark.parametrize("chip", ["pace and bac", "pace over dh"])
@pytest.mark.parametrize("extended_length", [True, False])
def test_quirks_of_the_protocol_selection(
    images: dict[str, CardImage], chip: str, quirk: Any, selections: int, extended_length: bool
) -> None:
    image = images[chip]
    behaviour = replace(image.behaviour, quirks=(quirk,), extended_length=extended_length)
    card = Recording(replace(image, behaviour=behaviour))
    access = _access(card, CAN, REQUIRE)
    access.open()
    assert access.protocol == "PACE-CAN"
    assert card.sent(0x22) == selections


def test_a_malformed_ef_card_access_is_no_licence_for_bac(images: dict[str, CardImage]) -> None:
    image = images["pace and bac"]
    files = {**image.files, "EF.CardAccess": b"\x31\x04\x30\x02\x05\x00"}
    card = Recording(replace(image, files=files))
    with pytest.raises(FileMalformedError):
        _access(card, MRZ).open()
    assert card.sent(0x84) == 0


@dataclass(frozen=True)
class Pin:
    """A password that Doc 9303 does not know."""

    secret: str = field(repr=False)
    pace_reference: ClassVar[int] = 3
    kind: ClassVar[str] = "PIN"

    def pace_secret(self) -> bytes:
        return self.secret.encode()


@dataclass(frozen=True)
class Puk(Pin):
    """Its unblocking key."""

    pace_reference: ClassVar[int] = 4
    kind: ClassVar[str] = "PUK"


@pytest.mark.parametrize("password", [Pin("123456"), Puk("1234567890")])
def test_pin_and_puk_are_refused_in_words(images: dict[str, CardImage], password: Password) -> None:
    card = Recording(images["pace and bac"])
    access = _access(card, password)
    with pytest.raises(AccessUnsupportedError, match="PIN and PUK"):
        access.open()
    with pytest.raises(AccessUnsupportedError):
        open_pace(PlainChannel(card), access.offers[0], password)
    assert card.sent(0x22) == card.sent(0x86) == 0


def _bac(card: Recording, key: MrzKey = MRZ) -> None:
    from devices.apdu import CommandApdu
    from devices.emrtd.files import EMRTD_AID

    channel = PlainChannel(card)
    channel.send(CommandApdu(0x00, 0xA4, 0x04, 0x0C, EMRTD_AID))
    open_bac(channel, key)


def test_bac_with_a_card_that_wants_le_00(images: dict[str, CardImage]) -> None:
    card = Recording(images["bac"], lambda c: b"\x67\x00" if c[1] == 0x82 and c[-1] == 40 else None)
    _bac(card)
    assert (card.sent(0x84), card.sent(0x82)) == (2, 2)


def test_bac_with_a_card_that_refuses_every_length(images: dict[str, CardImage]) -> None:
    card = Recording(images["bac"], lambda c: b"\x67\x00" if c[1] == 0x82 else None)
    with pytest.raises(AccessFailedError):
        _bac(card)
    assert card.sent(0x82) == 2


@pytest.mark.parametrize(
    ("ins", "status", "error"),
    [
        (0x84, "6D00", AccessUnsupportedError),
        (0x84, "6A88", AccessUnsupportedError),
        (0x82, "6A88", AccessUnsupportedError),
        (0x82, "6300", PasswordWrongError),
        (0x82, "63C2", PasswordWrongError),
        (0x82, "6982", PasswordWrongError),
        (0x82, "6988", PasswordWrongError),
        (0x82, "63C0", PasswordBlockedError),
        (0x82, "6983", PasswordBlockedError),
        (0x82, "6F00", AccessFailedError),
    ],
)
def test_bac_refusals(
    images: dict[str, CardImage], ins: int, status: str, error: type[DeviceError]
) -> None:
    card = Recording(images["bac"], lambda c: bytes.fromhex(status) if c[1] == ins else None)
    with pytest.raises(error) as raised:
        _bac(card)
    assert card.sent(0x82) <= 1
    assert "190123456" not in str(raised.value) + repr(raised.value)


@pytest.mark.parametrize("size", [0, 7, 9])
def test_bac_challenge_of_a_wrong_length(images: dict[str, CardImage], size: int) -> None:
    card = Recording(images["bac"], lambda c: bytes(size) + b"\x90\x00" if c[1] == 0x84 else None)
    with pytest.raises(AccessFailedError):
        _bac(card)
    assert card.sent(0x82) == 0


@pytest.mark.parametrize("answer", [b"", bytes(39), bytes(40), bytes(41)])
def test_bac_answers_that_are_not_authentic(images: dict[str, CardImage], answer: bytes) -> None:
    card = Recording(images["bac"], lambda c: answer + b"\x90\x00" if c[1] == 0x82 else None)
    with pytest.raises(AccessFailedError) as error:
        _bac(card)
    assert error.value.password_was_tried
    assert card.sent(0x82) == 1


def test_bac_answer_to_another_challenge(images: dict[str, CardImage]) -> None:
    """An answer that was recorded before is authentic and still refused."""
    recorded: list[bytes] = []
    genuine = Recording(images["bac"])

    def replay(command: bytes) -> bytes | None:
        return recorded[0] if command[1] == 0x82 and recorded else None

    channel_card = Recording(images["bac"], replay)
    original = genuine.transmit

    def record(command: bytes) -> bytes:
        response = original(command)
        if command[1] == 0x82:
            recorded.append(response)
        return response

    genuine.transmit = record  # type: ignore[method-assign]
    _bac(genuine)
    with pytest.raises(AccessFailedError, match="another challenge"):
        _bac(channel_card)


@pytest.mark.parametrize("status", ["6982", "6985", "6A88"])
def test_a_card_that_hides_its_application_until_pace(
    images: dict[str, CardImage], status: str
) -> None:
    card = Recording(
        images["bac"], lambda c: bytes.fromhex(status) if c[:3] == b"\x00\xa4\x04" else None
    )
    with pytest.raises(AccessUnsupportedError, match="PACE only"):
        _access(card, MRZ).open()
