"""Encode the pictures of a pair list, each once, and compare them."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from biometrics.detection import FaceError
from biometrics.embedding import recentre
from biometrics.evaluation.degradation import Degradation
from biometrics.evaluation.errors import PairListInvalidError, ScoresInvalidError
from biometrics.evaluation.pairs import MAX_PAIRS, PairList
from biometrics.image import MAX_BYTES, ImageError, decode_image
from biometrics.types import FloatArray, Image

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int32]

Encode = Callable[[Image], Mapping[str, FloatArray]]
"""From a picture to unit vectors by model; `FaceError` or `ImageError`: a failure to acquire."""
Progress = Callable[[int, int], None]
"""Told how many pictures are done, and of how many."""

MIXED: Final = -1
"""Fold or group of a cross pair whose pictures lie in different ones."""
_BLOCK: Final = 1 << 17
"""Pairs compared at once."""


@dataclass(frozen=True, eq=False)
class Templates:
    """What the pictures gave, on one side of the pairs."""

    embeddings: dict[str, FloatArray] = field(repr=False)
    """N x dimensions a model; rows of zeros where `acquired` is false."""
    acquired: BoolArray = field(repr=False)


@dataclass(frozen=True, eq=False)
class EncodedPictures:
    """The templates of a pair list's pictures; both sides are one object if nothing is degraded."""

    reference: Templates
    probe: Templates
    attempts: int
    """Encodings tried: a picture that is both degraded and left as it is counts twice."""
    failures: Mapping[str, int]
    """Failures to acquire by reason code."""
    digests: tuple[bytes, ...] = field(repr=False)
    """SHA-256 of each picture file."""


@dataclass(frozen=True, eq=False)
class PairCosines:
    """Similarities of pairs, one row a pair."""

    cosines: FloatArray = field(repr=False)
    """N x k, a column a model; not a number where a picture gave no template."""
    acquired: BoolArray = field(repr=False)
    """Whether both pictures gave a template."""
    mated: BoolArray = field(repr=False)
    reference: IntArray = field(repr=False)
    probe: IntArray = field(repr=False)
    fold: IntArray = field(repr=False)
    group: IntArray = field(repr=False)


def check_size(pairs: PairList, *, all_pairs: bool) -> None:
    """Refuse cross pairs that would be too many, or whose people the list does not tell apart.

    Raises:
        PairListInvalidError: either.
    """
    if not all_pairs:
        return
    if not pairs.people_are_known:
        raise PairListInvalidError(
            f"{pairs.file} does not say who is who, so its pictures cannot all be compared with "
            "one another: add the columns reference_person and probe_person"
        )
    count = len(pairs.paths) * (len(pairs.paths) - 1) // 2
    if count > MAX_PAIRS:
        raise PairListInvalidError(
            f"the pictures of {pairs.file} make {count} cross pairs, more than {MAX_PAIRS}: "
            "choose fewer folds"
        )


def encode_pictures(
    pairs: PairList,
    encode: Encode,
    *,
    degradation: Degradation | None = None,
    all_pairs: bool = False,
    threads: int = 1,
    progress: Progress = lambda done, total: None,
) -> EncodedPictures:
    """Read, hash, decode and encode every picture once (twice where it is also degraded).

    Args:
        pairs: the list.
        encode: the path from picture to embeddings.
        degradation: what is done to one side of the pairs.
        all_pairs: whether every picture will be on both sides.
        threads: workers; the result does not depend on them.
        progress: called after each picture.

    Raises:
        PairListInvalidError: a picture can no longer be read.
        ScoresInvalidError: through later calls, where no picture gave a template.
    """
    sides = _sides(pairs, degradation, all_pairs=all_pairs)
    stores = {side: _Store(len(pairs.paths)) for side in sides}
    failures: Counter[str] = Counter()
    digests = []
    attempts = 0

    def work(index: int) -> tuple[bytes, dict[str, Mapping[str, FloatArray] | str]]:
        wanted = [side for side, needed in sides.items() if needed[index]]
        changes = {
            side: degradation if degradation and degradation.side == side else None
            for side in wanted
        }
        return _encode_file(pairs.paths[index], encode, changes)

    for index, (digest, results) in enumerate(_in_order(work, len(pairs.paths), threads)):
        digests.append(digest)
        for side, result in results.items():
            attempts += 1
            if isinstance(result, str):
                failures[result] += 1
            else:
                stores[side].put(index, result)
        progress(index + 1, len(pairs.paths))
    templates = {side: store.templates() for side, store in stores.items()}
    return EncodedPictures(
        reference=templates["reference"],
        probe=templates.get("probe", templates["reference"]),
        attempts=attempts,
        failures=dict(sorted(failures.items())),
        digests=tuple(digests),
    )


def find_centres(encoded: EncodedPictures, models: Sequence[str]) -> dict[str, FloatArray]:
    """Return each model's mean unit vector, to three decimals, of the pictures as references.

    Raises:
        ScoresInvalidError: no picture gave a template.
    """
    found = encoded.reference.acquired
    if not found.any():
        raise ScoresInvalidError("no picture gave a template")
    centres = {name: encoded.reference.embeddings[name][found].mean(axis=0) for name in models}
    return {name: np.round(centre, 3) for name, centre in centres.items()}


def compare_listed(
    pairs: PairList, encoded: EncodedPictures, centres: Mapping[str, FloatArray]
) -> PairCosines:
    """Compare the pairs of the list, each model's vectors as seen from its centre."""
    return _compare(
        encoded, centres, pairs.reference, pairs.probe, pairs.mated, pairs.fold, pairs.group
    )


