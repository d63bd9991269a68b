"""Accuracy on the two LFW folds, of our comparisons and of the peers, on the same pictures.

Accuracy is judged at the threshold that is best on the other fold; the equal error rate needs no
threshold. Our score is the log-likelihood ratio that decides; its weights and centres come from
fold 1, and `chinhchu evaluate faces` tells the held-out rates apart. A picture in which
an implementation finds no face, or refuses it, is counted (a failure to acquire); its pairs are
judged non-matches in the accuracy and give the equal error rate no score, as in ISO/IEC 19795-1.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track

from benchmarks.peers.errors import PeerFailedError, PeerUnavailableError
from benchmarks.peers.face import PEERS, FacePeer
from benchmarks.result import Figures, Metric, Skipped
from biometrics.comparison import Comparator
from biometrics.detection import FaceError
from biometrics.evaluation.error_rates import cross_validate, det_curve, equal_error_rate
from biometrics.evaluation.pairs import PairList, load_pairs
from biometrics.evaluation.under_test import ComparisonUnderTest, open_comparison
from biometrics.image import ImageError, decode_image
from biometrics.manifest import Manifest, load_manifest
from biometrics.types import FaceTemplate, FloatArray
from biometrics.weights import ModelMissingError

DATA = "CHINHCHU_TEST_DATA"
COMPARISONS = ("default", "fused")
QUICK_PAIRS = 4
"""Pairs of each fold and kind in a quick run."""

Vectors = tuple[FloatArray, ...]
"""What one implementation made of one picture: a vector a model."""
Encode = Callable[[Path], Vectors | None]
Similarity = Callable[[Vectors, Vectors], float]


def measure(quick: bool) -> Figures:
    """Encode each picture once by each implementation, and compare the pairs."""
    names = (*COMPARISONS, *PEERS)
    folder = os.environ.get(DATA)
    file = Path(folder) / "faces" / "lfw_pairs.csv" if folder else None
    if file is None or not file.is_file():
        lack = Skipped(f"needs faces/lfw_pairs.csv and its pictures in the folder {DATA}")
        return {f"face.{what}.{name}": lack for what in ("accuracy", "eer") for name in names}
    pairs = load_pairs(file)
    rows = _rows(pairs, quick)
    figures: Figures = {}
    with ExitStack() as processes:
        encoders = _encoders(load_manifest(), processes, figures)
        wanted = np.unique(np.concatenate([pairs.reference[rows], pairs.probe[rows]])).tolist()
        made: dict[str, dict[int, Vectors | None]] = {name: {} for name in encoders}
        console = Console(stderr=True)
        for index in track(
            wanted, "encoding pictures", console=console, disable=not console.is_terminal
        ):
            for name, (encode, _) in encoders.items():
                made[name][index] = encode(pairs.paths[index])
    for name, (_, similarity) in encoders.items():
        figures |= _figures(name, pairs, rows, made[name], similarity)
    return figures


def _rows(pairs: PairList, quick: bool) -> npt.NDArray[np.int64]:
    if not quick:
        return np.arange(len(pairs))
    chosen = [
        np.flatnonzero((pairs.fold == fold) & (pairs.mated == mated))[:QUICK_PAIRS]
        for fold in range(len(pairs.folds))
        for mated in (True, False)
    ]
    return np.concatenate(chosen)


def _encoders(
    manifest: Manifest, processes: ExitStack, figures: Figures
) -> Mapping[str, tuple[Encode, Similarity]]:
    """Return what can encode here; what cannot is skipped in `figures` with its reason."""
    found: dict[str, tuple[Encode, Similarity]] = {}
    for name in COMPARISONS:
        try:
            comparison = open_comparison(manifest, name)
            comparator = Comparator(manifest, manifest.comparison(name))
            models = [model for model, _ in comparison.models]
            found[name] = _ours(comparison), partial(_score, comparator, models)
        except ModelMissingError as error:
            _skip(figures, name, error)
    for name in PEERS:
        try:
            peer = processes.enter_context(FacePeer(name))
        except (PeerUnavailableError, PeerFailedError) as error:
            _skip(figures, name, error)
        else:
            found[name] = _theirs(peer), partial(_peer_similarity, peer)
    return found


def _skip(figures: Figures, name: str, error: Exception) -> None:
    figures[f"face.accuracy.{name}"] = figures[f"face.eer.{name}"] = Skipped(str(error))


def _ours(comparison: ComparisonUnderTest) -> Encode:
    def encode(path: Path) -> Vectors | None:
        try:
            return tuple(comparison.encode(decode_image(path.read_bytes())).values())
        except (FaceError, ImageError):
            return None

    return encode


def _theirs(peer: FacePeer) -> Encode:
    def encode(path: Path) -> Vectors | None:
        vector = peer.encode(path).vector
        return None if vector is None else (vector,)

    return encode


def _peer_similarity(peer: FacePeer, first: Vectors, second: Vectors) -> float:
    return peer.similarity(first[0], second[0])


def _score(comparator: Comparator, models: Sequence[str], first: Vectors, second: Vectors) -> float:
    reference, probe = (
        FaceTemplate(dict(zip(models, vectors, strict=True))) for vectors in (first, second)
    )
    return comparator.compare(reference, [probe]).score


def _figures(
    name: str,
    pairs: PairList,
    rows: npt.NDArray[np.int64],
    made: Mapping[int, Vectors | None],
    similarity: Similarity,
) -> Figures:
    scores = np.full(len(rows), -np.inf)
    for place, row in enumerate(rows.tolist()):
        first, second = made[int(pairs.reference[row])], made[int(pairs.probe[row])]
        if first is not None and second is not None:
            scores[place] = similarity(first, second)
    mated = pairs.mated[rows]
    judged = cross_validate(scores, mated, pairs.fold[rows], pairs.folds)
    compared = np.isfinite(scores)
    eer, _ = equal_error_rate(det_curve(scores[compared & mated], scores[compared & ~mated]))
    refused = sum(vectors is None for vectors in made.values())
    return {
        f"face.accuracy.{name}": Metric(100 * judged.mean, "%", len(rows)),
        f"face.eer.{name}": Metric(100 * eer, "%", int(compared.sum())),
        f"face.refused.{name}": Metric(refused, "pictures", len(made)),
    }
