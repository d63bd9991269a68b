"""A running server with its own database, a specimen card, and a rendered sitter."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from api.agent.client import ProofingClient, SessionClient
from api.agent.reading import read_for_session
from api.assertions import keys
from api.assertions.keys import SigningKey
from api.demo.server import LocalServer
from api.procedures.catalogue import Catalogue
from api.proofing.repository import Repository
from api.proofing.sections import FaceThresholds
from api.proofing.service import ProofingService
from api.store.database import open_database
from biometrics.manifest import Manifest
from biometrics.pipeline import FacePipeline
from biometrics.quality import load_requirements
from biometrics.rig import Rig, RigKind
from biometrics.types import FrameSample
from biometrics.weights import sample
from devices.emrtd.lds.mrz import Can
from devices.emrtd.trust.csca import TrustAnchors
from devices.simulator.card import SimulatedCard
from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.profile import SPECIMEN, load_profile

DOCUMENT = b"%PDF-1.7 a specimen"
Perform = Callable[..., list[FrameSample]]


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

    def open(self, *, consent: bool = True, **changes: Any) -> SessionClient:
        """Open a session."""
        created = self.client.create_session(self.request(**changes))
        session = self.client.session(created["id"], created["token"])
        if consent:
            session.consent()
        return session


@pytest.fixture(scope="session")
def pipeline(manifest: Manifest) -> FacePipeline:
    return FacePipeline(manifest)


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
def signing_key(keys_folder: Path) -> SigningKey:
    return keys.load(keys_folder, None)


@pytest.fixture(scope="session")
def root(keys_folder: Path) -> bytes:
    return (keys_folder / keys.ROOT).read_bytes()


@pytest.fixture(scope="session")
def anchors(card: CardImage, tmp_path_factory: pytest.TempPathFactory) -> TrustAnchors:
    folder = tmp_path_factory.mktemp("trust")
    (folder / "csca.der").write_bytes(card.csca)
    return TrustAnchors.from_directory(folder)


@pytest.fixture
def start(
    tmp_path: Path,
    manifest: Manifest,
    pipeline: FacePipeline,
    anchors: TrustAnchors,
    signing_key: SigningKey,
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
                    key=signing_key,
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
def perform(pipeline: FacePipeline, pictures: dict[str, bytes]) -> Perform:
    """Return a function that renders a sitter who follows a challenge."""
    rig = Rig(pipeline.detector, pipeline.mesh_estimator)

    @cache
    def render(kind: RigKind, picture: str, turns: tuple[str, ...]) -> list[FrameSample]:
        return rig.render(kind, pictures[picture], turns)

    def perform_(
        turns: Sequence[str], picture: str = "obama3", kind: RigKind = RigKind.TURNING_HEAD
    ) -> list[FrameSample]:
        return render(kind, picture, tuple(turns))

    return perform_


@pytest.fixture
def send() -> Callable[[SessionClient, Sequence[FrameSample]], None]:
    """Return a function that hands in frames."""

    def send_(session: SessionClient, frames: Sequence[FrameSample]) -> None:
        for number, frame in enumerate(frames):
            assert isinstance(frame.picture, bytes)
            session.put_frame(number, round(frame.t_ms), frame.picture)

    return send_
