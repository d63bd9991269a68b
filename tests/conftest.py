"""Fixtures that all tests share."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from biometrics.manifest import Manifest

pytest_plugins = ["tests.fixtures.office", "tests.fixtures.rsa_keys"]

ROOT = Path(__file__).resolve().parent.parent

# The same examples in every run, however busy the machine is: a run that fails, fails again. Others
# in every run, to look for what these do not show: `pytest --hypothesis-profile=fresh tests`.
settings.register_profile(
    "suite",
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("fresh", settings.get_profile("suite"), derandomize=False)
settings.load_profile("suite")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Return the folder of the shared test data, or skip where it is absent."""
    folder = Path(os.environ.get("CHINHCHU_TEST_DATA", ROOT / "../shared/data")).resolve()
    if not folder.is_dir():
        pytest.skip("test data absent: set CHINHCHU_TEST_DATA to its folder")
    return folder


@pytest.fixture(scope="session")
def manifest() -> "Manifest":
    """Return the project's manifest with its required models and samples installed."""
    from biometrics.manifest import load_manifest
    from biometrics.weights import fetch

    loaded = load_manifest()
    fetch(loaded)
    return loaded
