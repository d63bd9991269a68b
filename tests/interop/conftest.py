"""One virtual reader and one JMRTD process for the whole session; the card in it is exchanged."""

import hashlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks.peers.errors import PeerUnavailableError
from benchmarks.peers.jmrtd import Jmrtd, JmrtdReply, JmrtdRequest
from benchmarks.peers.jmrtd_build import class_path
from devices.simulator.card import SimulatedCard
from devices.simulator.errors import VirtualReaderMissingError
from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.pki import TestPki
from devices.simulator.profile import SPECIMEN, parse_profile
from devices.simulator.virtual_reader import VirtualReader

PLAIN_FILES = ("EF.COM", "EF.SOD", "EF.DG1", "EF.DG2", "EF.DG13", "EF.DG14", "EF.DG15")


class ExchangeableCard(SimulatedCard):
    """Any card, without taking it from the reader: that costs most of a second."""

    def __init__(self, image: CardImage) -> None:
        self.count = 0
        super().__init__(image)

    def become(self, image: CardImage) -> None:
        super().__init__(image)

    def transmit(self, command: bytes) -> bytes:
        self.count += 1
        return super().transmit(command)


@dataclass(frozen=True)
class Bench:
    """JMRTD and the card before it."""

    jmrtd: Jmrtd
    reader: VirtualReader
    card: ExchangeableCard

    def read(self, image: CardImage, password: str, folder: Path, **options: Any) -> JmrtdReply:
        """Let JMRTD read the card with its `can` or `mrz`, or with what `options` say."""
        self.card.become(image)
        self.card.count = 0
        request: dict[str, Any] = {
            "reader": self.reader.name,
            "folder": str(folder),
            "files": tuple(name for name in PLAIN_FILES if name in image.files),
        }
        request |= _secret(image, password) | options
        return self.jmrtd.read(JmrtdRequest(**request))


def _secret(image: CardImage, password: str) -> dict[str, Any]:
    if password == "can":
        return {"can": image.behaviour.can}
    mrz = image.behaviour.mrz_information
    number, rest = mrz[:-15].rstrip("<"), mrz[-14:]
    return {"document_number": number, "date_of_birth": rest[:6], "date_of_expiry": rest[7:13]}


@pytest.fixture(scope="session")
def pki() -> TestPki:
    return TestPki.create("ecdsa-brainpoolP256r1", "ecdsa-brainpoolP256r1")


@pytest.fixture(scope="session")
def portrait(manifest: Any) -> bytes:
    from biometrics.weights import sample

    return sample(manifest, "obama").read_bytes()


@pytest.fixture(scope="session")
def make_card(pki: TestPki, portrait: bytes) -> Any:
    """Return a function that makes the specimen's card with another chip.

    What takes long to make, portrait and key of Active Authentication, is there where asked for.
    """
    specimen = tomllib.loads(SPECIMEN.read_text("utf-8"))

    def make(*, with_portrait: bool = False, **chip: Any) -> CardImage:
        table = specimen | {"chip": specimen["chip"] | {"active_authentication": "none"} | chip}
        picture = portrait if with_portrait else None
        return personalise(parse_profile(table), portrait=picture, pki=pki)

    return make


@pytest.fixture(scope="session")
def specimen(make_card: Any) -> CardImage:
    image = make_card(with_portrait=True, active_authentication="rsa-2048")
    assert isinstance(image, CardImage)
    return image


# A process has one virtual reader at a time: it is given back before another folder's tests run.
@pytest.fixture(scope="module")
def bench(specimen: CardImage) -> Iterator[Bench]:
    """Return JMRTD before a virtual reader, or skip where this machine has no way to it."""
    try:
        VirtualReader.check_installed()
        class_path()
    except (VirtualReaderMissingError, PeerUnavailableError) as error:
        pytest.skip(str(error))
    card = ExchangeableCard(specimen)
    with VirtualReader(card) as reader, Jmrtd() as jmrtd:
        yield Bench(jmrtd, reader, card)


def assert_identical(reply: JmrtdReply, image: CardImage, folder: Path) -> None:
    """Compare digest, length and the bytes that JMRTD wrote with the card's own files."""
    assert not reply.error, (reply.step, reply.error)
    assert reply.files
    for name, (sha256, length) in reply.files.items():
        expected = image.files[name]
        assert (sha256, length) == (hashlib.sha256(expected).hexdigest(), len(expected)), name
        assert (folder / f"{name}.bin").read_bytes() == expected, name
