"""JMRTD runs Chip Authentication with each group and cipher; BouncyCastle verifies each signature.

Chip Authentication counts as done when files were read under the keys that it agreed on.
"""

from pathlib import Path
from typing import Any

import pytest

from .conftest import Bench, assert_identical

pytestmark = [pytest.mark.xdist_group("jmrtd"), pytest.mark.timeout(400)]

PARAMETER_IDS = (*range(3), *range(8, 19))
CIPHERS = ("3des", "aes-128", "aes-192", "aes-256")
FILES = ("EF.DG14", "EF.COM", "EF.SOD", "EF.DG1")

ECDSA_KEYS = {
    "ecdsa-secp192r1": "sha1",
    "ecdsa-brainpoolP192r1": "sha224",
    "ecdsa-secp224r1": "sha224",
    "ecdsa-brainpoolP224r1": "sha224",
    "ecdsa-secp256r1": "sha256",
    "ecdsa-brainpoolP256r1": "sha256",
    "ecdsa-brainpoolP320r1": "sha256",
    "ecdsa-secp384r1": "sha384",
    "ecdsa-brainpoolP384r1": "sha384",
    "ecdsa-brainpoolP512r1": "sha512",
    "ecdsa-secp521r1": "sha512",
}
DIGESTS = ("sha1", "sha224", "sha256", "sha384", "sha512")


@pytest.mark.parametrize("cipher", CIPHERS)
@pytest.mark.parametrize("parameter_id", PARAMETER_IDS)
def test_chip_authentication(
    parameter_id: int, cipher: str, bench: Bench, make_card: Any, tmp_path: Path
) -> None:
    key = {"parameter_id": parameter_id, "ciphers": [cipher]}
    image = make_card(chip_authentication_keys=[key])
    reply = bench.read(image, "can", tmp_path, access="pace", files=FILES, chip_authentication=True)
    assert_identical(reply, image, tmp_path)
    assert reply.chip_authentication == "ok"
    assert set(reply.files) == set(FILES)


@pytest.mark.parametrize("form", ["explicit", "named"])
@pytest.mark.parametrize("access", ["bac", "pace"])
def test_chip_authentication_after_either_access(
    access: str, form: str, bench: Bench, make_card: Any, tmp_path: Path
) -> None:
    image = make_card(chip_authentication_parameters=form)
    reply = bench.read(image, "mrz", tmp_path, access=access, files=FILES, chip_authentication=True)
    assert_identical(reply, image, tmp_path)
    assert reply.chip_authentication == "ok"


@pytest.mark.parametrize("cipher", ["3des", "aes-256"])
def test_chip_authentication_names_one_of_two_keys(
    cipher: str, bench: Bench, make_card: Any, tmp_path: Path
) -> None:
    keys = [
        {"parameter_id": 13, "ciphers": [cipher], "key_id": 1},
        {"parameter_id": 12, "ciphers": [cipher], "key_id": 2},
    ]
    image = make_card(chip_authentication_keys=keys)
    reply = bench.read(image, "can", tmp_path, access="pace", files=FILES, chip_authentication=True)
    assert_identical(reply, image, tmp_path)
    assert reply.chip_authentication == "ok"


@pytest.mark.parametrize(("key_type", "digest"), ECDSA_KEYS.items())
def test_active_authentication_by_ecdsa(
    key_type: str, digest: str, bench: Bench, make_card: Any, tmp_path: Path
) -> None:
    _assert_signed(bench, make_card, tmp_path, key_type, digest)


@pytest.mark.parametrize("digest", DIGESTS)
def test_active_authentication_by_rsa(
    digest: str, bench: Bench, make_card: Any, tmp_path: Path
) -> None:
    _assert_signed(bench, make_card, tmp_path, "rsa-1024", digest)


def test_active_authentication_with_a_signature_beyond_a_short_answer(
    bench: Bench, make_card: Any, tmp_path: Path
) -> None:
    _assert_signed(bench, make_card, tmp_path, "rsa-3072", "sha256")


def _assert_signed(bench: Bench, make_card: Any, folder: Path, key_type: str, digest: str) -> None:
    image = make_card(active_authentication=key_type, active_authentication_digest=digest)
    files = ("EF.DG14", "EF.DG15", "EF.SOD")
    reply = bench.read(image, "can", folder, access="pace", files=files, active_authentication=True)
    assert_identical(reply, image, folder)
    assert reply.active_authentication == "ok"
    assert reply.security_object == "ok"
