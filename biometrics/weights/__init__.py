"""Weights and samples: fetched by ordinary packages, checked by digest, converted, cached."""

from biometrics.weights.errors import (
    CacheUnusableError,
    DigestMismatchError,
    ModelMissingError,
    ModelUnusableError,
    SampleMissingError,
    WeightsError,
)
from biometrics.weights.fetch import (
    Fetched,
    FetchIncompleteError,
    FetchProgress,
    FetchReport,
    fetch,
    sample,
)
from biometrics.weights.inventory import Installed, Item, inventory

__all__ = [
    "CacheUnusableError",
    "DigestMismatchError",
    "FetchIncompleteError",
    "FetchProgress",
    "FetchReport",
    "Fetched",
    "Installed",
    "Item",
    "ModelMissingError",
    "ModelUnusableError",
    "SampleMissingError",
    "WeightsError",
    "fetch",
    "inventory",
    "sample",
]
