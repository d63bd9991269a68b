"""A running server with its own database, a specimen card, and a rendered sitter."""

import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from api.agent.client import ProofingClient, SessionClient
from api.agent.reading import read_for_session
from api.demo.server import LocalServer
from api.keys import keys
from api.keys.ring import KeyRing
from api.procedures.catalogue import Catalogue
from api.proofing.repository import Repository, utc_now
from api.proofing.sections import FaceThresholds
from api.proofing.service import ProofingService
from api.store.database import open_database
from biometrics.challenge import Challenge, choose_challenge
from biometrics.manifest import Manifest
from biometrics.pipeline import FacePipeline
from biometrics.quality import load_requirements
from biometrics.rig import Rig, Species
from biometrics.types import FrameSample
from biometrics.weights import sample
from devices.emrtd.lds.mrz import Can
from devices.emrtd.trust.csca import TrustAnchors
from devices.simulator.card import SimulatedCard
from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.profile import SPECIMEN, load_profile
from tests.fixtures.faces import RememberingRig, open_remembering_pipeline

DOCUMENT = b"%PDF-1.7 a specimen"
SEED = 1
"""Draws the same challenges in every run: a rendered sitter, like a person, gets one in a few dozen
wrong."""
START_MS = 700
"""From the challenge to the first frame."""


@dataclass
class Clock:
    """The server's clock for captures, so that no test has to wait for one."""

    now: datetime = field(default_factory=utc_now)

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Server:
    """A running server and what tests reach behind it."""

    service: ProofingService
    client: ProofingClient
    url: str
    database: Path

    def request(self, **changes: Any) -> dict[str, Any]:
        """Return a valid request for a session."""
        document = {
            "role": "main",
            "media_type": "application/pdf",
            "sha256": hashlib.sha256(DOCUMENT).hexdigest(),
            "byte_length": len(DOCUMENT),
        }
        return {
            "procedure_code": "2.000884",
            "audience": "https://notary.example",
            "nonce": "nonce-of-the-notary",
            "dossier_id": "D-1",
            "party_role": "applicant",
            "purpose": "certification of a signature",
            "documents": [document],
        } | changes

    def reasons(self, session: SessionClient) -> list[str]:
        """Return all reasons of a session, as its office may read them."""
        record = self.client.json("GET", f"/v1/sessions/{session.session_id}/record", None)
        return list(record["reasons"])

    def open(self, *, consent: bool = True, **changes: Any) -> SessionClient:
        """Open a session."""
        created = self.client.create_session(self.request(**changes))
        session = self.client.session(created["id"], created["token"])
        if consent:
            session.consent()
        return session


@pytest.fixture(scope="session")
def pipeline(manifest: Manifest) -> FacePipeline:
    return open_remembering_pipeline(manifest)


@pytest.fixture(scope="session")
def pictures(manifest: Manifest) -> dict[str, bytes]:
    return {name: sample(manifest, name).read_bytes() for name in ("obama", "obama3", "biden")}


@pytest.fixture(scope="session")
def card(pictures: dict[str, bytes]) -> CardImage:
    return personalise(load_profile(SPECIMEN), portrait=pictures["obama"])


@pytest.fixture(scope="session")
def keys_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("office") / "keys"
    keys.init(folder, password=None)
    return folder


@pytest.fixture(scope="session")
def root(keys_folder: Path) -> bytes:
    return (keys_folder / keys.ROOT).read_bytes()


@pytest.fixture(scope="session")
def anchors(card: CardImage, tmp_path_factory: pytest.TempPathFactory) -> TrustAnchors:
    folder = tmp_path_factory.mktemp("trust")
    (folder / "csca.der").write_bytes(card.csca)
    return TrustAnchors.from_directory(folder)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def start(
    tmp_path: Path,
    manifest: Manifest,
    pipeline: FacePipeline,
    anchors: TrustAnchors,
    keys_folder: Path,
    clock: Clock,
) -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server, with changes to its service."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start_(**changes: Any) -> Server:
            database = tmp_path / "sessions.sqlite"
            service = replace(
                ProofingService(
                    repository=Repository(open_database(database)),
                    catalogue=Catalogue.load(),
                    anchors=anchors,
                    pipeline=pipeline,
                    thresholds=FaceThresholds(manifest.sha256, load_requirements()),
                    keys=KeyRing.open(keys_folder, None),
                    clock=clock,
                    choose=partial(choose_challenge, random.Random(SEED)),
                ),
                **changes,
            )
            url = stack.enter_context(LocalServer(service)).url
            client = stack.enter_context(ProofingClient(url))
            return Server(service, client, url, database)

        yield start_


@pytest.fixture
def server(start: Callable[..., Server]) -> Server:
    return start()


@pytest.fixture
def read_card(card: CardImage) -> Callable[..., dict[str, Any]]:
    """Return a function that reads a card for a session and hands the evidence in."""

    def read(session: SessionClient, image: CardImage = card) -> dict[str, Any]:
        can = Can(image.behaviour.can)
        return read_for_session(session, SimulatedCard(image), can).session

    return read


@pytest.fixture(scope="session")
def rig(pipeline: FacePipeline) -> Rig:
    return RememberingRig(pipeline)


@pytest.fixture
def perform(rig: Rig, pictures: dict[str, bytes]) -> Callable[..., list[FrameSample]]:
    """Return a function that begins a capture and renders a sitter who follows its challenge.

    Or who takes it for another one (`mistaken_for`).
    """

    def perform_(
        session: SessionClient,
        picture: str = "obama3",
        species: Species = Species.BONA_FIDE,
        seed: int = 1,
        mistaken_for: Challenge | None = None,
        **asked: Any,
    ) -> list[FrameSample]:
        challenge = Challenge.from_dict(session.begin_capture(**asked)["challenge"])
        followed = mistaken_for or challenge
        return rig.perform(pictures[picture], followed, species=species, seed=seed)

    return perform_


@pytest.fixture
def send(clock: Clock) -> Callable[[SessionClient, Sequence[FrameSample]], None]:
    """Return a function that hands in frames, each when a camera would have taken it."""

    def send_(session: SessionClient, frames: Sequence[FrameSample]) -> None:
        begun = clock.now
        for number, frame in enumerate(frames):
            assert isinstance(frame.picture, bytes)
            clock.now = begun + timedelta(milliseconds=START_MS + frame.t_ms)
            session.put_frame(number, round(frame.t_ms), frame.picture)

    return send_
