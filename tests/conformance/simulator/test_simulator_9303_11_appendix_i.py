"""ICAO Doc 9303-11 appendix I: PACE with Chip Authentication Mapping, byte for byte."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from devices.simulator.agreement_keys import AgreementKeyPair
from devices.simulator.domain_parameters import BY_PARAMETER_ID
from devices.simulator.protocols import ChipAuthenticationKey, PaceOffer
from devices.simulator.security_infos import chip_authentication_public_key_infos

from .conftest import Script

EXAMPLE = json.loads(
    (Path(__file__).parents[1] / "emrtd/doc9303_11_appendix_i.json").read_text("utf-8")
)
NONCE = "658B860BC94DF6F044FCE6D5C82CF8E5"
# "Chip's Private Key" of the steps Map Nonce and Perform Key Agreement.
MAPPING_KEY = "9E56A6B59C95D06ECE5CD10F983BB2F4F1943528E577F23881D89D8C3BBEE0AA"
AGREEMENT_KEY = "CD626EF3C256E235FE8912CAC28279E626008EDA6B3A05C4CF862A3BDAB79E78"
CHIP_AUTHENTICATION_DATA = "85DC3FA93D0952BFA82F5FD189EE75BD82F11D1F0B8ED4BF5319AC9B53C426B3"
KEY = ChipAuthenticationKey(parameter_id=13, ciphers=(), key_id=13)


@pytest.fixture(scope="module")
def static_pair() -> AgreementKeyPair:
    """SK_IC, which the example leaves out: CA_IC = SK_IC^-1 · SK_Map,IC solved for it."""
    order = BY_PARAMETER_ID[13].order
    inverse = pow(int(CHIP_AUTHENTICATION_DATA, 16), -1, order)
    return AgreementKeyPair(13, int(MAPPING_KEY, 16) * inverse % order)


def test_the_static_key_is_the_published_one(static_pair):
    (info,) = chip_authentication_public_key_infos([KEY], [static_pair], "standardised")
    assert info.hex().upper() == EXAMPLE["chip_authentication_public_key_info"]


def test_every_response_is_the_example_s(make_card, static_pair):
    card = make_card("", Script())
    behaviour = replace(
        card.image.behaviour,
        mrz_information="C11T002JM496081222310314",
        pace=(PaceOffer(mapping="cam", parameter_id=13),),
        chip_authentication=(KEY,),
    )
    image = replace(card.image, behaviour=behaviour, ca_keys=(static_pair.private_key_info(),))
    # The example's second private key is larger than the order of the group.
    agreement_key = int(AGREEMENT_KEY, 16) % BY_PARAMETER_ID[13].order
    card = type(card)(image, randomness=Script([NONCE], [MAPPING_KEY, f"{agreement_key:X}"]))
    for command, response in EXAMPLE["apdus"]:
        assert card.transmit(bytes.fromhex(command)).hex().upper() == response
