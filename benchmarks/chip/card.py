"""The card of the measurements, served to the virtual reader by a process of its own.

So neither the card's computing nor Python's lock counts as the reader's.
"""

import multiprocessing
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.synchronize import Event

from biometrics.manifest import load_manifest
from biometrics.weights import sample
from devices.simulator.card import SimulatedCard
from devices.simulator.errors import VirtualReaderUnavailableError
from devices.simulator.image import CardImage
from devices.simulator.link import LinkModel
from devices.simulator.personalise import personalise
from devices.simulator.profile import SPECIMEN, parse_profile
from devices.simulator.virtual_reader import VirtualReader
from devices.simulator.vpcd import VpcdSlot

FILES = ("EF.SOD", "EF.DG1", "EF.DG2", "EF.DG14", "EF.DG15")
"""What is read, beside EF.CardAccess."""
DATA_GROUPS = (1, 2, 14, 15)

_POWER_UP_S = 15.0
_STOP_S = 5.0


def make_card() -> CardImage:
    """Return the specimen with a portrait."""
    table = tomllib.loads(SPECIMEN.read_text("utf-8"))
    portrait = sample(load_manifest(), "obama").read_bytes()
    return personalise(parse_profile(table), portrait=portrait)


def with_length(image: CardImage, variant: str) -> CardImage:
    """Return the card with extended length or without it."""
    behaviour = replace(image.behaviour, extended_length=variant == "extended")
    return replace(image, behaviour=behaviour)


@contextmanager
def served_apart(
    reader: VirtualReader, image: CardImage, link: LinkModel | None = None
) -> Iterator[None]:
    """Lay the card on the reader from a process of its own, in place of the reader's card.

    Raises:
        VirtualReaderUnavailableError: the reader does not take it.
    """
    reader.remove()
    context = multiprocessing.get_context("spawn")
    powered = context.Event()
    process = context.Process(target=_serve, args=(image, link, reader.port, powered), daemon=True)
    process.start()
    try:
        if not powered.wait(_POWER_UP_S):
            raise VirtualReaderUnavailableError("The virtual reader does not notice its card.")
        yield
    finally:
        process.terminate()
        process.join(_STOP_S)


def _serve(image: CardImage, link: LinkModel | None, port: int, powered: Event) -> None:
    def note(event: str) -> None:
        if event in ("power-on", "reset"):
            powered.set()

    VpcdSlot(SimulatedCard(image, link=link), "127.0.0.1", port, note).serve()
