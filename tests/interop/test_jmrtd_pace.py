"""JMRTD opens the simulated card by each mapping of PACE, on each group, with each cipher.

Two combinations JMRTD 0.8.6 does otherwise than Doc 9303-11, and the card follows Doc 9303-11:

- Integrated Mapping with AES-192: 4.4.3.3 wants a nonce t of k = 192 bits, JMRTD sends as many as
  the nonce s has, 256. The card refuses it.
- Chip Authentication Mapping: 4.4.3.5.4 wants IV = E(KSEnc, -1), as appendix I works it out; JMRTD
  takes -1 for the IV. So the program decrypts the Chip Authentication Data itself.
"""

from pathlib import Path
from typing import Any

import pytest

from .conftest import PLAIN_FILES, Bench, assert_identical

pytestmark = [pytest.mark.xdist_group("jmrtd"), pytest.mark.timeout(400)]

GROUPS = range(3)
CURVES = range(8, 19)
NO_POINT_ENCODING = 10  # P-224: its prime is 1 modulo 4
CIPHERS = ("3des", "aes-128", "aes-192", "aes-256")
ARCS = {("gm", "dh"): 1, ("gm", "ecdh"): 2, ("im", "dh"): 3, ("im", "ecdh"): 4, ("cam", "ecdh"): 6}

COMBINATIONS = [
    *(("gm", i, cipher) for i in (*GROUPS, *CURVES) for cipher in CIPHERS),
    *(
        ("im", i, cipher)
        for i in (*GROUPS, *CURVES)
        if i != NO_POINT_ENCODING
        for cipher in CIPHERS
        if cipher != "aes-192"
    ),
    *(("cam", i, cipher) for i in CURVES for cipher in CIPHERS if cipher != "3des"),
]


@pytest.mark.parametrize(("mapping", "parameter_id", "cipher"), COMBINATIONS)
def test_pace(
    mapping: str, parameter_id: int, cipher: str, bench: Bench, make_card: Any, tmp_path: Path
) -> None:
    offer = {"mapping": mapping, "parameter_id": parameter_id, "cipher": cipher}
    image = make_card(pace=[offer])
    files = tuple(name for name in ("EF.CardSecurity", *PLAIN_FILES) if name in image.files)
    reply = bench.read(image, "can", tmp_path, access="pace", files=files)
    assert_identical(reply, image, tmp_path)
    arc = ARCS[mapping, "ecdh" if parameter_id >= min(CURVES) else "dh"]
    expected = f"0.4.0.127.0.7.2.2.4.{arc}.{1 + CIPHERS.index(cipher)}/{parameter_id}"
    assert reply.protocol == expected
    assert set(reply.files) == set(files)
    assert reply.security_object == "ok"
    assert reply.chip_authentication_mapping == ("ok" if mapping == "cam" else None)


@pytest.mark.parametrize("mapping", ["gm", "im", "cam"])
def test_pace_with_the_mrz(mapping: str, bench: Bench, make_card: Any, tmp_path: Path) -> None:
    image = make_card(pace=[{"mapping": mapping}])
    reply = bench.read(image, "mrz", tmp_path, access="pace", files=("EF.DG1", "EF.SOD"))
    assert_identical(reply, image, tmp_path)


def test_an_offer_is_chosen_by_its_identifier(bench: Bench, make_card: Any, tmp_path: Path) -> None:
    offers = [
        {"mapping": "gm", "parameter_id": 13},
        {"mapping": "im", "parameter_id": 12, "cipher": "aes-256"},
        {"mapping": "gm", "parameter_id": 2, "cipher": "aes-256"},
    ]
    image = make_card(pace=offers)
    wanted = "0.4.0.127.0.7.2.2.4.4.4"
    reply = bench.read(
        image, "can", tmp_path, access="pace", pace_oid=wanted, files=("EF.DG1", "EF.SOD")
    )
    assert_identical(reply, image, tmp_path)
    assert reply.protocol == f"{wanted}/12"


def test_a_clone_fails_chip_authentication_mapping(
    bench: Bench, make_card: Any, tmp_path: Path
) -> None:
    image = make_card(pace=[{"mapping": "cam"}]).cloned()
    files = ("EF.CardSecurity", "EF.DG1")
    reply = bench.read(image, "can", tmp_path, access="pace", files=files)
    assert_identical(reply, image, tmp_path)
    assert reply.chip_authentication_mapping == "failed"


def test_a_nonce_longer_than_the_key_is_refused(
    bench: Bench, make_card: Any, tmp_path: Path
) -> None:
    image = make_card(pace=[{"mapping": "im", "cipher": "aes-192"}])
    reply = bench.read(image, "can", tmp_path, access="pace", files=("EF.DG1",))
    assert reply.step == "pace"
    assert "doPACEStep2IM" in reply.error[0]
