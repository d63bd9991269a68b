"""Judge whether a live head followed a challenge.

Turns in the right order, each with the parallax of a head, one person throughout, and frames that
can be one uninterrupted capture. PASSED needs all of it; nothing is passed over.

Known limits: a replayed video of the right turns, or frames injected behind the camera, pass this
geometry. Unpredictable order, the agent's own camera and signed frames stand against those.
"""

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final

from biometrics.liveness.capture import MAX_FRAMES, Observation, Sighting
from biometrics.challenge import Challenge, Turn
from biometrics.comparison import MAX_PROBES
from biometrics.liveness.continuity import check_continuity
from biometrics.liveness.findings import Finding, adverse, decide_outcome, distinct, unclear
from biometrics.embedding import Embedder
from biometrics.manifest import Manifest
from biometrics.liveness.geometry import foreshortening, homography_residual
from biometrics.liveness.motion import REST_FRAMES, Event, Track, check_motion, check_order, trace
from biometrics.types import ChallengeVerdict, Method, Outcome, StepVerdict

METHOD: Final = Method("head-turn-parallax", "1")

JUDGED_FRAMES: Final = 3
"""The furthest frames of a turn, and the frames nearest to the rest, that are judged."""
MAX_SCALE: Final = 1.25
"""The required residual grows with the turn up to here: 0.0235 x 1.25 = 0.029 is the 5th
percentile of the worst set of real heads beyond a turn of 0.25. Source: models/facemesh.md."""
MIN_PLANE_FRAMES: Final = 3
IDENTITY_FRAMES: Final = 12
"""So many frames from all over the capture are compared, besides those that decide something."""


class ActiveChallengeJudge:
    """Applies the manifest's thresholds; the embedding tells whether the person stays the same."""

    def __init__(self, manifest: Manifest, embedder: Embedder) -> None:
        """Read the operating points.

        Raises:
            ManifestInvalidError: one is missing.
        """
        mesh, face = manifest.model("facemesh"), manifest.model("sface")
        self._turn = mesh.threshold("turn")
        self._parallax = mesh.threshold("parallax")
        self._flat = mesh.threshold("flat")
        self._plane_turn = mesh.threshold("plane-turn")
        self._continuity = face.threshold("continuity")
        self._other_person = face.threshold("other-person")
        self._embedder = embedder

    def judge(
        self, challenge: Challenge, observations: Sequence[Observation]
    ) -> tuple[ChallengeVerdict, list[Observation]]:
        """Judge the observations of one capture.

        Returns:
            The verdict, and at most `MAX_PROBES` observations that show the face from the front
            (for the comparison), nearest to the rest first; none if the person never looked ahead.
        """
        usable = [o for o in observations if o.sighting is not None]
        findings = list(check_continuity(observations, len(challenge.turns)))
        track = trace([_sighting(o).face.points.nose_offset for o in usable], self._turn)
        steps: tuple[StepVerdict, ...] = tuple(_unreached(turn) for turn in challenge.turns)
        front: list[Observation] = []
        if usable and len(observations) <= MAX_FRAMES:
            nearest = sorted(track.front_frames, key=lambda i: abs(track.changes[i]))
            front = [usable[i] for i in nearest[:MAX_PROBES]]
            rest = (front or usable)[:JUDGED_FRAMES]
            findings += self._check_plane(usable, rest)
            findings += self._check_identity(usable, rest, front, track)
            order_findings = check_order(challenge.turns, track)
            findings += order_findings
            if not order_findings:
                findings += check_motion(track)
                steps = tuple(
                    self._measure(turn, event, track, usable, rest)
                    for turn, event in zip(challenge.turns, track.turns, strict=True)
                )
                findings += self._check_parallax(steps)
        complete = all(step.reached_ms is not None for step in steps)
        clean = [Outcome.PASSED] if complete else [Outcome.INDETERMINATE]
        verdict = ChallengeVerdict(
            outcome=decide_outcome(clean + [finding.outcome for finding in findings]),
            reasons=distinct(finding.reason for finding in findings),
            challenge_id=challenge.id,
            method=METHOD,
            steps=steps,
            frames=len(observations),
            frames_without_face=len(observations) - len(usable),
        )
        return verdict, front

    def _measure(
        self,
        turn: Turn,
        event: Event,
        track: Track,
        usable: Sequence[Observation],
        rest: Sequence[Observation],
    ) -> StepVerdict:
        furthest = _furthest(event, track)
        offset = median(abs(track.changes[i]) for i in furthest)
        residual = median(
            homography_residual(_sighting(ahead).mesh, _sighting(usable[i]).mesh)
            for i in furthest
            for ahead in rest
        )
        required = self._parallax * min(offset / self._turn, MAX_SCALE)
        return StepVerdict(turn.value, usable[event.frames[0]].t_ms, offset, residual, required)

    def _check_parallax(self, steps: Sequence[StepVerdict]) -> Iterator[Finding]:
        for step in steps:
            if step.residual is None or step.residual_required is None:
                yield unclear("challenge-geometry-uncertain")
            elif step.residual <= self._flat:
                yield adverse("challenge-flat-surface")
            elif not step.residual >= step.residual_required:
                yield unclear("challenge-geometry-uncertain")

    def _check_plane(
        self, usable: Sequence[Observation], rest: Sequence[Observation]
    ) -> Iterator[Finding]:
        """Find frames in which the face was turned as a whole, like a picture on paper."""
        ahead = _sighting(rest[0]).mesh
        turned = (_sighting(o).mesh for o in usable)
        planar = sum(
            foreshortening(ahead, mesh) <= self._plane_turn
            and homography_residual(ahead, mesh) <= self._flat
            for mesh in turned
        )
        if planar >= MIN_PLANE_FRAMES:
            yield adverse("challenge-flat-surface")

    def _check_identity(
        self,
        usable: Sequence[Observation],
        rest: Sequence[Observation],
        front: Sequence[Observation],
        track: Track,
    ) -> Iterator[Finding]:
        """Compare each frame that decides something, and others all over, with each of the rest.

        A mean would hide another person among the frames that it is made of.
        """
        last = len(usable) - 1
        chosen = [usable[round(k * last / IDENTITY_FRAMES)] for k in range(IDENTITY_FRAMES + 1)]
        chosen += [*usable[:REST_FRAMES], *front]
        chosen += [usable[i] for event in track.turns for i in _furthest(event, track)]
        embeddings = {o.index: self._embedder.embed(_sighting(o).aligned) for o in (*rest, *chosen)}
        for index in sorted(embeddings):
            similarity = min(float(embeddings[o.index] @ embeddings[index]) for o in rest)
            if not similarity >= self._other_person:
                yield adverse("challenge-identity-changed")
            elif similarity < self._continuity:
                yield unclear("challenge-identity-uncertain")


def _furthest(event: Event, track: Track) -> list[int]:
    """Return the positions of the frames by which a turn is judged."""
    return sorted(event.frames, key=lambda i: -abs(track.changes[i]))[:JUDGED_FRAMES]


def _unreached(turn: Turn) -> StepVerdict:
    return StepVerdict(turn.value, None, None, None, None)


def _sighting(observation: Observation) -> Sighting:
    assert observation.sighting is not None
    return observation.sighting
