"""The specimen office, from the one file that describes it."""

import runpy
from pathlib import Path
from typing import Any

import pytest

SPECIMEN = runpy.run_path(str(Path(__file__).parents[2] / "unit/assertions/office.py"))


@pytest.fixture(scope="session")
def office() -> Any:
    """An issuer and its relying party."""
    return SPECIMEN["Office"]()


@pytest.fixture(scope="session")
def other_office() -> Any:
    """Another issuer, whom nobody pinned."""
    return SPECIMEN["Office"]()


@pytest.fixture(scope="session")
def office_type() -> Any:
    """What an office is made of."""
    return SPECIMEN["Office"]
