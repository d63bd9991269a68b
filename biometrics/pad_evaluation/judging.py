"""Judge one presentation: of a folder, or rendered on the spot."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Final

from biometrics.challenge import choose_challenge
from biometrics.detection import FaceDetector, FaceError
from biometrics.image import ImageError, decode_image
from biometrics.landmarks import MeshEstimator
from biometrics.liveness.capture import FrameObserver, Observation
from biometrics.liveness.continuity import judge_continuity
from biometrics.liveness.findings import distinct
from biometrics.liveness.passive import MAX_FRAMES as MAX_PASSIVE_FRAMES
from biometrics.liveness.passive import PassivePad, PassiveWatch
from biometrics.liveness.signal import Signal
from biometrics.manifest import Manifest, load_manifest
from biometrics.onnx import open_model
from biometrics.pad_evaluation.errors import PadDataInvalidError
from biometrics.pad_evaluation.folders import FolderItem, read_notes, read_picture
from biometrics.pad_evaluation.judged import (
    SUSPECTED,
    JudgedCapture,
    JudgedSignal,
    of_verdict,
    signal_record,
    signal_result,
)
from biometrics.pipeline import FacePipeline
from biometrics.rig import Rig, Species
from biometrics.types import CheckResult, Face, FrameSample, Image, Outcome

WITHOUT_LIGHT_EVERY: Final = 4
"""Every fourth rendered capture goes without coloured light, as people may choose."""
OF_LENGTH: Final = frozenset({"challenge-too-short", "challenge-too-long"})


@dataclass(frozen=True)
class RigItem:
    """One presentation to be rendered."""

    species: str
    seed: int
    picture: Path = field(repr=False)
    accomplice: Path = field(repr=False)
    fps: float

    @property
    def key(self) -> tuple[str, str]:
        """Return what no other presentation of a run has."""
        return self.species, str(self.seed)

    @property
    def light(self) -> bool:
        """Return whether the challenge has coloured light."""
        return self.seed % WITHOUT_LIGHT_EVERY != 0


Item = FolderItem | RigItem


class UnitUnderTest:
    """What is evaluated, with the models of this machine; each is loaded when it is needed."""

    def __init__(self, manifest: Manifest | None = None) -> None:
        self._manifest = manifest or load_manifest()

    @cached_property
    def _pipeline(self) -> FacePipeline:
        return FacePipeline(self._manifest)

    @cached_property
    def _detector(self) -> FaceDetector:
        return FaceDetector.open(self._manifest)

    @cached_property
    def _observer(self) -> FrameObserver:
        return FrameObserver(self._detector, MeshEstimator(open_model(self._manifest, "facemesh")))

    @cached_property
    def _pad(self) -> PassivePad:
        return PassivePad.open(self._manifest)

    @cached_property
    def _rig(self) -> Rig:
        return Rig(self._pipeline.detector, self._pipeline.mesh_estimator)

    def judge(self, item: Item, fps: float) -> JudgedCapture:
        """Judge one presentation.

        Args:
            item: the presentation.
            fps: frames a second of a folder that does not tell its frames' times.

        Raises:
            PadDataInvalidError: files cannot be read, or contradict one another.
            ModelMissingError, DigestMismatchError, ModelUnusableError: models must not be used.
            PadPolicyInvalidError: there is no policy to judge by, or it is malformed.
        """
        if isinstance(item, RigItem):
            return self._render(item)
        if not item.is_sequence:
            return self._judge_picture(item)
        return self._judge_sequence(item, fps)

    def _render(self, item: RigItem) -> JudgedCapture:
        rng = random.Random(item.seed)  # noqa: S311 — drawn again by the seed
        challenge = choose_challenge(rng, light=item.light)
        try:
            frames = self._rig.perform(
                read_picture(item.picture),
                challenge,
                species=Species(item.species),
                fps=item.fps,
                seed=item.seed,
                accomplice=read_picture(item.accomplice),
            )
        except (FaceError, ImageError) as error:
            raise PadDataInvalidError(f"a sitter's picture cannot be rendered: {error}") from error
        return of_verdict(
            self._pipeline.active_challenge(challenge, frames),
            species=item.species,
            item=str(item.seed),
            simulated=True,
            without_light=not item.light,
        )

    def _judge_sequence(self, item: FolderItem, fps: float) -> JudgedCapture:
        notes = read_notes(item)
        times = notes.times_ms or [index * 1000 / fps for index in range(len(item.paths))]
        frames = [
            FrameSample(read_picture(path), t_ms)
            for path, t_ms in zip(item.paths, times, strict=True)
        ]
        if notes.challenge is None:
            return self._judge_frames(item, frames, simulated=notes.simulated)
        return of_verdict(
            self._pipeline.active_challenge(notes.challenge, frames),
            species=item.species,
            item=item.item,
            simulated=notes.simulated,
            without_light=notes.challenge.light is None,
        )

    def _judge_picture(self, item: FolderItem) -> JudgedCapture:
        """Judge one picture by the passive models, as `chinhchu face pad` does."""
        simulated = read_notes(item).simulated
        try:
            image, face = self._find(read_picture(item.paths[0]))
        except (FaceError, ImageError) as error:
            return _passive(item, Outcome.INDETERMINATE, (error.code,), (), [], simulated)
        verdict = self._pad.evaluate([(image, face)])
        signals = tuple(
            JudgedSignal(
                method=method.id,
                version=method.version,
                result=signal_result(verdict.result),
                reasons=verdict.reasons,
                score=verdict.scores[method.id],
            )
            for method in verdict.methods[:1]
        )
        raw = [self._pad.raw_scores(image, face)]
        return _passive(item, verdict.outcome, verdict.reasons, signals, raw, simulated)

    def _judge_frames(
        self, item: FolderItem, frames: Sequence[FrameSample], *, simulated: bool
    ) -> JudgedCapture:
        """Judge frames that answer no challenge: by passive models and continuity.

        What continuity finds unclear is told and does not decide: such frames were not taken for
        this, and may be few a second.
        """
        watch, observer = PassiveWatch(self._pad), self._observer.open()
        step = max(1, -(-len(frames) // MAX_PASSIVE_FRAMES))
        observations, raw, faults = [], [], []
        for index, frame in enumerate(frames):
            observation = observer.observe(frame)
            observations.append(observation)
            if observation.sighting is None:
                faults.append(observation.fault or "face-not-found")
            elif index % step == 0 and observer.image is not None:
                watch.see(observer.image, observation.sighting.face)
                raw.append(self._pad.raw_scores(observer.image, observation.sighting.face))
        passive, continuity = watch.judge(), _continuity(observations)
        reasons = [finding.reason for finding in passive.findings] or (faults if not raw else [])
        outcome = Outcome.PASSED if passive.performed else Outcome.INDETERMINATE
        if passive.performed and not passive.is_conclusive:
            outcome, reasons = Outcome.FAILED, [SUSPECTED, *reasons]
        if continuity.result is CheckResult.FAILED:
            outcome = Outcome.FAILED
            reasons += [f.reason for f in continuity.findings if f.outcome is Outcome.FAILED]
        signals = (signal_record(passive), signal_record(continuity))
        return _passive(item, outcome, distinct(reasons), signals, raw, simulated, len(frames))

    def _find(self, picture: bytes) -> tuple[Image, Face]:
        image = decode_image(picture)
        return image, self._detector.find_one(image)


def _continuity(observations: Sequence[Observation]) -> Signal:
    """Judge continuity where no challenge says how long the capture should be."""
    any_challenge = choose_challenge(random.Random(0), light=False)  # noqa: S311 — any will do
    signal = judge_continuity(observations, any_challenge)
    kept = tuple(finding for finding in signal.findings if finding.reason not in OF_LENGTH)
    return replace(signal, findings=kept)


def _passive(
    item: FolderItem,
    outcome: Outcome,
    reasons: Sequence[str],
    signals: tuple[JudgedSignal, ...],
    raw: Sequence[dict[str, float]],
    simulated: bool,
    frames: int = 1,
) -> JudgedCapture:
    names = raw[0] if raw else {}
    return JudgedCapture(
        species=item.species,
        item=item.item,
        unit="passive",
        simulated=simulated,
        outcome=outcome.value,
        reasons=tuple(reasons),
        signals=signals,
        score=None,
        scores={name: round(median(scores[name] for scores in raw), 6) for name in names},
        frames=frames,
    )
