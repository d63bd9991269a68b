"""Check that one person was before the camera from the first frame to the last.

A head that is turned far looks less like the same head from the front than some other people do, so
no turned frame is compared with the rest alone. Instead:
- two frames close together in time show the same person, however far the head is turned;
- all frames that were embedded hang together by links of similarity, from the front over each
  frame on the way to the side;
- frames from the front are like one another.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from statistics import median
from typing import Final

import cv2
import numpy as np

from biometrics.embedding import Embedder
from biometrics.liveness.capture import MAX_FRAMES, Observation
from biometrics.liveness.findings import Finding, adverse, unclear
from biometrics.liveness.performance import Performance
from biometrics.liveness.signal import Signal
from biometrics.manifest import ModelEntry
from biometrics.types import FloatArray, Image, Method

METHOD: Final = Method("identity-continuity", "1")

SHORTEST_STRIDE: Final = 4
STRIDES: Final = 5
"""Every 4th to 8th frame is embedded. Which, the frame's own digest tells: the same capture is
always judged the same way, and before a lens nobody can prepare frames for the gaps. Whoever makes
the pixels can; so what decides or is compared is embedded besides, whatever the digest says."""
FACE_JUMP: Final = 0.25
FACE_JUMP_LEAST: Final = 0.10
FACE_JUMP_SUDDEN: Final = 4.0
"""Two frames in a row are both embedded where the face changes (one less the correlation) by the
first, or by the second and this many times as much as just before. In the rendered turns of 12
heads at 12 frames a second no change was above 0.23; between faces of different people 1 % are
below 0.33."""
FREE_JUMPS: Final = 6
JUMP_SHARE: Final = 5
"""At most 6 frames, and every 5th, are embedded, whatever happens in a capture."""
FACE_PX: Final = 16

REST_FRAMES: Final = 3
"""So many frames of the rest decide something, at least, and are compared."""
REST_SPREAD: Final = 0.06
"""A frame whose nose offset lies no further from that of the rest shows the face from the front."""
MAX_SEARCH: Final = 8
"""Frames embedded to find where a chain breaks: halving a gap of 8 takes 3."""
NEXT_MS: Final = 250.0
NEXT_OFFSET: Final = 0.35
"""Two frames this near in time and in nose offset show one person in nearly the same pose: frames
167 ms apart in rendered turns of 12 heads had a cosine of 0.83 or more."""


class IdentityWatch:
    """Watches one capture: `see` each frame as it comes, then `judge` once."""

    def __init__(self, embedder: Embedder, entry: ModelEntry) -> None:
        """Read the operating points of the embedding model.

        Raises:
            ManifestInvalidError: one is missing.
        """
        self._embedder = embedder
        self._continuity = entry.threshold("continuity")
        self._other_person = entry.threshold("other-person")
        self._embeddings: dict[int, FloatArray] = {}
        self._seen = 0
        self._due = 0
        self._before: tuple[Observation, FloatArray] | None = None
        self._changed = 0.0

    @property
    def compared(self) -> tuple[int, ...]:
        """Return the positions of the frames that are known to show the one person, if any do."""
        return tuple(sorted(self._embeddings))

    def see(self, observation: Observation) -> None:
        """Take the next frame; about every sixth is embedded, more where the face jumps."""
        if observation.sighting is None or observation.index >= MAX_FRAMES:
            return
        if self._seen >= self._due:
            self._embed(observation)
            self._due = self._seen + SHORTEST_STRIDE + observation.pixel_sha256[0] % STRIDES
        face = _shrink(observation.sighting.aligned)
        if self._before is not None:
            neighbour, other = self._before
            if self._is_jump(1 - float(face @ other)):
                self._embed_if_affordable(neighbour)
                self._embed_if_affordable(observation)
        self._before = observation, face
        self._seen += 1

    def include(self, observation: Observation) -> None:
        """Embed a frame that something else is decided by, if it shows a face."""
        if observation.sighting is not None and observation.index < MAX_FRAMES:
            self._embed(observation)

    def judge(self, observations: Sequence[Observation], performance: Performance) -> Signal:
        """Judge the frames seen, and those by which something else is decided."""
        usable = {o.index: o for o in observations[:MAX_FRAMES] if o.sighting is not None}
        decisive = [*performance.rest[:REST_FRAMES]]
        decisive += [i for step in performance.steps for i in step.furthest[:1]]
        for position in decisive:
            if position in usable:
                self._embed(usable[position])
        self._search_break(usable)
        if len(self._embeddings) < 2:
            return Signal(METHOD, (unclear("challenge-identity-uncertain"),), False, None)
        link, _ = self._weakest_link()
        alike = self._similarities_ahead(usable, performance.rest)
        near = [
            self._similarity(i, j)
            for i, j in pairwise(sorted(self._embeddings))
            if _is_next(usable[i], usable[j])
        ]
        findings: list[Finding] = []
        if any(similarity < self._other_person for similarity in near):
            findings.append(adverse("challenge-identity-changed"))
        if link < self._continuity or any(s < self._other_person for s in alike):
            findings.append(unclear("challenge-identity-uncertain"))
        measured = {"frames_compared": float(len(self._embeddings)), "weakest_link": link}
        for name, similarities in (("least_alike_ahead", alike), ("least_alike_next", near)):
            if similarities:
                measured[name] = min(similarities)
        return Signal(METHOD, tuple(findings), True, min([link, *alike, *near]), measured)

    def _similarities_ahead(
        self, usable: dict[int, Observation], rest: Sequence[int]
    ) -> list[float]:
        """Return how alike any two frames are that show the face as it is at rest.

        Those are also the frames whose pictures are compared with the portrait.
        """
        offsets = [_offset(usable[i]) for i in rest[:REST_FRAMES] if i in usable]
        if not offsets:
            return []
        ahead = [
            i
            for i in self._embeddings
            if i in rest or abs(_offset(usable[i]) - median(offsets)) <= REST_SPREAD
        ]
        return [self._similarity(i, j) for i, j in combinations(ahead, 2)]

    def _is_jump(self, change: float) -> bool:
        usual, self._changed = self._changed, change
        sudden = change >= max(FACE_JUMP_LEAST, FACE_JUMP_SUDDEN * usual)
        return change >= FACE_JUMP or sudden

    def _search_break(self, usable: dict[int, Observation]) -> None:
        """Embed frames between two that do not hang together, until they do or are neighbours."""
        positions = sorted(usable)
        place = {position: k for k, position in enumerate(positions)}
        for _ in range(MAX_SEARCH):
            if len(self._embeddings) < 2:
                return
            link, sides = self._weakest_link()
            if link >= self._continuity:
                return
            gap, left = min((place[j] - place[i], place[i]) for i, j in _breaks(sides))
            if gap < 2:
                return
            self._embed(usable[positions[left + gap // 2]])

    def _weakest_link(self) -> tuple[float, dict[int, bool]]:
        """Return the least similarity on the best chain through all frames, and its two sides.

        That is the lightest edge of the maximum spanning tree (Prim's algorithm).
        """
        positions = sorted(self._embeddings)
        vectors = np.stack([self._embeddings[i] for i in positions])
        alike = vectors @ vectors.T
        best, parent = alike[0].copy(), np.zeros(len(positions), dtype=int)
        outside = np.ones(len(positions), dtype=bool)
        outside[0] = False
        edges: list[tuple[float, int, int]] = []
        while outside.any():
            nearest = int(np.argmax(np.where(outside, best, -np.inf)))
            edges.append((float(best[nearest]), int(parent[nearest]), nearest))
            outside[nearest] = False
            nearer = outside & (alike[nearest] > best)
            best[nearer], parent[nearer] = alike[nearest][nearer], nearest
        weakest = min(edges)
        beyond = {weakest[2]}
        for edge in edges[edges.index(weakest) + 1 :]:
            if edge[1] in beyond:
                beyond.add(edge[2])
        return weakest[0], {position: k in beyond for k, position in enumerate(positions)}

    def _similarity(self, i: int, j: int) -> float:
        return float(self._embeddings[i] @ self._embeddings[j])

    def _embed_if_affordable(self, observation: Observation) -> None:
        if len(self._embeddings) < FREE_JUMPS + self._seen / JUMP_SHARE:
            self._embed(observation)

    def _embed(self, observation: Observation) -> None:
        if observation.index not in self._embeddings:
            assert observation.sighting is not None
            crop = observation.sighting.aligned
            self._embeddings[observation.index] = self._embedder.embed(crop)


def _breaks(sides: dict[int, bool]) -> Iterator[tuple[int, int]]:
    """Yield neighbours in time that lie on different sides."""
    return ((i, j) for i, j in pairwise(sides) if sides[i] != sides[j])


def _is_next(first: Observation, second: Observation) -> bool:
    in_time = abs(second.t_ms - first.t_ms) <= NEXT_MS
    return in_time and abs(_offset(second) - _offset(first)) <= NEXT_OFFSET


def _offset(observation: Observation) -> float:
    assert observation.sighting is not None
    return observation.sighting.nose_offset


def _shrink(aligned: Image) -> FloatArray:
    """Return the middle of the face as a vector of length one; brightness and contrast are gone."""
    gray = cv2.cvtColor(aligned[8:-8, 8:-8], cv2.COLOR_BGR2GRAY)
    small = cv2.resize(gray, (FACE_PX, FACE_PX), interpolation=cv2.INTER_AREA).astype(np.float32)
    small -= small.mean()
    length = float(np.linalg.norm(small))
    return (small / length if length > 0 else small).ravel()
