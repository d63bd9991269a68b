"""Which PACE offer is taken."""

import itertools

import pytest

from devices.emrtd.lds.security_infos import PaceInfo, pace_infos, parse_security_infos
from devices.emrtd.terminal.pace_choice import choose_pace
from devices.tlv import encode_tlv

ARCS = {"DH-GM": 1, "ECDH-GM": 2, "DH-IM": 3, "ECDH-IM": 4, "ECDH-CAM": 6}
CIPHERS = {"3DES": 1, "AES-128": 2, "AES-192": 3, "AES-256": 4}


def _offer(kind: str, cipher: str, parameter_id: int) -> bytes:
    oid = bytes.fromhex("04007F0007020204") + bytes([ARCS[kind], CIPHERS[cipher]])
    return encode_tlv(
        0x30,
        encode_tlv(0x06, oid) + encode_tlv(0x02, b"\x02") + encode_tlv(0x02, bytes([parameter_id])),
    )


def _infos(*offers: tuple[str, str, int]) -> tuple[PaceInfo, ...]:
    content = b"".join(_offer(*offer) for offer in offers)
    return pace_infos(parse_security_infos(encode_tlv(0x31, content)))


BEST_FIRST = [
    ("ECDH-CAM", "AES-128", 12),
    ("ECDH-CAM", "AES-256", 13),
    ("ECDH-CAM", "AES-128", 17),
    ("ECDH-GM", "AES-128", 13),
    ("ECDH-GM", "AES-192", 13),
    ("ECDH-GM", "AES-256", 13),
    ("ECDH-GM", "AES-128", 18),
    ("ECDH-IM", "AES-128", 13),
    ("ECDH-CAM", "AES-128", 14),
    ("ECDH-GM", "3DES", 13),
    ("ECDH-GM", "AES-128", 10),
    ("ECDH-CAM", "AES-256", 11),
    ("DH-GM", "AES-128", 2),
    ("DH-IM", "AES-256", 1),
    ("ECDH-GM", "AES-128", 8),
    ("DH-GM", "AES-128", 0),
    ("DH-IM", "3DES", 0),
]


@pytest.mark.parametrize(("better", "worse"), list(itertools.pairwise(BEST_FIRST)))
def test_stronger_then_cheaper(better: tuple[str, str, int], worse: tuple[str, str, int]) -> None:
    for offers in (_infos(better, worse), _infos(worse, better)):
        chosen = choose_pace(offers)
        assert chosen == _infos(better)[0]


def test_equal_offers_keep_the_chips_order() -> None:
    offers = _infos(("ECDH-GM", "AES-128", 13), ("ECDH-GM", "AES-128", 12))
    assert choose_pace(offers) is offers[0]


def test_nothing_to_choose() -> None:
    assert choose_pace(()) is None


def test_what_is_not_defined_is_not_taken() -> None:
    not_defined = _infos(
        ("ECDH-IM", "AES-128", 10), ("ECDH-GM", "AES-128", 5), ("DH-GM", "3DES", 13)
    )
    assert len(not_defined) == 3
    assert choose_pace(not_defined) is None
