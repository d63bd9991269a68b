"""JMRTD, which nobody here wrote, reads the simulated card over pcscd.

What it gets is compared byte for byte with the card's image; the signatures are verified by
BouncyCastle. So the card's cryptography, to which our own reader is tested, is not only ours.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from devices.simulator.image import CardImage

from .conftest import PLAIN_FILES, Bench, assert_identical

# One reader and one virtual machine serve all; the first build loads JMRTD from Maven Central.
pytestmark = [pytest.mark.xdist_group("jmrtd"), pytest.mark.timeout(400)]


@pytest.mark.parametrize("extended", [True, False], ids=["extended", "short"])
@pytest.mark.parametrize(("access", "password"), [("bac", "mrz"), ("pace", "can"), ("pace", "mrz")])
def test_every_file_is_read_identical(
    access: str, password: str, extended: bool, bench: Bench, specimen: CardImage, tmp_path: Path
) -> None:
    reply = bench.read(specimen, password, tmp_path, access=access, extended_length=extended)
    assert_identical(reply, specimen, tmp_path)
    assert set(reply.files) == set(PLAIN_FILES)
    assert reply.security_object == "ok"
    assert reply.protocol == ("BAC" if access == "bac" else "0.4.0.127.0.7.2.2.4.2.2/13")
    assert reply.apdus == (bench.card.count,)


@pytest.mark.parametrize("short_file_ids", [True, False], ids=["sfi", "select"])
@pytest.mark.parametrize("access", ["bac", "pace"])
def test_chip_and_active_authentication(
    access: str, short_file_ids: bool, bench: Bench, specimen: CardImage, tmp_path: Path
) -> None:
    reply = bench.read(
        specimen,
        "mrz",
        tmp_path,
        access=access,
        short_file_ids=short_file_ids,
        chip_authentication=True,
        active_authentication=True,
    )
    assert_identical(reply, specimen, tmp_path)
    assert reply.chip_authentication == "ok"
    assert reply.active_authentication == "ok"
    assert reply.security_object == "ok"


def test_a_clone_fails_both_authentications(
    bench: Bench, specimen: CardImage, tmp_path: Path
) -> None:
    clone = specimen.cloned()
    reply = bench.read(clone, "can", tmp_path, access="pace", active_authentication=True)
    assert reply.active_authentication == "failed"
    reply = bench.read(clone, "can", tmp_path, access="pace", chip_authentication=True)
    assert reply.error
    assert reply.chip_authentication is None


def test_a_wrong_password_is_refused(bench: Bench, specimen: CardImage, tmp_path: Path) -> None:
    wrong = f"{(int(specimen.behaviour.can) + 1) % 10**6:06}"
    reply = bench.read(specimen, "can", tmp_path, access="pace", can=wrong)
    assert reply.error
    assert reply.step == "pace"
    assert not reply.files


def test_altered_files_do_not_verify(bench: Bench, specimen: CardImage, tmp_path: Path) -> None:
    dg1 = bytearray(specimen.files["EF.DG1"])
    dg1[-1] ^= 1
    altered = replace(specimen, files=dict(specimen.files) | {"EF.DG1": bytes(dg1)})
    reply = bench.read(altered, "can", tmp_path, access="pace")
    assert_identical(reply, altered, tmp_path)
    assert reply.security_object == "failed"
