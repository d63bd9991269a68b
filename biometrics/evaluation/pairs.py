"""Read pair lists: which pictures are compared, and whether they show one person.

A list is CSV in UTF-8 with the columns `mated` (1 or 0), `reference` and `probe` (pictures, below
the list's folder), and optionally `fold`, `group`, `reference_person` and `probe_person`. Pictures
may lie in the list's folder or all in one sub-folder of it.
"""

import csv
import hashlib
import io
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from biometrics.evaluation.errors import PairListInvalidError
from biometrics.evaluation.people import identify
from biometrics.evaluation.picture_files import find_pictures

MAX_LIST_BYTES: Final = 1 << 30
MAX_PAIRS: Final = 10_000_000
MAX_PICTURES: Final = 100_000
MAX_NAMES: Final = 1000
"""Most folds, and most groups."""
MAX_PATH_CHARACTERS: Final = 1024
MAX_NAME_CHARACTERS: Final = 64
"""Most characters of a fold, a group, a person."""

REQUIRED: Final = ("mated", "reference", "probe")
OPTIONAL: Final = ("fold", "group", "reference_person", "probe_person")

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class PairList:
    """Pairs of pictures. Arrays hold one entry a pair; pictures are indices into `paths`."""

    file: str
    """Name of the list, without its folder."""
    sha256: str
    """Digest of the list."""
    paths: tuple[Path, ...] = field(repr=False)
    """The pictures, in the order in which the list names them."""
    people: IntArray = field(repr=False)
    """Whom each picture shows, as a number. See `people_are_known`."""
    people_are_known: bool
    """False: the list does not tell people apart, and pictures joined by mated pairs count as one
    person each; two of these may be the same."""
    reference: IntArray = field(repr=False)
    probe: IntArray = field(repr=False)
    mated: BoolArray = field(repr=False)
    fold: IntArray = field(repr=False)
    """Index into `folds`."""
    folds: tuple[str, ...]
    """Names of the folds; one, the empty name, where the list has no such column."""
    group: IntArray = field(repr=False)
    """Index into `groups`; -1 where the list has no such column."""
    groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.mated)

    @property
    def people_count(self) -> int:
        """Return how many people the pictures show."""
        return len(np.unique(self.people))

    def pictures_of_folds(self, folds: Sequence[str]) -> BoolArray:
        """Return, a picture, whether a pair of these folds names it."""
        wanted = np.isin(self.fold, [self.folds.index(name) for name in folds])
        named = np.zeros(len(self.paths), dtype=bool)
        named[self.reference[wanted]] = True
        named[self.probe[wanted]] = True
        return named

    def select(self, folds: Sequence[str]) -> "PairList":
        """Return the pairs of some folds, and the pictures that they name.

        Raises:
            PairListInvalidError: the list has no such fold.
        """
        unknown = [name for name in folds if name not in self.folds]
        if unknown or not folds:
            have = ", ".join(name or "(none)" for name in self.folds)
            raise PairListInvalidError(
                f"{self.file} has no fold {', '.join(unknown) or 'of no name'}; it has: {have}"
            )
        chosen = [self.folds.index(name) for name in dict.fromkeys(folds)]
        rows = np.isin(self.fold, chosen)
        named = np.flatnonzero(self.pictures_of_folds(folds))
        place = np.full(len(self.paths), -1, dtype=np.int32)
        place[named] = np.arange(len(named))
        fold_place = np.full(len(self.folds), -1, dtype=np.int32)
        fold_place[chosen] = np.arange(len(chosen))
        return PairList(
            file=self.file,
            sha256=self.sha256,
            paths=tuple(self.paths[index] for index in named),
            people=self.people[named],
            people_are_known=self.people_are_known,
            reference=place[self.reference[rows]],
            probe=place[self.probe[rows]],
            mated=self.mated[rows],
            fold=fold_place[self.fold[rows]],
            folds=tuple(self.folds[index] for index in chosen),
            group=self.group[rows],
            groups=self.groups,
        )


