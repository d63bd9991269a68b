"""What each species does before the camera, as well as it can."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count

import numpy as np

from biometrics.challenge import Challenge, Pace, choose_challenge
from biometrics.rig.artefacts import bent, cut_out_eyes, printed, screen, shown, waxen
from biometrics.rig.camera import Camera
from biometrics.rig.choreography import Track, follow, rest
from biometrics.rig.held import Artefact, Held, furnish
from biometrics.rig.lighting import Light
from biometrics.rig.person import Person, Place
from biometrics.rig.recordings import (
    Freeze,
    Replay,
    Splice,
    jumping,
    step_cuts,
    stretches,
    swapped,
)
from biometrics.rig.sitter import Sitter
from biometrics.rig.species import Species
from biometrics.rig.take import Act, Take

SLOW_MS = 9_000
"""Challenges that last longer were chosen at the slow pace."""
HAND = 1.6
"""A hand's restlessness by that of a head."""


@dataclass(frozen=True)
class Scene:
    """All that an act needs."""

    sitter: Sitter
    accomplice: Sitter | None
    challenge: Challenge
    follows: bool
    variant: str
    person: Person
    place: Place
    camera: Camera
    rng: np.random.Generator

    @property
    def light(self) -> Light:
        """Return the light of the challenge in this place."""
        return self.lit(self.challenge)

    def lit(self, challenge: Challenge) -> Light:
        """Return the light of another challenge."""
        return Light(challenge.light, self.place, self.challenge.duration_ms)

    def track(self, challenge: Challenge | None = None, *, blinks: bool = True) -> Track:
        """Return what the person does who follows a challenge, or nothing."""
        return self.move(self.person, challenge, blinks=blinks)

    def move(
        self, person: Person, challenge: Challenge | None = None, *, blinks: bool = True
    ) -> Track:
        """Return what another person does."""
        if not self.follows:
            still = rest(person, self.challenge.duration_ms)
            return still if blinks else replace(still, blinks=())
        return follow(challenge or self.challenge, person, blinks=blinks)

    def take(self, challenge: Challenge | None = None) -> Take:
        """Return the person following a challenge, in its light."""
        challenge = challenge or self.challenge
        return Take(self.sitter, self.track(challenge), self.lit(challenge), self.camera)

    def hold(self, artefact: Artefact, *, still: bool = False) -> Held:
        """Return an artefact that a hand moves as the challenge asks, or holds still."""
        hand = replace(self.person, restlessness=HAND * self.person.restlessness)
        track = rest(hand, self.challenge.duration_ms) if still else self.move(hand)
        room = furnish(self.place, self.rng)
        return Held(artefact, track, self.light, self.camera, room)


def cast(species: Species, scene: Scene) -> Act:
    """Return what happens before the camera."""
    return _ACTS[species](scene)


def _print(scene: Scene) -> Act:
    low, high = (0.9, 1.1) if scene.variant == "life-size" else (0.5, 0.7)
    scale = scene.rng.uniform(low, high)
    return scene.hold(printed(scene.sitter, scene.light, scale, scene.rng))


def _bent_print(scene: Scene) -> Act:
    low, high = (22, 45) if scene.variant == "slightly" else (9.5, 14)
    paper = printed(scene.sitter, scene.light, scene.rng.uniform(0.85, 1.1), scene.rng)
    return scene.hold(bent(paper, scene.rng.uniform(low, high)))


def _tablet(scene: Scene) -> Act:
    low, high = (0.4, 0.6) if scene.variant == "tablet" else (0.7, 0.95)
    scale = scene.rng.uniform(low, high)
    return scene.hold(screen(scene.sitter, scene.light, scale, scene.rng))


def _video_replay(scene: Scene) -> Act:
    other = _another(scene.challenge, scene.rng)
    take = scene.take(other)
    if scene.variant == "injected":
        return take
    scale = scene.rng.uniform(0.4, 0.9)
    artefact = shown(take, scene.person, scene.place, scale, scene.rng)
    return scene.hold(artefact, still=True)


def _wrong_order(scene: Scene) -> Act:
    if scene.variant == "swapped":
        source_ms = swapped(scene.challenge, scene.rng)
        if source_ms is not None:
            return Replay(scene.take(), source_ms)
    return Replay(scene.take(), float, mirrored=True)


def _frozen(scene: Scene) -> Act:
    if scene.variant == "still":
        return Freeze(scene.take(), [(0.0, float("inf"))], scene.camera)
    when = stretches(scene.challenge, scene.rng)
    return Freeze(scene.take(), when, scene.camera if scene.variant == "renoised" else None)


def _spliced(scene: Scene) -> Act:
    if scene.variant == "jump-cuts":
        track = scene.track()
        take = Take(scene.sitter, track, scene.light, scene.camera)
        return Replay(take, jumping([*track.turns, *track.approaches]))
    acts: list[Act] = [scene.take()]
    for _ in scene.challenge.steps:
        place = Place.draw(scene.rng)
        is_other = scene.variant == "two-people" and scene.accomplice and len(acts) % 2
        sitter = scene.accomplice if is_other and scene.accomplice else scene.sitter
        light = Light(scene.challenge.light, place, scene.challenge.duration_ms)
        track = scene.move(Person.draw(scene.rng))
        acts.append(Take(sitter, track, light, scene.camera))
    return Splice(tuple(acts), step_cuts(scene.challenge))


def _cut_out_eyes(scene: Scene) -> Act:
    paper = printed(scene.sitter, scene.light, scene.rng.uniform(0.9, 1.1), scene.rng)
    return scene.hold(cut_out_eyes(paper, scene.sitter, scene.light))


def _rigid_mask(scene: Scene) -> Act:
    track = scene.track(blinks=scene.variant == "eye-holes")
    mask = waxen(scene.sitter, scene.rng)
    return Take(mask, track, scene.light, scene.camera, liveliness=0.0)


def _another(challenge: Challenge, rng: np.random.Generator) -> Challenge:
    """Return a challenge that asks for something else."""
    pace = Pace.SLOW if challenge.duration_ms > SLOW_MS else Pace.NORMAL
    first = int(rng.integers(1 << 31))
    for seed in count(first):
        drawn = random.Random(seed)  # noqa: S311 — what the rig draws must be drawn again
        other = choose_challenge(drawn, light=challenge.light is not None, pace=pace)
        if other.steps != challenge.steps:
            return other
    raise AssertionError("a count has no end")


_ACTS: dict[Species, Callable[[Scene], Act]] = {
    Species.BONA_FIDE: Scene.take,
    Species.PRINT: _print,
    Species.BENT_PRINT: _bent_print,
    Species.TABLET: _tablet,
    Species.VIDEO_REPLAY: _video_replay,
    Species.WRONG_ORDER: _wrong_order,
    Species.FROZEN: _frozen,
    Species.SPLICED: _spliced,
    Species.CUT_OUT_EYES: _cut_out_eyes,
    Species.RIGID_MASK: _rigid_mask,
}
