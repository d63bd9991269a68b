"""Whatever a profile asks for, it becomes a card that can be stored, or a named error."""

import tomllib
from copy import deepcopy

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.emrtd.lds.com import parse_com
from devices.emrtd.lds.security_infos import parse_security_infos
from devices.emrtd.lds.sod import parse_sod
from devices.simulator.errors import FileSizeError, ProfileInvalidError
from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.pki import TestPki
from devices.simulator.profile import SPECIMEN, parse_profile
from devices.simulator.quirks import QUIRKS

TABLE = tomllib.loads(SPECIMEN.read_text("utf-8"))
PKI = TestPki.create()
CIPHERS = st.sampled_from(["3des", "aes-128", "aes-192", "aes-256"])
NUMBERS = st.integers(-1, 20)
OFFERS = st.fixed_dictionaries(
    {"mapping": st.sampled_from(["gm", "im", "cam"]), "parameter_id": NUMBERS, "cipher": CIPHERS}
)
KEYS = st.fixed_dictionaries(
    {"parameter_id": NUMBERS, "ciphers": st.lists(CIPHERS, max_size=3)},
    optional={"key_id": st.integers(-1, 256)},
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    access=st.sampled_from([["pace"], ["bac"], ["pace", "bac"]]),
    pace=st.lists(OFFERS, max_size=4),
    keys=st.lists(KEYS, max_size=3),
    form=st.sampled_from(["explicit", "named", "standardised", "pkcs3"]),
    quirks=st.lists(st.sampled_from(sorted(QUIRKS)), max_size=6, unique=True),
    sod_bytes=st.one_of(st.none(), st.integers(1, 4000)),
)
def test_any_profile(tmp_path_factory, access, pace, keys, form, quirks, sod_bytes):
    table = deepcopy(TABLE)
    table["chip"] |= {
        "access": access,
        "pace": pace,
        "chip_authentication_keys": keys,
        "chip_authentication_parameters": form,
        "active_authentication": "ecdsa-secp256r1",
        "quirks": quirks,
    }
    if sod_bytes is not None:
        table["file_sizes"] = {"EF.SOD": sod_bytes}
    try:
        image = personalise(parse_profile(table), pki=PKI)
    except (ProfileInvalidError, FileSizeError):
        return
    has_surplus = "surplus-bytes-after-files" in quirks
    if sod_bytes is not None:
        assert len(image.files["EF.SOD"]) == sod_bytes + 16 * has_surplus
    if not has_surplus:
        parse_com(image.files["EF.COM"])
        parse_sod(image.files["EF.SOD"])
        if "pace" in access:
            parse_security_infos(image.files["EF.CardAccess"])
    folder = tmp_path_factory.mktemp("card")
    image.save(folder)
    assert CardImage.load(folder) == image
