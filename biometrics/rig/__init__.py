"""Render *simulated* captures from one picture: a person, or a presentation attack.

For development, demonstrations and evaluation without a camera. Neither is evidence about real
people or real attacks: every caller marks them as simulated.
"""

from biometrics.rig.contact_sheet import contact_sheet
from biometrics.rig.errors import RigSettingInvalidError
from biometrics.rig.rig import Rig
from biometrics.rig.species import VARIANTS, Species, variant_of

__all__ = ["VARIANTS", "Rig", "RigSettingInvalidError", "Species", "contact_sheet", "variant_of"]
