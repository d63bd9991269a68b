"""Each shipped profile becomes a card that the reader opens, reads whole and finds genuine."""

import io
from datetime import UTC, datetime

import pytest
from PIL import Image

from devices.emrtd.lds.mrz import Can, MrzKey
from devices.emrtd.terminal.reader import read_chip
from devices.emrtd.trust.certificates import parse_certificate
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.verification.verifier import verify_evidence
from devices.simulator.card import SimulatedCard
from devices.simulator.errors import ProfileInvalidError
from devices.simulator.mrz import mrz_date
from devices.simulator.personal_data import mrz_fields
from devices.simulator.personalise import personalise
from devices.simulator.profile import load_profile
from devices.simulator.shipped_profiles import shipped_profile, shipped_profiles

CHALLENGE = b"RND.IFD8"


@pytest.fixture(scope="module")
def picture() -> bytes:
    stored = io.BytesIO()
    Image.effect_noise((480, 640), 80).save(stored, "PNG")
    return stored.getvalue()


@pytest.mark.parametrize("name", shipped_profiles())
def test_a_shipped_profile(name, picture):
    profile = load_profile(shipped_profile(name))
    image = personalise(profile, portrait=picture)
    fields = mrz_fields(profile)
    passwords = [
        MrzKey(fields.document_number, mrz_date(fields.birth), mrz_date(fields.expiry))
    ] + ([Can(profile.can)] if profile.can else [])
    anchors = TrustAnchors((parse_certificate(image.csca),))
    numbers = [n for n in range(1, 17) if f"EF.DG{n}" in image.files and n != 3]
    for password in passwords:
        card = SimulatedCard(image)
        evidence = read_chip(card, password, data_groups=numbers, challenge=CHALLENGE)
        for number in numbers:
            made = image.files[f"EF.DG{number}"]
            # Surplus bytes after a file's end are not the file's.
            assert made.startswith(evidence.files[f"EF.DG{number}"])
            assert len(made) - len(evidence.files[f"EF.DG{number}"]) in (0, 16)
        verdict = verify_evidence(evidence, anchors, challenge=CHALLENGE, at=datetime.now(UTC))
        assert not [check for check in verdict.checks if check.result == "failed"]
        if image.aa_key is not None:
            assert verdict.outcome.name == "PASSED"


def test_each_profile_says_what_it_is():
    for name, line in shipped_profiles().items():
        assert line.endswith("."), name
        assert len(line) < 100, name


def test_an_unknown_profile_is_refused():
    with pytest.raises(ProfileInvalidError, match="no profile"):
        shipped_profile("../specimen")
