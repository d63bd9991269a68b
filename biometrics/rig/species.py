"""What is held before the simulated camera."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import numpy as np


class Species(StrEnum):
    """A person, or a presentation attack instrument species (ISO/IEC 30107-1)."""

    BONA_FIDE = "bona-fide"
    PRINT = "print"
    """A flat photograph on paper, moved by hand."""
    BENT_PRINT = "bent-print"
    """The photograph bent about an upright cylinder."""
    TABLET = "tablet"
    """A still picture on a screen, moved by hand."""
    VIDEO_REPLAY = "video-replay"
    """A recording of the person doing another challenge, on a screen or injected."""
    WRONG_ORDER = "wrong-order"
    """A recording of this challenge's steps, swapped or mirrored."""
    FROZEN = "frozen"
    """A capture that stands still in parts or altogether, with or without new sensor noise."""
    SPLICED = "spliced"
    """Several takes, or two people's, cut together."""
    CUT_OUT_EYES = "cut-out-eyes"
    """A photograph on paper with holes for the attacker's eyes."""
    RIGID_MASK = "rigid-mask"
    """A shell with the head's shape and the picture's texture, with or without holes for eyes."""


VARIANTS: Final[Mapping[Species, tuple[str, ...]]] = {
    Species.BONA_FIDE: ("person",),
    Species.PRINT: ("life-size", "small"),
    Species.BENT_PRINT: ("slightly", "like-a-head"),
    Species.TABLET: ("tablet", "laptop"),
    Species.VIDEO_REPLAY: ("shown", "injected"),
    Species.WRONG_ORDER: ("swapped", "mirrored"),
    Species.FROZEN: ("repeated", "renoised", "still"),
    Species.SPLICED: ("jump-cuts", "takes", "two-people"),
    Species.CUT_OUT_EYES: ("holes",),
    Species.RIGID_MASK: ("shell", "eye-holes"),
}


def variant_of(species: Species, seed: int) -> str:
    """Return which variant of a species a seed draws."""
    variants = VARIANTS[species]
    return variants[int(species_rng(species, seed).integers(len(variants)))]


def species_rng(species: Species, seed: int) -> np.random.Generator:
    """Return the generator of all that a seed draws for a species."""
    return np.random.default_rng([seed, list(Species).index(species)])
