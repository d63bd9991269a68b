"""Cards that lie, loop or stumble: each ends in a typed error, without blind retries."""

from collections.abc import Callable

import pytest

from devices.apdu import CommandApdu
from devices.emrtd.errors import (
    AccessFailedError,
    AccessUnsupportedError,
    FileMalformedError,
    PasswordWrongError,
    SecureMessagingError,
    UnprotectedResponseError,
)
from devices.emrtd.evidence import ChipEvidence
from devices.emrtd.files import CARD_ACCESS, DATA_GROUPS, SOD
from devices.emrtd.lds.mrz import Can, MrzKey
from devices.emrtd.lds.security_infos import pace_infos, parse_security_infos
from devices.emrtd.terminal.access import AccessPolicy
from devices.emrtd.terminal.file_reading import FileReader
from devices.emrtd.terminal.pace import open_pace
from devices.emrtd.terminal.reader import read_chip
from devices.errors import CardMisbehavedError, CardRefusedError, CardRemovedError, DeviceError
from devices.simulator.card import SimulatedCard
from devices.simulator.faults import Fault
from devices.simulator.image import CardImage
from devices.tlv import encode_tlv
from devices.transport import PlainChannel

VIETNAMESE_OFFER = bytes.fromhex("31143012060A04007F0007020204020202010202010D")
CHALLENGE = bytes(8)


class Scripted:
    """A card whose answers a function gives; it counts what it was asked."""

    name = "scripted card"
    atr = b""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer
        self.commands: list[bytes] = []

    def transmit(self, command: bytes) -> bytes:
        self.commands.append(command)
        return self._answer(command)

    def close(self) -> None:
        pass


def _channel(answer: Callable[[bytes], bytes]) -> tuple[PlainChannel, Scripted]:
    card = Scripted(answer)
    return PlainChannel(card), card


def _file_card(content: bytes, limit: int = 256) -> Callable[[bytes], bytes]:
    """Answer SFI and offset reads of one file, at most `limit` bytes each."""

    def answer(command: bytes) -> bytes:
        if command[1] == 0xA4:
            return b"\x90\x00"
        le = command[4] or 256
        if le > limit:
            return b"\x67\x00"
        offset = 0 if command[2] & 0x80 else int.from_bytes(command[2:4], "big")
        piece = content[offset : offset + le]
        return piece + (b"\x90\x00" if len(piece) == le else b"\x62\x82")

    return answer


def test_more_data_without_end() -> None:
    channel, card = _channel(lambda command: bytes(200) + b"\x61\xff")
    with pytest.raises(CardMisbehavedError):
        channel.send(CommandApdu(0x00, 0xB0, 0x00, 0x00, le=256))
    assert len(card.commands) < 1000


def test_more_data_announced_but_never_sent() -> None:
    channel, card = _channel(lambda command: b"\x61\x10")
    with pytest.raises(CardMisbehavedError):
        channel.send(CommandApdu(0x00, 0xB0, 0x00, 0x00, le=256))
    assert len(card.commands) == 2


def test_exact_length_asked_for_again_and_again() -> None:
    channel, card = _channel(lambda command: b"\x6c\x10")
    assert channel.send(CommandApdu(0x00, 0xB0, 0x00, 0x00, le=256)).status == 0x6C10
    assert len(card.commands) == 2


@pytest.mark.parametrize(
    ("header", "error"),
    [
        ("7784FFFFFFFF", CardMisbehavedError),
        ("7783200000", CardMisbehavedError),
        ("7785FFFFFFFFFF", DeviceError),
        ("7780", DeviceError),
        ("6082000A", FileMalformedError),
    ],
)
def test_impossible_lengths(header: str, error: type[DeviceError]) -> None:
    channel, card = _channel(_file_card(bytes.fromhex(header) + bytes(250)))
    with pytest.raises(error):
        FileReader(channel, (256,)).read(SOD)
    assert len(card.commands) < 5


def test_file_that_ends_early() -> None:
    channel, _ = _channel(_file_card(encode_tlv(0x77, bytes(900))[:500]))
    with pytest.raises(FileMalformedError):
        FileReader(channel, (256,)).read(SOD)


def test_file_in_crumbs() -> None:
    content = encode_tlv(0x77, bytes(60_000))

    def answer(command: bytes) -> bytes:
        offset = 0 if command[2] & 0x80 else int.from_bytes(command[2:4], "big")
        return content[offset : offset + (8 if offset == 0 else 1)] + b"\x90\x00"

    channel, card = _channel(answer)
    with pytest.raises(CardMisbehavedError):
        FileReader(channel, (256,)).read(SOD)
    assert len(card.commands) < 3000


