"""The card of the measurements."""

import tomllib
from dataclasses import replace

from biometrics.manifest import load_manifest
from biometrics.weights import sample
from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.profile import SPECIMEN, parse_profile

SIZES = {"EF.SOD": 2000, "EF.DG2": 20_000}
FILES = ("EF.SOD", "EF.DG1", "EF.DG2", "EF.DG14", "EF.DG15")
"""What is read, beside EF.CardAccess."""
DATA_GROUPS = (1, 2, 14, 15)


def make_card() -> CardImage:
    """Return the specimen with a security object of 2 kB and a DG2 of 20 kB."""
    profile = tomllib.loads(SPECIMEN.read_text("utf-8")) | {"file_sizes": SIZES}
    portrait = sample(load_manifest(), "obama").read_bytes()
    return personalise(parse_profile(profile), portrait=portrait)


def with_length(image: CardImage, variant: str) -> CardImage:
    """Return the card with extended length or without it."""
    behaviour = replace(image.behaviour, extended_length=variant == "extended")
    return replace(image, behaviour=behaviour)
