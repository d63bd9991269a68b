"""Render *simulated* captures from one picture: a person, or a presentation attack.

For development, demonstrations and evaluation without a camera. Neither is evidence about real
people or real attacks: every caller marks them as simulated.
"""

from biometrics.rig.rig import Rig
from biometrics.rig.species import Species

__all__ = ["Rig", "Species"]
