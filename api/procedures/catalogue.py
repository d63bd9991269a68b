"""Load the catalogue of procedures and look one up by its code."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.errors import ApiError

CATALOGUE = Path(__file__).parent / "catalogue"

LEVELS = ("basic", "substantial", "high")
ATTENDANCE_MODES = ("unattended", "attended_local", "attended_remote", "attended_offline")
CLAIMS = ("name", "id_number", "birthdate", "sex", "nationality", "residence", "age_over_18")
MAX_AGE_YEARS = 120
READABLE_DATA_GROUPS = (1, 2, 11, 12, 13, 14, 15)


class ProcedureUnknownError(ApiError):
    """No procedure has this code."""

    code = "procedure-unknown"


class CatalogueInvalidError(ApiError):
    """A file of the catalogue does not say what it must."""

    code = "catalogue-invalid"


@dataclass(frozen=True)
class Procedure:
    """One public procedure and what an assertion for it needs."""

    code: str
    """Base code of the national portal, such as ``2.000884``."""
    version: str
    name: Mapping[str, str]
    """By language: ``vi``, ``en``."""
    minimum_level: str
    """Lowest assurance level that it accepts: basic, substantial or high."""
    party_roles: tuple[str, ...]
    attendance: tuple[str, ...]
    """Modes in which it may be done at all."""
    claims: tuple[str, ...]
    """What the assertion may disclose of the person; nothing else is put into it."""
    data_groups: tuple[int, ...]
    """What is read from the chip; DG13 holds sensitive data and is read only where it is needed."""
    minimum_age_years: int | None
    """Who is younger on the day is refused; None where the procedure is for any age."""
    digest: str
    """SHA-256 of the file, lower-case hex: the policy digest of the assertion."""


class Catalogue:
    """All procedures, by code."""

    def __init__(self, procedures: Mapping[str, Procedure]) -> None:
        self._procedures = dict(procedures)

    @classmethod
    def load(cls, folder: Path = CATALOGUE) -> "Catalogue":
        """Read every TOML file of a folder.

        Raises:
            CatalogueInvalidError: a file is malformed, or two files claim one code.
        """
        procedures: dict[str, Procedure] = {}
        for path in sorted(folder.glob("*.toml")):
            procedure = _parse(path)
            if procedure.code in procedures:
                raise CatalogueInvalidError(f"{path.name}: code {procedure.code} is taken")
            procedures[procedure.code] = procedure
        return cls(procedures)

    def get(self, code: str) -> Procedure:
        """Return the procedure of a base code or of a portal's code with the agency appended.

        A portal writes ``2.000884.000.00.00.H55`` for ``2.000884`` of one agency.

        Raises:
            ProcedureUnknownError: no procedure has this code.
        """
        base = ".".join(code.split(".")[:2])
        try:
            return self._procedures[base]
        except KeyError:
            raise ProcedureUnknownError("no procedure of the catalogue has this code") from None

    def all(self) -> tuple[Procedure, ...]:
        """Return every procedure, by code."""
        return tuple(self._procedures[code] for code in sorted(self._procedures))


def _parse(path: Path) -> Procedure:
    data = path.read_bytes()
    try:
        table = tomllib.loads(data.decode())
        procedure = Procedure(
            code=str(table["code"]),
            version=str(table["version"]),
            name={str(k): str(v) for k, v in table["name"].items()},
            minimum_level=str(table["minimum_level"]),
            party_roles=_array(table, "party_roles"),
            attendance=_array(table, "attendance"),
            claims=_array(table, "claims"),
            data_groups=_array(table, "data_groups"),
            minimum_age_years=table.get("minimum_age_years"),
            digest=hashlib.sha256(data).hexdigest(),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise CatalogueInvalidError(f"{path.name}: {error!r}") from None
    if not all(isinstance(role, str) and role for role in procedure.party_roles):
        raise CatalogueInvalidError(f"{path.name}: party_roles are texts")
    allowed = (
        ("minimum_level", (procedure.minimum_level,), LEVELS),
        ("attendance", procedure.attendance, ATTENDANCE_MODES),
        ("claims", procedure.claims, CLAIMS),
        ("data_groups", procedure.data_groups, READABLE_DATA_GROUPS),
    )
    for key, values, choices in allowed:
        wrong = [value for value in values if value not in choices]
        if wrong or not values:
            raise CatalogueInvalidError(f"{path.name}: {key} must be among {choices}")
    age = procedure.minimum_age_years
    if age is not None and (type(age) is not int or not 0 < age <= MAX_AGE_YEARS):
        raise CatalogueInvalidError(f"{path.name}: minimum_age_years must be 1–{MAX_AGE_YEARS}")
    if not procedure.party_roles or not {1, 2}.issubset(procedure.data_groups):
        raise CatalogueInvalidError(f"{path.name}: needs a party role, and data groups 1 and 2")
    return procedure


def _array(table: Mapping[str, Any], name: str) -> tuple[Any, ...]:
    value = table[name]
    if not isinstance(value, list):
        raise TypeError(f"{name} is no array")
    return tuple(value)
