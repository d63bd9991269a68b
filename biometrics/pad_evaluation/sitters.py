"""Whose pictures the rig renders: people of a pair list, or of a folder."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from biometrics.detection import FaceDetector, FaceError
from biometrics.evaluation.pairs import load_pairs
from biometrics.image import ImageError, decode_image
from biometrics.pad_evaluation.errors import PadDataInvalidError
from biometrics.pad_evaluation.folders import SUFFIXES, read_picture
from biometrics.rig import Rig

MAX_PICTURES: Final = 20_000
FRONTAL_OFFSET: Final = 0.12
"""Nose offset of a picture whose face looks ahead; what a sitter looks like at rest."""

CLOSED_EYES: Final = 0.65
"""Openness, in parts of the open eyes', that a rendered blink must reach to be one."""


@dataclass(frozen=True)
class Sitters:
    """Pictures of different people first, in an order that the seed draws."""

    source: str
    """Name of the list and its folds, or of the folder; nobody's name."""
    paths: tuple[Path, ...] = field(repr=False)
    people: tuple[int, ...] = field(repr=False)
    """Whom each picture shows, as a number."""

    def pair(self, index: int) -> tuple[Path, Path]:
        """Return a sitter's picture, and one of another person as the accomplice."""
        here = index % len(self.paths)
        for step in range(1, len(self.paths)):
            there = (here + step) % len(self.paths)
            if self.people[there] != self.people[here]:
                return self.paths[here], self.paths[there]
        raise PadDataInvalidError("the sitters' pictures show one person only; two are needed")


def find_sitters(source: Path, folds: Sequence[str] | None, seed: int) -> Sitters:
    """Return the people of a pair list (or of some of its folds), or of a folder's pictures.

    In a folder every picture counts as another person.

    Raises:
        PadDataInvalidError: there are none, or too many.
        PairListInvalidError: the list is malformed, or has no such fold.
    """
    if source.is_dir():
        if folds:
            raise PadDataInvalidError("a folder has no folds: name a pair list with --folds")
        paths = tuple(sorted(p for p in source.rglob("*") if p.suffix.lower() in SUFFIXES))
        people = tuple(range(len(paths)))
        name = source.name
    else:
        pairs = load_pairs(source)
        chosen = pairs.select(folds) if folds else pairs
        paths, people = chosen.paths, tuple(int(person) for person in chosen.people)
        name = f"{pairs.file}, folds {', '.join(folds)}" if folds else pairs.file
    if not 0 < len(paths) <= MAX_PICTURES:
        raise PadDataInvalidError(f"the sitters must be 1 to {MAX_PICTURES} pictures")
    order = _different_first(people, random.Random(seed))  # noqa: S311 — drawn again by the seed
    return Sitters(name, tuple(paths[i] for i in order), tuple(people[i] for i in order))


def keep_usable(sitters: Sitters, detector: FaceDetector, rig: Rig, needed: int) -> Sitters:
    """Return the first pictures that show one usable face looking ahead, one more than needed.

    Left out are also those whose eyes the rig cannot close so that the mesh model sees it: they
    would say something about the rig, and nothing about people.

    Raises:
        PadDataInvalidError: fewer than two do.
    """
    kept = []
    for index, path in enumerate(sitters.paths):
        picture = read_picture(path)
        try:
            face = detector.find_upright(decode_image(picture))
            is_ahead = abs(face.points.nose_offset) <= FRONTAL_OFFSET
            if is_ahead and rig.blink_of(picture) <= CLOSED_EYES:
                kept.append(index)
        except (FaceError, ImageError):
            continue
        if len(kept) > needed:
            break
    if len(kept) < 2:
        raise PadDataInvalidError("fewer than two pictures of sitters show one usable face ahead")
    return Sitters(
        sitters.source,
        tuple(sitters.paths[i] for i in kept),
        tuple(sitters.people[i] for i in kept),
    )


def _different_first(people: Sequence[int], rng: random.Random) -> list[int]:
    """Return the pictures' order: one of each person, then a second of each, and so on."""
    shuffled = list(range(len(people)))
    rng.shuffle(shuffled)
    seen: dict[int, int] = {}
    rank = {}
    for index in shuffled:
        rank[index] = seen[people[index]] = seen.get(people[index], -1) + 1
    return sorted(shuffled, key=lambda index: rank[index])  # stable: keeps the drawn order
