"""Put the service together from its settings; whatever is missing stops it before it starts."""

from pathlib import Path

from api.fleet.registry import AgentFleet
from api.keys.ring import KeyRing
from api.procedures.catalogue import Catalogue
from api.proofing.online_authority import load_online_authority
from api.proofing.repository import Repository
from api.proofing.sections import FaceThresholds
from api.proofing.service import ProofingService
from api.settings import Settings, SettingsInvalidError
from api.status.lists import StatusLists
from api.store.database import open_database
from biometrics.manifest import Manifest, load_manifest
from biometrics.pipeline import FacePipeline
from biometrics.quality import load_requirements
from devices.emrtd.trust.csca import TrustAnchors


def build_service(settings: Settings) -> ProofingService:
    """Load keys, trust anchors, catalogue and models, and open the database.

    Raises:
        ApiError: a setting, the signing key or the catalogue cannot be used, or `face-pack.toml`
            brings comparisons and none of their models is installed.
        TrustAnchorsUnusableError: a certificate in the trust folder cannot be used.
        BiometricsError: a required model is missing or not the one of the manifest.
    """
    manifest = load_manifest(pack=settings.face_pack)
    ring = KeyRing.open(settings.keys, settings.keys_password, pin=settings.keys_pin)
    server = settings.server()
    settings.trust.mkdir(parents=True, exist_ok=True)
    engine = open_database(settings.database)
    return ProofingService(
        catalogue=Catalogue.load(),
        anchors=TrustAnchors.from_directory(settings.trust),
        keys=ring,
        pipeline=_open_pipeline(manifest, settings.face_pack),
        thresholds=FaceThresholds(manifest.sha256, load_requirements()),
        relying_parties=settings.relying_parties(),
        authority=load_online_authority(settings.online_authority()),
        fleet=AgentFleet.load(settings.agents),
        repository=Repository(engine),
        statuses=StatusLists.over(
            engine,
            ring,
            keep_links_s=server.keep_status_links_days * 86_400,
            public_url=server.public_url,
        ),
    )


def _open_pipeline(manifest: Manifest, pack: Path | None) -> FacePipeline:
    """Load the models; who brings a comparison of their own does not get another in its place."""
    pipeline = FacePipeline(manifest)
    folder = str(pack.parent) if pack else None
    brought = [c.name for c in manifest.comparisons.values() if c.folder == folder]
    if brought and pipeline.comparison not in brought:
        raise SettingsInvalidError(
            f"{pack} brings the comparison {' and '.join(brought)}, whose models are not "
            f"installed: run `chinhchu models fetch NAME --pack {pack}`, or take the file away"
        )
    return pipeline
