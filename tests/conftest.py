"""Fixtures that all tests share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Return the folder of the shared test data, or skip where it is absent."""
    folder = Path(os.environ.get("CHINHCHU_TEST_DATA", ROOT / "../shared/data")).resolve()
    if not folder.is_dir():
        pytest.skip("test data absent: set CHINHCHU_TEST_DATA to its folder")
    return folder
