"""What a card is personalised from: a TOML file, validated.

Source: the data of the citizen card's chip (fields of DG13), ICAO Doc 9303-10 and -11.
"""

import re
import tomllib
from dataclasses import field, replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    Strict,
    StrictBool,
    TypeAdapter,
    ValidationError,
)
from pydantic.dataclasses import dataclass

from devices.simulator.agreement_keys import ParametersForm
from devices.simulator.dg2 import RecordFormat
from devices.simulator.document import Document
from devices.simulator.errors import ProfileInvalidError
from devices.simulator.faults import Fault
from devices.simulator.keys import Digest, KeyType, RsaPadding
from devices.simulator.limits import Limits
from devices.simulator.link import LinkModel
from devices.simulator.person import Person, matching
from devices.simulator.portrait import PictureFormat
from devices.simulator.protocols import ChipAuthenticationKey, PaceOffer
from devices.simulator.quirks import VIETNAMESE_QUIRKS, Quirk
from devices.simulator.static_keys import plan_static_keys

SPECIMEN = Path(__file__).with_name("specimen.toml")
"""A shipped profile of an invented person."""

_CLOSED = ConfigDict(extra="forbid", hide_input_in_errors=True)
_MAX_PROFILE_BYTES = 1 << 16
_MAX_FAULTS = 1000

_Value = TypeVar("_Value")


SizedFile = Literal["EF.DG2", "EF.DG3", "EF.DG7", "EF.SOD"]
FileBytes = Annotated[int, Strict(), Field(ge=1, le=1 << 20)]


def _distinct(values: tuple[_Value, ...]) -> tuple[_Value, ...]:
    if len(set(values)) != len(values):
        raise ValueError("must not name anything twice")
    return values


@dataclass(frozen=True, config=_CLOSED)
class Chip(Limits):
    """What the chip speaks, and its limits."""

    can: Annotated[str, matching(r"(\d{6})?", "6 digits or empty")] = field(default="", repr=False)
    """Card access number; empty for the last six digits of the personal number."""
    access: Annotated[
        tuple[Literal["pace", "bac"], ...],
        Field(min_length=1),
        AfterValidator(_distinct),
    ] = ("pace", "bac")
    """Protocols that open the chip."""
    pace: Annotated[tuple[PaceOffer, ...], Field(min_length=1, max_length=16)] = (PaceOffer(),)
    """What PACE can be run with; EF.CardAccess lists it."""
    active_authentication: KeyType | Literal["none"] = "rsa-2048"
    active_authentication_digest: Digest = "sha256"
    chip_authentication: StrictBool = True
    chip_authentication_keys: Annotated[
        tuple[ChipAuthenticationKey, ...], Field(min_length=1, max_length=8)
    ] = (ChipAuthenticationKey(),)
    chip_authentication_parameters: ParametersForm = "explicit"
    """How DG14 writes the domain parameters of the keys."""
    quirks: Annotated[tuple[Quirk, ...], AfterValidator(_distinct)] = VIETNAMESE_QUIRKS

    def __post_init__(self) -> None:
        self.static_keys()

    def static_keys(self) -> tuple[ChipAuthenticationKey, ...]:
        """Return the static keys of the chip with their identifiers.

        Raises:
            ValueError: see `plan_static_keys`.
        """
        keys = self.chip_authentication_keys if self.chip_authentication else ()
        return plan_static_keys(keys, self.pace if "pace" in self.access else ())


@dataclass(frozen=True, config=_CLOSED)
class Signers:
    """The test PKI."""

    csca: KeyType = "ecdsa-brainpoolP256r1"
    dsc: KeyType = "ecdsa-brainpoolP256r1"
    digest: Digest = "sha256"
    """Of all signatures, and of the data groups in EF.SOD."""
    rsa_padding: RsaPadding = "pkcs1"
    country: Annotated[str, matching(r"[A-Z]{2}", "two capital letters")] = "VN"