def compare_all(
    pairs: PairList, encoded: EncodedPictures, centres: Mapping[str, FloatArray]
) -> PairCosines:
    """Compare every picture with every other, once: the one named earlier is the reference."""
    count = len(pairs.paths)
    first, second = (side.astype(np.int32) for side in np.triu_indices(count, k=1))
    fold_of = _only(pairs, pairs.fold, count)
    group_of = _only(pairs, pairs.group, count)
    fold, group = (
        np.where(of[first] == of[second], of[first], MIXED).astype(np.int32)
        for of in (fold_of, group_of)
    )
    mated = pairs.people[first] == pairs.people[second]
    return _compare(encoded, centres, first, second, mated, fold, group)


def pictures_sha256(digests: Sequence[bytes]) -> str:
    """Return one digest of many files' digests, whatever their order."""
    return hashlib.sha256(b"".join(sorted(digests))).hexdigest()


def fold_sha256(pairs: PairList, encoded: EncodedPictures, fold: str) -> str:
    """Return one digest of the pictures that a fold's pairs name."""
    named = np.flatnonzero(pairs.pictures_of_folds([fold])).tolist()
    return pictures_sha256([encoded.digests[index] for index in named])


def _sides(
    pairs: PairList, degradation: Degradation | None, *, all_pairs: bool
) -> dict[str, BoolArray]:
    """Return, a side of the pairs, which pictures must be encoded for it."""
    every = np.ones(len(pairs.paths), dtype=bool)
    if degradation is None:
        return {"reference": every}
    if all_pairs:
        return {"reference": every, "probe": every}
    sides = {}
    for side, named in (("reference", pairs.reference), ("probe", pairs.probe)):
        sides[side] = np.zeros(len(pairs.paths), dtype=bool)
        sides[side][named] = True
    return sides


def _encode_file(
    path: Path, encode: Encode, changes: Mapping[str, Degradation | None]
) -> tuple[bytes, dict[str, Mapping[str, FloatArray] | str]]:
    """Return the file's digest, and a side's embeddings or why there are none."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise PairListInvalidError(f"a picture can no longer be read: {error.strerror}") from None
    results: dict[str, Mapping[str, FloatArray] | str] = {}
    for side, degradation in changes.items():
        try:
            image = decode_image(data)
            results[side] = encode(degradation.apply(image) if degradation else image)
        except (FaceError, ImageError) as error:
            results[side] = error.code
    return hashlib.sha256(data).digest(), results


def _in_order(
    work: Callable[[int], tuple[bytes, dict[str, Mapping[str, FloatArray] | str]]],
    count: int,
    threads: int,
) -> Iterator[tuple[bytes, dict[str, Mapping[str, FloatArray] | str]]]:
    """Yield the results in order, with few more under way than there are workers."""
    with ThreadPoolExecutor(threads) as workers:
        waiting = iter(range(count))
        futures = [workers.submit(work, index) for index in islice(waiting, 2 * threads)]
        try:
            while futures:
                yield futures.pop(0).result()
                futures += [workers.submit(work, index) for index in islice(waiting, 1)]
        finally:
            workers.shutdown(cancel_futures=True)


class _Store:
    """Rows of embeddings, allocated when the first template says how long they are."""

    def __init__(self, count: int) -> None:
        self._acquired = np.zeros(count, dtype=bool)
        self._embeddings: dict[str, FloatArray] = {}

    def put(self, index: int, template: Mapping[str, FloatArray]) -> None:
        for name, vector in template.items():
            if name not in self._embeddings:
                shape = (len(self._acquired), len(vector))
                self._embeddings[name] = np.zeros(shape, dtype=np.float32)
            self._embeddings[name][index] = vector
        self._acquired[index] = True

    def templates(self) -> Templates:
        return Templates(self._embeddings, self._acquired)


def _compare(
    encoded: EncodedPictures,
    centres: Mapping[str, FloatArray],
    reference: IntArray,
    probe: IntArray,
    mated: BoolArray,
    fold: IntArray,
    group: IntArray,
) -> PairCosines:
    acquired = encoded.reference.acquired[reference] & encoded.probe.acquired[probe]
    cosines = np.full((len(mated), len(centres)), np.nan, dtype=np.float32)
    if acquired.any():
        for column, (model, centre) in enumerate(centres.items()):
            ours = _recentred(encoded.reference, model, centre)
            theirs = _recentred(encoded.probe, model, centre)
            for start in range(0, len(mated), _BLOCK):
                rows = slice(start, start + _BLOCK)
                cosines[rows, column] = np.einsum(
                    "ij,ij->i", ours[reference[rows]], theirs[probe[rows]]
                )
        cosines[~acquired] = np.nan
    return PairCosines(cosines, acquired, mated, reference, probe, fold, group)


def _recentred(templates: Templates, model: str, centre: FloatArray) -> FloatArray:
    """Return a model's vectors as seen from `centre`; rows of zeros stay where there is none."""
    vectors = templates.embeddings[model].copy()
    vectors[templates.acquired] = recentre(vectors[templates.acquired], centre)
    return vectors


def _only(pairs: PairList, value: IntArray, count: int) -> IntArray:
    """Return, a picture, the fold or group of its pairs; `MIXED` where they differ."""
    only = np.full(count, MIXED, dtype=np.int32)
    only[pairs.reference] = value
    only[pairs.probe] = value
    differs = np.zeros(count, dtype=bool)
    for side in (pairs.reference, pairs.probe):
        differs[side[only[side] != value]] = True
    only[differs] = MIXED
    return only