def test_surplus_bytes_after_the_file_are_dropped() -> None:
    content = encode_tlv(0x77, bytes(range(256)) * 2)
    channel, _ = _channel(_file_card(content + b"\xff" * 100))
    assert FileReader(channel, (256,)).read(SOD) == content


@pytest.mark.parametrize("limit", [256, 200, 192, 130, 64])
def test_cards_with_a_small_limit(limit: int) -> None:
    content = encode_tlv(0x77, bytes(range(256)) * 5)
    channel, _ = _channel(_file_card(content, limit))
    assert FileReader(channel, (256, 192, 128, 64)).read(SOD) == content


def test_no_even_read_crosses_0x7fff() -> None:
    content = encode_tlv(0x75, bytes(i % 251 for i in range(40_000)))
    seen: list[tuple[int, int]] = []

    def answer(command: bytes) -> bytes:
        if command[1] == 0xB1:
            offset = int.from_bytes(command[7 : 5 + command[4]], "big")
            piece = content[offset : offset + 200]
            return encode_tlv(0x53, piece) + b"\x90\x00"
        offset = 0 if command[2] & 0x80 else int.from_bytes(command[2:4], "big")
        le = command[4] or 256
        seen.append((offset, le))
        return content[offset : offset + le] + b"\x90\x00"

    channel, _ = _channel(answer)
    assert FileReader(channel, (250,)).read(DATA_GROUPS[2]) == content
    assert max(offset + le for offset, le in seen) == 0x8000


def test_card_without_short_file_identifiers() -> None:
    content = encode_tlv(0x31, bytes(50))

    def answer(command: bytes) -> bytes:
        if command[1] == 0xB0 and command[2] & 0x80:
            return b"\x6a\x86"
        return _file_card(content)(command)

    channel, card = _channel(answer)
    reader = FileReader(channel, (256,))
    assert reader.read(CARD_ACCESS) == content
    assert reader.read(CARD_ACCESS) == content
    assert sum(1 for c in card.commands if c[1] == 0xB0 and c[2] & 0x80) == 1


def test_pace_that_wants_no_parameter_reference() -> None:
    (offer,) = pace_infos(parse_security_infos(VIETNAMESE_OFFER))

    def answer(command: bytes) -> bytes:
        if command[1] == 0x22:
            return b"\x6a\x80" if b"\x84\x01\x0d" in command else b"\x90\x00"
        return b"\x69\x85"

    channel, card = _channel(answer)
    with pytest.raises(AccessFailedError):
        open_pace(channel, offer, Can("123456"))
    assert [c[1] for c in card.commands] == [0x22, 0x22, 0x86]


def test_blocked_password_is_not_tried() -> None:
    (offer,) = pace_infos(parse_security_infos(VIETNAMESE_OFFER))
    channel, card = _channel(lambda command: b"\x63\xc0")
    with pytest.raises(PasswordWrongError) as error:
        open_pace(channel, offer, Can("123456"))
    assert error.value.tries_left == 0
    assert len(card.commands) == 1


def test_remaining_tries_are_told(card_image: CardImage) -> None:
    inner = SimulatedCard(card_image)

    def answer(command: bytes) -> bytes:
        response = inner.transmit(command)
        return b"\x63\xc2" if command[:2] == b"\x00\x86" else response

    with pytest.raises(PasswordWrongError) as error:
        read_chip(Scripted(answer), Can("123456"))
    assert error.value.tries_left == 2


@pytest.mark.parametrize(
    "point", [b"\x04" + bytes(64), b"\x04" + b"\x01" * 64, b"\x00", b"\x02" + b"\x01" * 32]
)
def test_invalid_curve_point(point: bytes) -> None:
    (offer,) = pace_infos(parse_security_infos(VIETNAMESE_OFFER))
    answers = iter([b"", encode_tlv(0x80, bytes(16)), encode_tlv(0x82, point)])

    def answer(command: bytes) -> bytes:
        value = next(answers)
        return (encode_tlv(0x7C, value) if value else b"") + b"\x90\x00"

    channel, _ = _channel(answer)
    with pytest.raises(AccessFailedError):
        open_pace(channel, offer, Can("123456"))


def test_wrong_can_is_tried_once(card_image: CardImage) -> None:
    inner = SimulatedCard(card_image)
    card = Scripted(inner.transmit)
    with pytest.raises(PasswordWrongError) as error:
        read_chip(card, Can("000000"))
    assert not error.value.retryable
    assert sum(1 for command in card.commands if command[1] == 0x22) == 1
    assert not any(command[1] == 0x82 for command in card.commands)


