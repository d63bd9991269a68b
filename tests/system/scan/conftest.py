"""The real models, fetched by digest, and photographs of invented cards."""

import pytest

from api.cli.card_photos import DETECTION, RECOGNITION, open_scanner
from biometrics.manifest import load_manifest
from biometrics.weights import fetch
from devices.mrz_scan import MrzScanner
from tests.fixtures.card_photos import OCR_B


@pytest.fixture(scope="session")
def scanner() -> MrzScanner:
    fetch(load_manifest(), [DETECTION, RECOGNITION])
    return open_scanner()


@pytest.fixture(scope="session")
def ocr_b() -> None:
    """Skip where the font is missing that MRZs are printed in."""
    if not OCR_B.is_file():
        pytest.skip("the font OCR-B is missing: install Debian's fonts-ocr-b")
