"""One comparison, from bytes to decision, against the bare model runs that it makes.

A chip's portrait (JPEG 2000, 480 x 640, about 12 KB) against a webcam's frame (JPEG, 640 x 480), on
one thread. The path, its runs on the graphs as they are installed and the same runs on the graphs
as they are published are taken in turn, round by round, and so are the peers: what else the machine
does meets all of them. Ratios are medians of the rounds' ratios.
"""

import os
import statistics
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

from benchmarks.face import bound
from benchmarks.face.memory import worker_memory
from benchmarks.face.pictures import chip_portrait, webcam_frame
from benchmarks.peers.errors import PeerFailedError, PeerUnavailableError
from benchmarks.peers.face import PEERS, FacePeer
from benchmarks.result import Figures, Metric, Skipped, in_turn, ratio, timed
from biometrics.manifest import Manifest, load_manifest
from biometrics.pipeline import FacePipeline
from biometrics.weights.errors import WeightsError

_BATCH = 8
"""Pairs in the batch that one and two threads work off."""


def measure(quick: bool) -> Figures:
    """Measure a pair, a batch of pairs and a worker's memory."""
    manifest = load_manifest()
    pipeline = FacePipeline(manifest)
    portrait, frame = chip_portrait(manifest), webcam_frame(manifest)

    def pair() -> object:
        return pipeline.compare(pipeline.enrol(portrait), [frame])

    figures = _pair(manifest, pair, (portrait, frame), 3 if quick else 60)
    figures |= _two_threads(pair, 1 if quick else 10)
    figures |= _memory(5 if quick else 100)
    return figures


def _pair(
    manifest: Manifest, pair: Callable[[], object], pictures: tuple[bytes, bytes], rounds: int
) -> Figures:
    runs = bound.runs_of(pair)
    works = {
        "pair": timed(pair),
        "rewritten": timed(bound.bare(runs, bound.rewritten_sessions(manifest, runs))),
    }
    skipped: Figures = {}
    try:
        works["shipped"] = timed(bound.bare(runs, bound.shipped_sessions(manifest, runs)))
    except WeightsError as error:
        skipped["face.pair_ratio"] = Skipped(str(error))
    with ExitStack() as processes:
        for name in PEERS:
            try:
                peer = processes.enter_context(FacePeer(name))
            except (PeerUnavailableError, PeerFailedError) as error:
                skipped[f"face.pair.{name}"] = Skipped(str(error))
            else:
                works[name] = partial(_peer_ms, peer, pictures)
        times = in_turn(works, rounds)
    whole = times["pair"]
    figures: Figures = {
        "face.pair": Metric(
            statistics.median(whole), "ms", rounds, bound=statistics.median(times["rewritten"])
        ),
        "face.model_runs": Metric(len(runs), "runs", 1),
        "face.overhead_ratio": ratio(whole, times["rewritten"]),
    }
    if "shipped" in times:
        figures["face.pair_ratio"] = ratio(whole, times["shipped"])
    for name in PEERS:
        if name in times:
            figures[f"face.pair.{name}"] = Metric(statistics.median(times[name]), "ms", rounds)
    return figures | skipped


def _peer_ms(peer: FacePeer, pictures: tuple[bytes, bytes]) -> float:
    return sum(peer.encode(picture).ms for picture in pictures)


def _two_threads(pair: Callable[[], object], rounds: int) -> Figures:
    """Work off a batch of pairs with one pipeline, on one thread and on two."""
    if (os.cpu_count() or 1) < 2:
        return {"face.two_thread_ratio": Skipped("this machine has one core")}

    def batch(workers: ThreadPoolExecutor) -> Callable[[], object]:
        return lambda: list(workers.map(lambda _: pair(), range(_BATCH)))

    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(2) as two:
        times = in_turn({"one": timed(batch(one)), "two": timed(batch(two))}, rounds)
    return {"face.two_thread_ratio": ratio(times["one"], times["two"])}


def _memory(pairs: int) -> Figures:
    memory = worker_memory(pairs)
    if memory is None:
        return {"face.memory_worker": Skipped("only Linux tells a process's memory")}
    return {
        "face.memory_worker": Metric(memory.worked, "MiB", pairs),
        "face.memory_worker.loaded": Metric(memory.loaded, "MiB", 1),
    }
