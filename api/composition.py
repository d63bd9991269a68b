"""Put the service together from its settings; whatever is missing stops it before it starts."""

from api.assertions import keys
from api.procedures.catalogue import Catalogue
from api.proofing.online_authority import load_online_authority
from api.proofing.repository import Repository
from api.proofing.service import ProofingService
from api.settings import Settings
from api.store.database import open_database
from biometrics.manifest import load_manifest
from biometrics.pipeline import FacePipeline
from devices.emrtd.trust.csca import TrustAnchors


def build_service(settings: Settings) -> ProofingService:
    """Load keys, trust anchors, catalogue and models, and open the database.

    Raises:
        ApiError: a setting, the signing key or the catalogue cannot be used.
        TrustAnchorsUnusableError: a certificate in the trust folder cannot be used.
        BiometricsError: a required model is missing or not the one of the manifest.
    """
    settings.trust.mkdir(parents=True, exist_ok=True)
    return ProofingService(
        catalogue=Catalogue.load(),
        anchors=TrustAnchors.from_directory(settings.trust),
        key=keys.load(settings.keys, settings.keys_password),
        pipeline=FacePipeline(load_manifest(pack=settings.face_pack)),
        relying_parties=settings.relying_parties(),
        authority=load_online_authority(settings.online_authority()),
        repository=Repository(open_database(settings.database)),
    )