def load_pairs(path: Path, pictures: Path | None = None) -> PairList:
    """Read a pair list and find its pictures.

    Args:
        path: the list.
        pictures: folder of the pictures; the list's own, or one sub-folder of it, if not given.

    Raises:
        PairListInvalidError: the list cannot be read or is malformed (with the line), a picture is
            missing or lies outside the folder, or pairs contradict one another.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_LIST_BYTES + 1)
    except OSError as error:
        raise PairListInvalidError(
            f"cannot read the pair list {path.name}: {error.strerror}"
        ) from error
    if len(data) > MAX_LIST_BYTES:
        raise PairListInvalidError(f"the pair list is larger than {MAX_LIST_BYTES >> 20} MiB")
    table = _Table(path.name)
    try:
        text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="", errors="strict")
        table.read(text)
    except UnicodeDecodeError as error:
        raise PairListInvalidError(f"{path.name} is not text in UTF-8") from error
    except csv.Error as error:
        raise PairListInvalidError(f"{path.name}, line {table.line}: {error}") from error
    return table.to_pairs(
        hashlib.sha256(data).hexdigest(),
        find_pictures(list(table.pictures), list(table.line_of), path, pictures),
    )


class _Table:
    """The rows of a list as they are read: numbers, not text, so that millions fit."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.line = 0
        self.pictures: dict[str, int] = {}
        self.line_of = array("q")
        """Line of the list that names a picture first."""
        self.folds: dict[str, int] = {}
        self.groups: dict[str, int] = {}
        self.person_of: dict[int, str] = {}
        self.rows = {name: array("i") for name in ("reference", "probe", "mated", "fold", "group")}

    def read(self, text: io.TextIOBase) -> None:
        reader = csv.reader(text, strict=True)
        columns = self._columns(reader)
        for fields in reader:
            self.line = reader.line_num
            if len(fields) != len(columns):
                raise self._error(f"{len(fields)} fields, but the header names {len(columns)}")
            self._add(dict(zip(columns, fields, strict=True)))
        if not self.rows["mated"]:
            raise PairListInvalidError(f"{self.file} lists no pair")

    def _columns(self, reader: "Iterator[list[str]]") -> list[str]:
        columns = next(reader, [])
        self.line = 1
        lacking = [name for name in REQUIRED if name not in columns]
        if lacking:
            raise self._error(f"the header lacks {', '.join(lacking)}")
        unknown = [name for name in columns if name not in REQUIRED + OPTIONAL]
        if unknown:
            known = ", ".join(REQUIRED + OPTIONAL)
            raise self._error(f"the header names the unknown column {unknown[0]!r} ({known})")
        if len(set(columns)) != len(columns):
            raise self._error("the header names a column twice")
        if ("reference_person" in columns) != ("probe_person" in columns):
            raise self._error("the header must name reference_person and probe_person, or neither")
        return columns

    def _add(self, row: Mapping[str, str]) -> None:
        for name, value in row.items():
            limit = MAX_PATH_CHARACTERS if name in REQUIRED else MAX_NAME_CHARACTERS
            if not value or len(value) > limit or not value.isprintable():
                raise self._error(f"{name} is empty, too long or not printable")
        if row["mated"] not in ("0", "1"):
            raise self._error("mated must be 1 (same person) or 0 (different people)")
        if row["reference"] == row["probe"]:
            raise self._error("a picture is compared with itself, which tests nothing")
        if len(self.rows["mated"]) >= MAX_PAIRS:
            raise self._error(f"more than {MAX_PAIRS} pairs")
        reference, probe = (self._picture(row[side]) for side in ("reference", "probe"))
        self.rows["reference"].append(reference)
        self.rows["probe"].append(probe)
        self.rows["mated"].append(int(row["mated"]))
        self.rows["fold"].append(self._number(self.folds, row.get("fold", ""), "folds"))
        group = self._number(self.groups, row["group"], "groups") if "group" in row else -1
        self.rows["group"].append(group)
        if "reference_person" in row:
            self._note_people(row, reference, probe)

    def _note_people(self, row: Mapping[str, str], reference: int, probe: int) -> None:
        for picture, person in (
            (reference, row["reference_person"]),
            (probe, row["probe_person"]),
        ):
            if self.person_of.setdefault(picture, person) != person:
                raise self._error("a picture shows another person than on an earlier line")
        if (row["reference_person"] == row["probe_person"]) != (row["mated"] == "1"):
            raise self._error("mated contradicts the two people named")

    def _picture(self, name: str) -> int:
        index = self.pictures.setdefault(name, len(self.pictures))
        if index == len(self.line_of):
            if index >= MAX_PICTURES:
                raise self._error(f"more than {MAX_PICTURES} pictures")
            self.line_of.append(self.line)
        return index

    def _number(self, names: dict[str, int], name: str, what: str) -> int:
        if name not in names and len(names) >= MAX_NAMES:
            raise self._error(f"more than {MAX_NAMES} {what}")
        return names.setdefault(name, len(names))

    def _error(self, reason: str) -> PairListInvalidError:
        return PairListInvalidError(f"{self.file}, line {self.line}: {reason}")

    def to_pairs(self, sha256: str, paths: tuple[Path, ...]) -> PairList:
        rows = {name: np.array(column, dtype=np.int32) for name, column in self.rows.items()}
        mated = rows["mated"].astype(bool)
        named = [self.person_of[index] for index in range(len(paths))] if self.person_of else None
        known, people = identify(
            list(self.pictures), named, rows["reference"], rows["probe"], mated, self.file
        )
        return PairList(
            file=self.file,
            sha256=sha256,
            paths=paths,
            people=people,
            people_are_known=known,
            reference=rows["reference"],
            probe=rows["probe"],
            mated=mated,
            fold=rows["fold"],
            folds=tuple(self.folds),
            group=rows["group"],
            groups=tuple(self.groups),
        )
