"""The card of the measurements."""

from dataclasses import replace

from biometrics.manifest import load_manifest
from biometrics.weights import sample
from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.profile import load_profile
from devices.simulator.shipped_profiles import shipped_profile

FILES = ("EF.SOD", "EF.DG1", "EF.DG2", "EF.DG14", "EF.DG15")
"""What is read, beside EF.CardAccess."""
DATA_GROUPS = (1, 2, 14, 15)


def make_card() -> CardImage:
    """Return the card of the profile `benchmark`: EF.SOD of 2000 bytes, DG2 of 20 000."""
    portrait = sample(load_manifest(), "obama").read_bytes()
    return personalise(load_profile(shipped_profile("benchmark")), portrait=portrait)


def with_length(image: CardImage, variant: str) -> CardImage:
    """Return the card with extended length or without it."""
    behaviour = replace(image.behaviour, extended_length=variant == "extended")
    return replace(image, behaviour=behaviour)
