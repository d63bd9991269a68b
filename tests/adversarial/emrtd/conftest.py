"""A genuine reading of a specimen card, to be tampered with."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from devices.emrtd.evidence import ChipEvidence
from devices.emrtd.lds.mrz import Can
from devices.emrtd.terminal.reader import read_chip
from devices.emrtd.trust.certificates import parse_certificate
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.verification.verifier import ChipVerdict, verify_evidence
from devices.simulator.card import SimulatedCard
from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.profile import CardProfile, load_profile

SPECIMEN = Path(__file__).parents[3] / "devices/simulator/specimen.toml"
CHALLENGE = bytes.fromhex("0011223344556677")
AT = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture(scope="session")
def profile() -> CardProfile:
    return load_profile(SPECIMEN)


@pytest.fixture(scope="session")
def portrait() -> bytes:
    picture = BytesIO()
    Image.linear_gradient("L").resize((240, 320)).convert("RGB").save(picture, "PNG")
    return picture.getvalue()


@pytest.fixture(scope="session")
def card_image(profile: CardProfile, portrait: bytes) -> CardImage:
    return personalise(profile, portrait=portrait)


@pytest.fixture(scope="session")
def anchors(card_image: CardImage) -> TrustAnchors:
    return TrustAnchors((parse_certificate(card_image.csca),))


@pytest.fixture(scope="session")
def genuine(card_image: CardImage) -> ChipEvidence:
    return read_chip(SimulatedCard(card_image), Can("123456"), challenge=CHALLENGE)


@pytest.fixture
def verdict_on(anchors: TrustAnchors) -> Callable[..., ChipVerdict]:
    def verify(evidence: ChipEvidence, **changes: Any) -> ChipVerdict:
        arguments = {"anchors": anchors, "challenge": CHALLENGE, "at": AT} | changes
        trusted = arguments.pop("anchors")
        # What a hostile terminal sends passes through the file format.
        return verify_evidence(ChipEvidence.from_bytes(evidence.to_bytes()), trusted, **arguments)

    return verify


@pytest.fixture
def with_files(genuine: ChipEvidence) -> Callable[..., ChipEvidence]:
    def change(**files: bytes | None) -> ChipEvidence:
        """Replace files (`DG1=…`) or drop them (`DG1=None`)."""
        changed = {**genuine.files, **{f"EF.{name}": data for name, data in files.items()}}
        return replace(genuine, files={n: d for n, d in changed.items() if d is not None})

    return change
