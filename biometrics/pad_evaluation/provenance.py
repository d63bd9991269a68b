"""Say what was evaluated: the target of evaluation, down to digests."""

from datetime import UTC, datetime
from importlib import metadata
from typing import Final

from biometrics.manifest import Manifest
from biometrics.pad_evaluation.judged import Provenance

MODELS: Final = ("yunet", "facemesh", "sface", "minifasnet-v2", "minifasnet-v1se", "fr-liveness")


def describe(manifest: Manifest, *, source: str, seeds: str, people: str) -> Provenance:
    """Return what was evaluated, on what.

    Args:
        manifest: models and policy.
        source: name of the folder, or the rig and its frame rate.
        seeds: first and last seed of rendered captures, or `none`.
        people: whom they show, without a name.
    """
    try:
        version = metadata.version("chinhchu")
    except metadata.PackageNotFoundError:
        version = "not installed"
    policy = manifest.pad_policy
    return Provenance(
        software=f"chinhchu {version}",
        manifest_sha256=manifest.sha256,
        policy_sha256=policy.sha256 if policy else "none",
        models={name: manifest.model(name).files[0].sha256 for name in MODELS},
        source=source,
        seeds=seeds,
        people=people,
        date=datetime.now(UTC).date().isoformat(),
    )
