"""What a face picture must meet: models/quality.toml, checked and frozen.

Every limit says what it was chosen on; every reason says, in English and Vietnamese, what to do.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, FiniteFloat, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from biometrics.errors import BiometricsError
from biometrics.manifest import manifest_path

MAX_BYTES = 1 << 18
SIGNS = ("eyes-closed", "dark-glasses", "mouth-covered", "face-covered")

Text = Annotated[str, Field(min_length=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")]
_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)


class RequirementsInvalidError(BiometricsError):
    """The file of quality requirements is missing or malformed."""

    code: ClassVar[str] = "quality-requirements-invalid"


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Sign:
    """A weighted sum of appearance numbers: natural log-odds that something is there."""

    offset: FiniteFloat
    weights: Annotated[Mapping[Name, FiniteFloat], Field(min_length=1)]
    """By the names of `biometrics.quality.appearance.describe_appearance`."""
    meaning: Text
    data: Text

    def sum_up(self, appearance: Mapping[str, float]) -> float:
        """Return the log-odds.

        Raises:
            RequirementsInvalidError: it weighs a number that is not measured.
        """
        try:
            return self.offset + sum(w * appearance[name] for name, w in self.weights.items())
        except KeyError as error:
            raise RequirementsInvalidError(
                f"a sign weighs {error}, which is not measured"
            ) from None


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Requirement:
    """One limit, and what to tell the person who misses it."""

    reason: Annotated[str, Field(pattern=r"^quality-[a-z-]+$")]
    """Permanent code."""
    measure: Name
    """A native measure of `FaceQuality`."""
    refused: Literal["below", "above", "beyond"]
    """Which values are refused; `beyond`: those whose absolute value is above the limit."""
    probe: FiniteFloat
    """Limit for the live face."""
    reference: FiniteFloat | None = None
    """Limit for the chip's portrait, which nobody can take again; None: not asked of it."""
    spoils: bool = False
    """Where it is missed, nothing can be told about what covers the face."""
    clear_view: bool = False
    """Judged only where nothing that spoils the view was found."""
    hidden_by: str = ""
    """A reason that says enough: where it is told, this one is not."""
    unit: Text
    en: Text
    """What to do, in English."""
    vi: Text
    """The same in Vietnamese."""
    data: Text
    """What the limit was chosen on."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class QualityRequirements:
    """All signs and limits, and the digest of the file."""

    schema: Literal[1]
    signs: Mapping[str, Sign]
    requirements: Annotated[tuple[Requirement, ...], Field(min_length=1)]
    """In the order in which people are told."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


def requirements_path() -> Path:
    """Return where quality.toml lies: beside the manifest."""
    return manifest_path().with_name("quality.toml")


def load_requirements(path: Path | None = None) -> QualityRequirements:
    """Read and check the requirements.

    Args:
        path: another file than the project's own.

    Raises:
        RequirementsInvalidError: it is missing, not TOML, or not as it should be.
    """
    path = path or requirements_path()
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise RequirementsInvalidError(f"cannot read {path}: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise RequirementsInvalidError(f"{path} is larger than {MAX_BYTES >> 10} KiB")
    return parse_requirements(data)


def parse_requirements(data: bytes) -> QualityRequirements:
    """Parse and check the bytes of quality.toml.

    Raises:
        RequirementsInvalidError: not TOML, or anything in it is not as it should be.
    """
    try:
        tables = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise RequirementsInvalidError(f"the quality requirements are not TOML: {error}") from error
    tables["sha256"] = hashlib.sha256(data).hexdigest()
    try:
        requirements = TypeAdapter(QualityRequirements).validate_python(tables)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RequirementsInvalidError(
            f"the quality requirements are invalid at {place}: {first['msg']}"
        ) from error
    if set(requirements.signs) != set(SIGNS):
        raise RequirementsInvalidError(
            f"the quality requirements need the signs {', '.join(SIGNS)}"
        )
    return requirements