@dataclass(frozen=True, config=_CLOSED)
class Files:
    """Which files there are beyond those that the chip's protocols need, and their form."""

    data_groups: Annotated[tuple[Literal[5, 7, 11, 12, 16], ...], AfterValidator(_distinct)] = ()
    """Data groups that the citizen card does not have."""
    master_files: Annotated[tuple[Literal["EF.ATR", "EF.DIR"], ...], AfterValidator(_distinct)] = ()
    """EF.ATR is EF.ATR/INFO."""
    omit: Annotated[tuple[Literal["EF.COM", "EF.DG13"], ...], AfterValidator(_distinct)] = ()
    portrait_format: PictureFormat | None = None
    """None for JPEG 2000, a picture that is one as it is."""
    portrait_record: RecordFormat = "iso19794-5"
    faces: Annotated[int, Strict(), Field(ge=1, le=4)] = 1
    """How often DG2 holds the face."""


@dataclass(frozen=True, config=_CLOSED)
class CardProfile:
    """One card to be."""

    person: Person
    document: Document = field(default_factory=Document)
    chip: Chip = field(default_factory=Chip)
    signers: Signers = field(default_factory=Signers)
    files: Files = field(default_factory=Files)
    file_sizes: dict[SizedFile, FileBytes] = field(default_factory=dict)
    """Exact sizes by name; a filler without meaning makes up the difference."""
    link: LinkModel | None = None
    """How slow card and reader are; None for as fast as they go."""
    faults: Annotated[tuple[Fault, ...], Field(max_length=_MAX_FAULTS)] = ()
    """What goes wrong."""

    def __post_init__(self) -> None:
        if not self.person.number and not self.document.number:
            raise ValueError("person.number or document.number must be given")

    @property
    def can(self) -> str:
        """Return the card access number, empty for a document without one."""
        return self.chip.can or self.person.number[-6:]


def load_profile(path: Path) -> CardProfile:
    """Read a card profile.

    A relative portrait path is taken from the profile's folder.

    Raises:
        ProfileInvalidError: the file is unreadable or a key is missing, unknown or out of range;
            the message names the key and never its value.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_PROFILE_BYTES + 1)
    except OSError as error:
        raise ProfileInvalidError(f"{path}: {error.strerror or 'cannot be read'}") from None
    if len(text) > _MAX_PROFILE_BYTES:
        raise ProfileInvalidError(f"{path} is larger than {_MAX_PROFILE_BYTES >> 10} KiB")
    try:
        table = tomllib.loads(text.decode("utf-8"))
    except UnicodeDecodeError:
        raise ProfileInvalidError(f"{path} is not UTF-8 text") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ProfileInvalidError(f"{path} is not TOML: {_without_quotes(error)}") from None
    profile = parse_profile(table)
    if profile.person.portrait is None:
        return profile
    portrait = str(path.resolve().parent / profile.person.portrait)
    return replace(profile, person=replace(profile.person, portrait=portrait))


def parse_profile(table: dict[str, Any]) -> CardProfile:
    """Validate the table of a profile.

    Raises:
        ProfileInvalidError: see `load_profile`.
    """
    try:
        return _adapter().validate_python(table)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        lines = [_describe(problem["loc"], problem["msg"]) for problem in problems]
        raise ProfileInvalidError("; ".join(dict.fromkeys(lines))) from None


@cache
def _adapter() -> TypeAdapter[CardProfile]:
    return TypeAdapter(CardProfile)


def _describe(location: tuple[int | str, ...], message: str) -> str:
    key = ".".join(str(part) for part in location[:2]) or "profile"
    return f"{key}: {message.removeprefix('Value error, ')}"


def _without_quotes(error: BaseException) -> str:
    """Return where the TOML text is broken, without what stands there."""
    found = re.search(r"\(at [^)]*\)", str(error))
    return found.group() if found else "nested too deep"
