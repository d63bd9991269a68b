"""Cards that cheat or stumble in PACE and BAC: a typed error, one try, and nothing leaked."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from devices.emrtd.crypto.dh_groups import DH_GROUPS
from devices.emrtd.crypto.elliptic_curves import BY_NAME
from devices.emrtd.errors import (
    AccessFailedError,
    AccessUnsupportedError,
    ChipAuthenticationMappingError,
    PasswordBlockedError,
    PasswordLastTryError,
    PasswordWrongError,
)
from devices.emrtd.lds.mrz import Can, MrzKey, Password
from devices.emrtd.terminal.access import AccessPolicy, ChipAccess
from devices.errors import CardRemovedError, DeviceError
from devices.simulator.card import SimulatedCard
from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.profile import SPECIMEN, load_profile
from devices.simulator.protocols import PaceOffer
from devices.tlv import encode_tlv, parse_tlv
from devices.transport import PlainChannel

CAN = Can("123456")
MRZ = MrzKey("190123456", "900520", "300520")
OK = b"\x90\x00"
CURVE = BY_NAME["brainpoolP256r1"]
Rewrite = Callable[[bytes, bytes], bytes]


class Rewritten:
    """A genuine card behind someone who changes the answers to GENERAL AUTHENTICATE."""

    name = "rewritten card"
    atr = b""

    def __init__(self, image: CardImage, step: int, rewrite: Rewrite) -> None:
        self._card = SimulatedCard(image)
        self._step = step
        self._rewrite = rewrite
        self.commands: list[bytes] = []

    def transmit(self, command: bytes) -> bytes:
        self.commands.append(command)
        response = self._card.transmit(command)
        is_step = command[1] == 0x86 and self.count(0x86) == self._step
        return self._rewrite(command, response) if is_step else response

    def count(self, ins: int) -> int:
        return sum(1 for command in self.commands if command[1] == ins)

    def close(self) -> None:
        pass


def _answer(**objects: bytes) -> bytes:
    content = b"".join(encode_tlv(int(tag[3:], 16), value) for tag, value in objects.items())
    return encode_tlv(0x7C, content) + OK


def _sent(command: bytes) -> bytes:
    """Return the public value in a GENERAL AUTHENTICATE with short or extended length."""
    data = command[7:] if command[4] == 0 else command[5:]
    length = int.from_bytes(command[5:7], "big") if command[4] == 0 else command[4]
    (only,) = parse_tlv(data[:length], 0x7C).children()
    return only.value


def _personalise(**offer: Any) -> CardImage:
    profile = load_profile(SPECIMEN)
    chip = replace(profile.chip, pace=(PaceOffer(**offer),), active_authentication="none")
    return personalise(replace(profile, chip=chip))


@pytest.fixture(scope="module")
def gm_image() -> CardImage:
    return _personalise(mapping="gm", parameter_id=13)


@pytest.fixture(scope="module")
def im_image() -> CardImage:
    return _personalise(mapping="im", parameter_id=13)


@pytest.fixture(scope="module")
def cam_image() -> CardImage:
    return _personalise(mapping="cam", parameter_id=13)


@pytest.fixture(scope="module")
def dh_image() -> CardImage:
    return _personalise(mapping="gm", parameter_id=2)


def _open(
    card: Rewritten | SimulatedCard,
    password: Password = CAN,
    policy: AccessPolicy = AccessPolicy.PREFER_PACE,
    *,
    allow_last_try: bool = False,
) -> ChipAccess:
    access = ChipAccess(PlainChannel(card), password, policy, allow_last_try=allow_last_try)
    access.open()
    return access


def _fails(image: CardImage, step: int, rewrite: Rewrite) -> tuple[AccessFailedError, Rewritten]:
    card = Rewritten(image, step, rewrite)
    with pytest.raises(AccessFailedError) as error:
        _open(card)
    assert card.count(0x22) == 1
    assert card.count(0x82) == 0
    return error.value, card


GENERIC_POINTS = {
    "infinity": b"\x00",
    "zeros": b"\x04" + bytes(64),
    "off the curve": b"\x04" + b"\x01" * 64,
    "of another curve": BY_NAME["secp256r1"].encode(BY_NAME["secp256r1"].base),
    "compressed": CURVE.encode_compressed(CURVE.base),
    "cut": CURVE.encode(CURVE.base)[:-1],
    "too long": CURVE.encode(CURVE.base) + b"\x00",
    "empty": b"",
}


@pytest.mark.parametrize("point", GENERIC_POINTS.values(), ids=GENERIC_POINTS.keys())
@pytest.mark.parametrize(("step", "tag"), [(2, "82"), (3, "84")])
def test_invalid_points(gm_image: CardImage, step: int, tag: str, point: bytes) -> None:
    error, card = _fails(gm_image, step, lambda c, r: _answer(**{f"tag{tag}": point}))
    assert card.count(0x86) == step
    assert not error.password_was_tried


@pytest.mark.parametrize(("step", "tag"), [(2, "82"), (3, "84")])
def test_reflected_keys(gm_image: CardImage, step: int, tag: str) -> None:
    error, card = _fails(gm_image, step, lambda c, r: _answer(**{f"tag{tag}": _sent(c)}))
    assert card.count(0x86) == step
    assert "own key" in str(error)


def _dh_values() -> Iterator[tuple[str, int]]:
    group = DH_GROUPS[2]
    yield from (("zero", 0), ("one", 1), ("minus one", group.p - 1), ("p", group.p))
    yield "outside the subgroup", group.p - group.g
    yield "of small order", pow(2, group.q, group.p)


@pytest.mark.parametrize(("step", "tag"), [(2, "82"), (3, "84")])
@pytest.mark.parametrize("value", [v for _, v in _dh_values()], ids=[n for n, _ in _dh_values()])
def test_small_subgroup_values(dh_image: CardImage, step: int, tag: str, value: int) -> None:
    encoded = value.to_bytes(256, "big")
    _, card = _fails(dh_image, step, lambda c, r: _answer(**{f"tag{tag}": encoded}))
    assert card.count(0x86) == step


@pytest.mark.parametrize(("step", "tag"), [(2, "82"), (3, "84")])
def test_reflected_values(dh_image: CardImage, step: int, tag: str) -> None:
    error, _ = _fails(dh_image, step, lambda c, r: _answer(**{f"tag{tag}": _sent(c)}))
    assert "own key" in str(error)


BROKEN: dict[str, Rewrite] = {
    "nothing": lambda c, r: OK,
    "empty template": lambda c, r: b"\x7c\x00" + OK,
    "cut": lambda c, r: r[: len(r) // 2] + OK,
    "one byte short": lambda c, r: r[:-3] + OK,
    "surplus": lambda c, r: r[:-2] + b"\x00" + OK,
    "another template": lambda c, r: b"\x7d" + r[1:],
    "another object": lambda c, r: r[:2] + b"\x9f" + r[3:],
    "the object twice": lambda c, r: encode_tlv(0x7C, parse_tlv(r[:-2], 0x7C).value * 2) + OK,
    "4 GiB": lambda c, r: b"\x7c\x84\xff\xff\xff\xff" + r[2:],
    "indefinite": lambda c, r: b"\x7c\x80" + r[2:-2] + b"\x00\x00" + OK,
    "refused": lambda c, r: b"\x6a\x80",
}


@pytest.mark.parametrize("rewrite", BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_broken_answers(gm_image: CardImage, step: int, rewrite: Rewrite) -> None:
    error, card = _fails(gm_image, step, rewrite)
    assert card.count(0x86) == step
    assert error.password_was_tried is (step == 4)
    assert "123456" not in str(error) + repr(error)


@pytest.mark.parametrize("nonce", [b"", bytes(8), bytes(15), bytes(17), bytes(80)])
def test_nonces_of_a_wrong_length(gm_image: CardImage, nonce: bytes) -> None:
    _fails(gm_image, 1, lambda c, r: _answer(tag80=nonce))


@pytest.mark.parametrize("nonce", [bytes(8), bytes(32)])
def test_integrated_mapping_wants_its_own_length(im_image: CardImage, nonce: bytes) -> None:
    _, card = _fails(im_image, 1, lambda c, r: _answer(tag80=nonce))
    assert card.count(0x86) == 1


@pytest.mark.parametrize("data", [b"\x7c\x00", b"\x7c\x02\x82\x00"], ids=["absent", "empty"])
def test_integrated_mapping_takes_either_form_of_no_data(im_image: CardImage, data: bytes) -> None:
    card = Rewritten(im_image, 2, lambda c, r: data + OK)
    assert _open(card).protocol == "PACE-CAN"


def test_wrong_token_of_the_card(gm_image: CardImage) -> None:
    error, card = _fails(gm_image, 4, lambda c, r: r[:-3] + bytes([r[-3] ^ 1]) + OK)
    assert card.count(0x86) == 4
    assert error.password_was_tried


def test_cut_token_of_the_card(gm_image: CardImage) -> None:
    for size in (0, 4, 7, 9):
        error, _ = _fails(gm_image, 4, lambda c, r, size=size: _answer(tag86=bytes(size)))
        assert error.password_was_tried


def test_no_bac_with_a_password_that_pace_has_judged(gm_image: CardImage) -> None:
    for rewrite in (
        lambda c, r: b"\x6a\x80",
        lambda c, r: b"\x6f\x00",
        lambda c, r: _answer(tag86=bytes(8)),
    ):
        card = Rewritten(gm_image, 4, rewrite)
        with pytest.raises(AccessFailedError):
            _open(card, MRZ)
        assert card.count(0x84) == card.count(0x82) == 0


@pytest.mark.parametrize("step", [1, 2, 3])
def test_bac_after_a_pace_that_never_tried_the_password(gm_image: CardImage, step: int) -> None:
    access = _open(Rewritten(gm_image, step, lambda c, r: b"\x6f\x00"), MRZ)
    assert (access.protocol, access.downgrade_reason) == ("BAC", "pace-failed")
    assert access.pace_record is None
    with pytest.raises(AccessFailedError):
        _open(Rewritten(gm_image, step, lambda c, r: b"\x6f\x00"), MRZ, AccessPolicy.REQUIRE_PACE)
    with pytest.raises(AccessFailedError):
        _open(Rewritten(gm_image, step, lambda c, r: b"\x6f\x00"), CAN)


def test_no_bac_after_a_card_that_went_away(gm_image: CardImage) -> None:
    def tear(command: bytes, response: bytes) -> bytes:
        raise CardRemovedError("the card left the reader")

    for step in (1, 2, 3, 4):
        card = Rewritten(gm_image, step, tear)
        with pytest.raises(CardRemovedError):
            _open(card, MRZ)
        assert card.count(0x84) == 0


@pytest.mark.parametrize("status", ["6300", "63C2", "6982", "6988"])
def test_a_wrong_password_is_tried_once(gm_image: CardImage, status: str) -> None:
    card = Rewritten(gm_image, 4, lambda c, r: bytes.fromhex(status))
    with pytest.raises(PasswordWrongError) as error:
        _open(card, MRZ)
    assert not error.value.retryable
    assert error.value.tries_left == (2 if status == "63C2" else None)
    assert (card.count(0x22), card.count(0x86)) == (1, 4)
    assert card.count(0x84) == card.count(0x82) == 0


@pytest.mark.parametrize("status", ["63C0", "6983", "6984"])
@pytest.mark.parametrize("step", [1, 4])
def test_a_blocked_password(gm_image: CardImage, step: int, status: str) -> None:
    card = Rewritten(gm_image, step, lambda c, r: bytes.fromhex(status))
    with pytest.raises(PasswordBlockedError) as error:
        _open(card, MRZ)
    assert (error.value.tries_left, error.value.retryable) == (0, False)
    assert card.count(0x84) == 0


@pytest.mark.parametrize(("first", "reason"), [("7C00", "cam-data-missing"), ("", None)])
def test_cam_data_missing(cam_image: CardImage, first: str, reason: str | None) -> None:
    def without(command: bytes, response: bytes) -> bytes:
        token = parse_tlv(response[:-2], 0x7C).child(0x86).value
        return _answer(tag86=token) if reason else bytes.fromhex(first) + OK

    error, _ = _fails(cam_image, 4, without)
    assert getattr(error, "reason", None) == reason
    assert error.password_was_tried


@pytest.mark.parametrize("position", [0, 20, 47])
def test_cam_data_altered(cam_image: CardImage, position: int) -> None:
    def alter(command: bytes, response: bytes) -> bytes:
        template = parse_tlv(response[:-2], 0x7C)
        data = bytearray(template.child(0x8A).value)
        data[position] ^= 1
        return _answer(tag86=template.child(0x86).value, tag8A=bytes(data))

    card = Rewritten(cam_image, 4, alter)
    with pytest.raises(ChipAuthenticationMappingError) as error:
        _open(card, MRZ)
    assert error.value.reason in ("cam-data-malformed", "cam-key-mismatch")
    assert not error.value.retryable
    assert card.count(0x84) == 0


def test_cam_objects_in_another_order(cam_image: CardImage) -> None:
    def swap(command: bytes, response: bytes) -> bytes:
        template = parse_tlv(response[:-2], 0x7C)
        return _answer(tag8A=template.child(0x8A).value, tag86=template.child(0x86).value)

    access = _open(Rewritten(cam_image, 4, swap))
    assert access.pace_record is not None
    assert access.pace_record.cam is not None


def test_cam_without_ef_card_security(cam_image: CardImage) -> None:
    files = {name: data for name, data in cam_image.files.items() if name != "EF.CardSecurity"}
    card = SimulatedCard(replace(cam_image, files=files))
    with pytest.raises(ChipAuthenticationMappingError) as error:
        _open(card)
    assert error.value.reason == "card-security-missing"


def test_cam_with_another_chips_ef_card_security(cam_image: CardImage) -> None:
    """A clone that copied the files but holds a key of its own."""
    other = _personalise(mapping="cam", parameter_id=13).files["EF.CardSecurity"]
    card = SimulatedCard(replace(cam_image, files={**cam_image.files, "EF.CardSecurity": other}))
    with pytest.raises(ChipAuthenticationMappingError) as error:
        _open(card)
    assert error.value.reason == "cam-key-mismatch"


def test_cam_with_a_broken_ef_card_security(cam_image: CardImage) -> None:
    broken = encode_tlv(0x30, bytes(40))
    card = SimulatedCard(replace(cam_image, files={**cam_image.files, "EF.CardSecurity": broken}))
    with pytest.raises(DeviceError) as error:
        _open(card)
    assert type(error.value) is not DeviceError


def test_last_try_is_not_used_up(gm_image: CardImage) -> None:
    card = Announcing(gm_image, b"\x63\xc1")
    with pytest.raises(PasswordLastTryError) as error:
        _open(card, MRZ)
    assert card.count(0x86) == card.count(0x84) == 0
    assert not error.value.retryable
    assert _open(Announcing(gm_image, b"\x63\xc1"), allow_last_try=True).protocol == "PACE-CAN"
    assert _open(Announcing(gm_image, b"\x63\xc2")).protocol == "PACE-CAN"


def test_blocked_before_the_first_step(gm_image: CardImage) -> None:
    for status in (b"\x63\xc0", b"\x69\x83"):
        card = Announcing(gm_image, status)
        with pytest.raises(PasswordBlockedError):
            _open(card, MRZ, allow_last_try=True)
        assert card.count(0x86) == card.count(0x84) == 0


class Announcing(Rewritten):
    """A card that answers MSE:Set AT with a status of its own."""

    def __init__(self, image: CardImage, status: bytes) -> None:
        super().__init__(image, 0, lambda command, response: response)
        self._status = status

    def transmit(self, command: bytes) -> bytes:
        response = super().transmit(command)
        return self._status if command[1] == 0x22 else response


def test_a_card_that_counts(gm_image: CardImage) -> None:
    """The simulated card's own counter: three wrong CANs, of which the last needs permission."""
    image = replace(
        gm_image,
        behaviour=replace(gm_image.behaviour, password_tries=3, quirks=("mse-tells-tries",)),
    )
    card = SimulatedCard(image)
    for left in (2, 1):
        card.reset()
        with pytest.raises(PasswordWrongError) as wrong:
            _open(card, Can("000000"))
        assert wrong.value.tries_left == left
    card.reset()
    with pytest.raises(PasswordLastTryError):
        _open(card, Can("000000"))
    card.reset()
    with pytest.raises(PasswordBlockedError):
        _open(card, Can("000000"), allow_last_try=True)
    card.reset()
    with pytest.raises(PasswordBlockedError):
        _open(card, CAN, allow_last_try=True)


@pytest.mark.parametrize("status", ["6A88", "6A80", "6985", "6D00"])
def test_a_card_that_refuses_every_form_of_the_protocol(gm_image: CardImage, status: str) -> None:
    card = Announcing(gm_image, bytes.fromhex(status))
    with pytest.raises((AccessFailedError, AccessUnsupportedError)):
        _open(card, CAN)
    assert card.count(0x22) <= 2
    assert card.count(0x86) == 0
    access = _open(Announcing(gm_image, bytes.fromhex(status)), MRZ)
    assert (access.protocol, access.downgrade_reason) == ("BAC", "pace-failed")
