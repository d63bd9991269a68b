"""JMRTD reads a card of every profile that is shipped, by each access that it offers."""

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devices.simulator.personalise import personalise
from devices.simulator.profile import SPECIMEN, load_profile, parse_profile
from devices.simulator.shipped_profiles import shipped_profile, shipped_profiles
from devices.tlv import parse_header

from .conftest import Bench, assert_identical

pytestmark = [pytest.mark.xdist_group("jmrtd"), pytest.mark.timeout(400)]

TERMINAL_AUTHENTICATION = "EF.DG3"


@pytest.mark.parametrize("profile", shipped_profiles())
def test_every_profile(profile: str, bench: Bench, portrait: bytes, tmp_path: Path) -> None:
    image = personalise(load_profile(shipped_profile(profile)), portrait=portrait)
    limits = image.behaviour
    # JMRTD reads to the end of the object, whatever follows it in the file.
    objects = replace(image, files={n: _first_object(data) for n, data in image.files.items()})
    names = (name for name in image.files if name == "EF.CardSecurity" or _is_readable(name))
    files = tuple(names)
    options: dict[str, Any] = {
        "extended_length": limits.extended_length and limits.max_read_bytes > 256,
        "block": limits.max_read_bytes if limits.max_read_bytes < 223 else None,
        # JMRTD asks for RSA signatures in extended length only.
        "active_authentication": image.aa_key is not None and limits.extended_length,
    }
    for access in limits.access:
        password = "can" if access == "pace" and limits.can else "mrz"
        # EF.CardSecurity is behind PACE.
        wanted = tuple(n for n in files if access == "pace" or n != "EF.CardSecurity")
        reply = bench.read(image, password, tmp_path, access=access, files=wanted, **options)
        assert_identical(reply, objects, tmp_path)
        assert set(reply.files) == set(wanted)
        assert not reply.unparsed
        assert reply.active_authentication == ("ok" if options["active_authentication"] else None)
        # BouncyCastle insists on DER, the quirk is that a chip's signer does not.
        is_der = "ecdsa-extra-zeros" not in limits.quirks
        assert reply.security_object == ("ok" if is_der else "failed")


SIGNERS = [
    {"dsc": "rsa-2048", "digest": "sha1"},
    {"dsc": "rsa-2048", "digest": "sha256", "rsa_padding": "pss"},
    {"dsc": "rsa-2048", "digest": "sha512", "rsa_padding": "pss"},
    {"dsc": "ecdsa-secp256r1", "digest": "sha224"},
    {"dsc": "ecdsa-brainpoolP384r1", "digest": "sha384"},
    {"dsc": "ecdsa-secp521r1", "digest": "sha512"},
]


@pytest.mark.parametrize("signers", SIGNERS, ids=lambda signers: "-".join(signers.values()))
def test_every_signature_of_the_security_object(
    signers: dict[str, str], bench: Bench, tmp_path: Path
) -> None:
    table = tomllib.loads(SPECIMEN.read_text("utf-8"))
    table["chip"]["active_authentication"] = "none"
    image = personalise(parse_profile(table | {"signers": signers}))
    reply = bench.read(image, "can", tmp_path, access="pace")
    assert_identical(reply, image, tmp_path)
    assert reply.security_object == "ok"
    assert not reply.unparsed


def _first_object(data: bytes) -> bytes:
    _, header_bytes, value_bytes = parse_header(data)
    return data[: header_bytes + value_bytes]


def _is_readable(name: str) -> bool:
    return name in ("EF.COM", "EF.SOD") or (
        name.startswith("EF.DG") and name != TERMINAL_AUTHENTICATION
    )
