"""What is held before the simulated camera."""

from enum import StrEnum


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
