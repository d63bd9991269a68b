"""ICAO Doc 9303-11 appendix D: Basic Access Control and secure messaging, byte for byte."""

from .conftest import Script

SELECT_APPLICATION = bytes.fromhex("00A4040C07A0000002471001")

# D.3: the chip's key K_IC.
K_IC = "0B4F80323EB3191CB04970CB4052790B"

# D.4: SELECT EF.COM, READ BINARY of the first four bytes, READ BINARY of the rest.
EF_COM = bytes.fromhex("60145F0104303130365F36063034303030305C026175")
PROTECTED = [
    (
        "0CA4020C158709016375432908C044F68E08BF8B92D635FF24F800",
        "990290008E08FA855A5D4C50A8ED9000",
    ),
    (
        "0CB000000D9701048E08ED6705417E96BA5500",
        "8709019FF0EC34F9922651990290008E08AD55CC17140B2DED9000",
    ),
    (
        "0CB000040D9701128E082EA28A70F3C7B53500",
        "871901FB9235F4E4037F2327DCC8964F1F9B8C30F42C8E2FFF224A990290008E08C8B2787EAEA07D749000",
    ),
]


def test_basic_access_control_and_secure_messaging(make_card, icao_vectors):
    example = icao_vectors["BAC_D"]
    card = make_card(
        "L898902C<369080619406236",
        Script(octets=[example["RND_IC"], K_IC]),
        files={"EF.COM": EF_COM},
    )
    assert card.transmit(SELECT_APPLICATION) == b"\x90\x00"
    for command, response in [*example["APDUs"], *PROTECTED]:
        assert card.transmit(bytes.fromhex(command)).hex().upper() == response


def test_an_altered_cryptogram_is_refused_and_opens_nothing(make_card, icao_vectors):
    example = icao_vectors["BAC_D"]
    (challenge, _), (authenticate, _) = example["APDUs"]
    command = bytearray.fromhex(authenticate)
    command[10] ^= 1
    card = make_card(
        "L898902C<369080619406236",
        Script(octets=[example["RND_IC"], K_IC]),
        files={"EF.COM": EF_COM},
    )
    card.transmit(SELECT_APPLICATION)
    card.transmit(bytes.fromhex(challenge))
    assert card.transmit(bytes(command)) == bytes.fromhex("6300")
    assert card.transmit(bytes.fromhex("00A4020C02011E")) == bytes.fromhex("6982")