def test_wrong_mrz_is_tried_once(card_image: CardImage) -> None:
    card = Scripted(SimulatedCard(card_image).transmit)
    with pytest.raises(PasswordWrongError):
        read_chip(card, MrzKey("190123456", "900521", "300520"))
    assert not any(command[1] == 0x82 for command in card.commands)


def test_no_silent_fall_from_pace_to_bac(card_image: CardImage) -> None:
    key = MrzKey("190123456", "900520", "300520")

    def broken_pace() -> Scripted:
        inner = SimulatedCard(card_image)
        return Scripted(lambda c: b"\x6f\x00" if c[1] == 0x86 else inner.transmit(c))

    with pytest.raises(AccessFailedError):
        read_chip(broken_pace(), key, policy=AccessPolicy.REQUIRE_PACE)
    evidence = read_chip(broken_pace(), key)
    assert (evidence.access, evidence.downgrade_reason) == ("BAC", "pace-failed")
    with pytest.raises(AccessFailedError):
        read_chip(broken_pace(), Can("123456"))


def test_pace_that_this_software_does_not_run(card_image: CardImage) -> None:
    inner = SimulatedCard(card_image)
    # The integrated mapping is not defined on NIST P-224.
    integrated = bytes.fromhex("31143012060A04007F0007020204040202010202010A")

    def answer(command: bytes) -> bytes:
        if command[:2] == b"\x00\xb0" and command[2] == 0x9C:
            return integrated + b"\x90\x00"
        return inner.transmit(command)

    key = MrzKey("190123456", "900520", "300520")
    with pytest.raises(AccessUnsupportedError):
        read_chip(Scripted(answer), key, policy=AccessPolicy.REQUIRE_PACE)
    inner.reset()
    evidence = read_chip(Scripted(answer), key)
    assert (evidence.access, evidence.downgrade_reason) == ("BAC", "pace-unsupported")


def _apdus(image: CardImage) -> int:
    return read_chip(SimulatedCard(image), Can("123456"), challenge=CHALLENGE).apdu_count


def test_card_torn_away_at_every_command(card_image: CardImage) -> None:
    for number in range(1, _apdus(card_image) + 1):
        card = SimulatedCard(card_image, faults=[Fault("tear", at_apdu=number)])
        with pytest.raises(CardRemovedError) as error:
            read_chip(card, Can("123456"), challenge=CHALLENGE)
        assert error.value.retryable


def test_wrong_mac_at_every_protected_command(card_image: CardImage) -> None:
    for number in range(7, _apdus(card_image) + 1):
        card = SimulatedCard(card_image, faults=[Fault("wrong-mac", at_apdu=number)])
        with pytest.raises(SecureMessagingError):
            read_chip(card, Can("123456"), challenge=CHALLENGE)


def test_naked_6700_never_yields_other_bytes(card_image: CardImage) -> None:
    genuine = read_chip(SimulatedCard(card_image), Can("123456"), challenge=CHALLENGE)
    recovered = 0
    for number in range(1, genuine.apdu_count + 1):
        card = SimulatedCard(card_image, faults=[Fault("naked-6700", at_apdu=number)])
        try:
            evidence = read_chip(card, Can("123456"), challenge=CHALLENGE)
        except DeviceError as error:
            assert error.code in {
                *("access-failed", "access-unsupported", "password-wrong", "card-refused"),
                "secure-messaging-unprotected",
            }
            continue
        assert evidence.files == genuine.files
        recovered += evidence.apdu_count > genuine.apdu_count
    assert recovered >= 6


def test_card_that_answers_naked_for_ever(card_image: CardImage) -> None:
    inner = SimulatedCard(card_image)

    def answer(command: bytes) -> bytes:
        response = inner.transmit(command)
        return b"\x67\x00" if command[:2] == b"\x0c\xb0" else response

    card = Scripted(answer)
    with pytest.raises(UnprotectedResponseError):
        read_chip(card, Can("123456"))
    assert len(card.commands) < 60


@pytest.mark.parametrize("name", ["EF.SOD", "EF.DG1", "EF.DG2", "EF.DG13", "EF.DG15"])
def test_truncated_file(card_image: CardImage, name: str) -> None:
    card = SimulatedCard(card_image, faults=[Fault("truncated-file", file=name)])
    with pytest.raises(FileMalformedError):
        read_chip(card, Can("123456"))


def test_fingerprints_are_refused_politely(card_image: CardImage) -> None:
    with pytest.raises(CardRefusedError):
        read_chip(SimulatedCard(card_image), Can("123456"), data_groups=(1, 3))


def test_absent_data_groups_are_not_in_the_evidence(card_image: CardImage) -> None:
    evidence: ChipEvidence = read_chip(
        SimulatedCard(card_image), Can("123456"), data_groups=(1, 11, 12)
    )
    assert evidence.data_groups.keys() == {1}
