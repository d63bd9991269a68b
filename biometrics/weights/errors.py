"""What can go wrong with weights: missing, altered, not to be had, not convertible."""

from typing import ClassVar

from biometrics.errors import BiometricsError

FETCH_COMMAND = "chinhchu models fetch"


class WeightsError(BiometricsError):
    """Root of the errors about weights and samples."""

    code: ClassVar[str] = "weights-fault"


class ModelMissingError(WeightsError):
    """A model is not in the cache."""

    code: ClassVar[str] = "model-missing"

    def __init__(self, name: str, *, required: bool):
        self.name = name
        """The model's name in the manifest."""
        self.required = required
        """False: an optional signal, which the caller reports as not performed and goes on."""
        kind = "required" if required else "optional"
        command = f"{FETCH_COMMAND} {name}"
        super().__init__(f"the {kind} model {name} is not installed; run: {command}")


class SampleMissingError(WeightsError):
    """A sample picture is not in the cache and could not be fetched."""

    code: ClassVar[str] = "sample-missing"

    def __init__(self, name: str):
        self.name = name
        """The sample's name in the manifest."""
        super().__init__(f"the sample picture {name} is not installed; run: {FETCH_COMMAND} {name}")


class DigestMismatchError(WeightsError):
    """Bytes are not those that the manifest names. They are not used."""

    code: ClassVar[str] = "model-digest-mismatch"

    def __init__(self, name: str):
        self.name = name
        """The model or sample."""
        super().__init__(
            f"the installed file of {name} does not have the digest of the manifest and was not "
            f"loaded; run: {FETCH_COMMAND} {name}"
        )


class ModelUnusableError(WeightsError):
    """The runtime cannot load or run a model, or it does not fit its contract."""

    code: ClassVar[str] = "model-unusable"


class CacheUnusableError(WeightsError):
    """The cache folder cannot be read or written."""

    code: ClassVar[str] = "cache-unusable"


class ConversionError(WeightsError):
    """A published file cannot be converted to the model that the manifest names."""

    code: ClassVar[str] = "model-conversion-failed"


class ArchiveInvalidError(WeightsError):
    """A package archive is damaged, too large, or does not hold the member."""

    code: ClassVar[str] = "archive-invalid"


class SourceUnavailableError(WeightsError):
    """One source of a file could not deliver it; the next one is tried."""

    code: ClassVar[str] = "source-unavailable"
    retryable: ClassVar[bool] = True
