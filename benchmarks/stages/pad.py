"""Presentation-attack detection: times of a frame, the verdict and the passive models; error rates.

Times are taken on a rendered capture, on one thread. A frame is looked at as it arrives: structure
check, decoding, detection, mesh, colours; `pad.stream_frame` adds, spread over all frames, the
embeddings and the passive models that are run meanwhile. The verdict is everything that is left to
do after the last frame, the comparison with the portrait included. Error rates are read from
docs/pad/report.json, which `make pad-evaluation` writes; they are of simulated captures.
"""

import json
import random
import statistics
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.face import bound
from benchmarks.face.pictures import chip_portrait
from benchmarks.result import Figures, Metric, Skipped, median_ms
from biometrics.challenge import Challenge, choose_challenge
from biometrics.image import decode_image
from biometrics.liveness.capture import FrameObserver
from biometrics.manifest import Manifest, load_manifest
from biometrics.pipeline import FacePipeline
from biometrics.rig import Rig, Species
from biometrics.types import CheckResult, FrameSample
from biometrics.weights import sample

REPORT: Final = Path(__file__).resolve().parents[2] / "docs" / "pad" / "report.json"
SEED: Final = 1
"""Of the capture; the rig's seeds below 10,000 are for development."""


def measure(quick: bool) -> Figures:
    """Measure a rendered capture, and read the error rates."""
    manifest = load_manifest()
    pipeline = FacePipeline(manifest)
    picture = sample(manifest, "obama3").read_bytes()
    challenge = choose_challenge(random.Random(SEED))  # noqa: S311 — drawn again by the seed
    rig = Rig(pipeline.detector, pipeline.mesh_estimator)
    frames = rig.perform(picture, challenge, seed=SEED)
    figures = _frame(manifest, pipeline, frames, 1 if quick else 15)
    figures |= _verdict(manifest, pipeline, challenge, frames, 1 if quick else 15)
    image = decode_image(picture)
    if pipeline.passive_pad([image]).result is CheckResult.NOT_PERFORMED:
        figures["pad.passive"] = Skipped(pipeline.passive_lack or "the picture cannot be judged")
    else:
        n = 3 if quick else 30
        passive = median_ms(lambda: pipeline.passive_pad([image]), n)
        figures["pad.passive"] = Metric(passive, "ms", n)
    return figures | _error_rates(manifest)


def _frame(
    manifest: Manifest, pipeline: FacePipeline, frames: list[FrameSample], n: int
) -> Figures:
    """Observe the capture, and run its models bare, in turn."""
    observer = FrameObserver(pipeline.detector, pipeline.mesh_estimator)
    runs = bound.runs_of(lambda: observer.observe_all(frames))
    bare = bound.bare(runs, bound.rewritten_sessions(manifest, runs))
    whole_ms, bare_ms = [], []
    for _ in range(n):
        whole_ms.append(median_ms(lambda: observer.observe_all(frames), 1) / len(frames))
        bare_ms.append(median_ms(bare, 1) / len(frames))
    times = statistics.median(whole_ms), statistics.median(bare_ms)
    return {"pad.frame_ms": Metric(times[0], "ms", n * len(frames), bound=times[1])}


def _verdict(
    manifest: Manifest,
    pipeline: FacePipeline,
    challenge: Challenge,
    frames: list[FrameSample],
    n: int,
) -> Figures:
    """Stream the capture, and time what is left to do after its last frame."""
    portrait = chip_portrait(manifest)
    stream_ms, verdict_ms = [], []
    for _ in range(n + 1):
        analysis = pipeline.begin_capture(portrait, challenge)
        start = time.perf_counter()
        for frame in frames:
            analysis.add(frame)
        streamed = time.perf_counter()
        analysis.conclude(frames)
        stream_ms.append((streamed - start) * 1000 / len(frames))
        verdict_ms.append((time.perf_counter() - streamed) * 1000)
    return {
        "pad.stream_frame": Metric(statistics.median(stream_ms[1:]), "ms", n * len(frames)),
        "pad.verdict_ms": Metric(statistics.median(verdict_ms[1:]), "ms", n),
    }


def _error_rates(manifest: Manifest) -> Figures:
    names = ("pad.apcer_worst", "pad.bpcer")
    try:
        report: dict[str, Any] = json.loads(REPORT.read_bytes())
    except OSError:
        return {name: Skipped("there is no docs/pad/report.json") for name in names}
    policy = manifest.pad_policy
    if policy is None or report["provenance"]["policy_sha256"] != policy.sha256:
        lack = "docs/pad/report.json is of another PAD policy: run make pad-evaluation"
        return {name: Skipped(lack) for name in names}
    found = report["units"]["liveness"]
    worst, honest = found["species"][0], found["bona_fide"]
    unmasked = next(s for s in found["species"] if s["species"] != Species.RIGID_MASK)
    return {
        "pad.apcer_worst": _percent(worst, "apcer"),
        "pad.apcer_worst.without_masks": _percent(unmasked, "apcer"),
        "pad.bpcer": _percent(honest, "bpcer"),
        "pad.bpnrr": _percent(honest, "bpnrr"),
        "pad.not_accepted": _percent(honest, "not_accepted"),
    }


def _percent(found: dict[str, Any], rate: str) -> Metric:
    return Metric(100 * found[rate]["value"], "%", found["n"])
