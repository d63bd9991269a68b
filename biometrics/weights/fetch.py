"""Fetch what the manifest names: obtain the published files, convert them, install the result."""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from biometrics.manifest import Manifest, ManifestInvalidError
from biometrics.weights import cache
from biometrics.weights.conversion import convert
from biometrics.weights.errors import (
    ConversionError,
    DigestMismatchError,
    SampleMissingError,
    WeightsError,
)
from biometrics.weights.inventory import Item, model_items, sample_items
from biometrics.weights.sources import (
    FileUnobtainableError,
    SourceFailure,
    Sources,
    named_folders,
)


@dataclass(frozen=True)
class Fetched:
    """What became of one model or sample."""

    item: Item
    state: Literal["present", "fetched", "missing"]
    """`present`: nothing had to be done."""
    wanted: bool
    """True: a required model, or asked for by name."""
    origin: str
    """Where its published files came from; empty if it is missing."""
    seconds: float
    failures: tuple[SourceFailure, ...]
    """The sources that did not deliver, even if a later one did."""
    reason: str
    """Why it is missing; empty otherwise."""


@dataclass(frozen=True)
class FetchProgress:
    """What a fetch is doing now, or has just finished."""

    name: str
    """The model or sample."""
    action: str
    """`checking`, `converting`, `done`, or the source that is being tried."""
    fetched: Fetched | None = None
    """What became of it, when it is done."""


@dataclass(frozen=True)
class FetchReport:
    """What became of all of them."""

    fetched: tuple[Fetched, ...]

    def missing(self, *, wanted: bool) -> tuple[Fetched, ...]:
        """Return what is missing: of what was wanted, or of the rest."""
        return tuple(
            entry for entry in self.fetched if entry.state == "missing" and entry.wanted == wanted
        )


class FetchIncompleteError(WeightsError):
    """Something that is required, or was asked for by name, could not be fetched."""

    code: ClassVar[str] = "model-missing"
    retryable: ClassVar[bool] = True

    def __init__(self, report: FetchReport):
        self.report = report
        """What became of everything."""
        missing = report.missing(wanted=True)
        reasons = " ".join(f"{entry.item.name}: {entry.reason}." for entry in missing)
        super().__init__(
            f"not installed: {', '.join(entry.item.name for entry in missing)}. {reasons} "
            "On a machine without network, copy the files to a folder and give it with --folder."
        )


def fetch(
    manifest: Manifest,
    names: Sequence[str] = (),
    *,
    optional: bool = False,
    samples: bool = True,
    folders: Sequence[Path] = (),
    progress: Callable[[FetchProgress], None] = lambda _: None,
) -> FetchReport:
    """Install models and samples that are not installed yet.

    Writes to the cache folder. Safe to run in several processes at once.

    Args:
        manifest: what there is to fetch.
        names: models and samples to fetch, hashing what is installed of them; empty: the required
            models.
        optional: with no names, the optional models too.
        samples: with no names, the sample pictures too.
        folders: local folders to look in before any other source; empty: those named by
            `CHINHCHU_MODELS_FOLDER`.
        progress: called before each step, and when a model or sample is done.

    Raises:
        FetchIncompleteError: a required or named one is missing; it holds the report.
        ManifestInvalidError: the manifest does not hold a name.
        CacheUnusableError: the cache folder cannot be written.
    """
    sources = Sources(manifest, named_folders(folders))
    items = _select(manifest, names, optional=optional, samples=samples)
    results: list[Fetched] = []
    for item in items:
        fetched = _fetch(item, sources, named=bool(names), progress=progress)
        progress(FetchProgress(item.name, "done", fetched))
        results.append(fetched)
    report = FetchReport(tuple(results))
    if report.missing(wanted=True):
        raise FetchIncompleteError(report)
    return report


def sample(manifest: Manifest, name: str) -> Path:
    """Return the path of a sample picture whose digest was just checked, fetching it if need be.

    Raises:
        SampleMissingError: it is not installed and no source has it.
        DigestMismatchError: the installed picture is not the manifest's and could not be replaced.
        ManifestInvalidError: the manifest has no such sample.
        CacheUnusableError: the cache folder cannot be used.
    """
    entry = manifest.sample(name)
    path = cache.sample_path(entry.file.sha256, entry.file.name)
    if not path.is_file() or cache.digest(path) != entry.file.sha256:
        try:
            fetch(manifest, [name])
        except FetchIncompleteError as error:
            raise SampleMissingError(name) from error
        if cache.digest(path) != entry.file.sha256:
            raise DigestMismatchError(name)
    return path


def _select(
    manifest: Manifest, names: Sequence[str], *, optional: bool, samples: bool
) -> tuple[Item, ...]:
    models, pictures = model_items(manifest), sample_items(manifest)
    if not names:
        chosen = tuple(item for item in models if item.required or optional)
        return (*chosen, *pictures) if samples else chosen
    known = {item.name: item for item in (*models, *pictures)}
    for name in names:
        if name not in known:
            raise ManifestInvalidError(f"nothing is called {name!r}; there are {', '.join(known)}")
    return tuple(known[name] for name in dict.fromkeys(names))


def _fetch(
    item: Item, sources: Sources, *, named: bool, progress: Callable[[FetchProgress], None]
) -> Fetched:
    start = time.monotonic()
    progress(FetchProgress(item.name, "checking"))
    failures: list[SourceFailure] = []

    def done(
        state: Literal["present", "fetched", "missing"], origin: str = "", reason: str = ""
    ) -> Fetched:
        seconds = time.monotonic() - start
        return Fetched(
            item, state, named or item.required, origin, seconds, tuple(failures), reason
        )

    if cache.state(item.path, item.sha256, item.sources, hashing=named) == "present":
        return done("present", cache.origin(item.path))
    published: dict[str, bytes] = {}
    origins: dict[str, None] = {}
    try:
        for file in item.files:
            obtained = sources.obtain(
                file, lambda source: progress(FetchProgress(item.name, source))
            )
            published[file.name] = obtained.data
            origins[obtained.origin] = None
            failures.extend(obtained.failures)
        progress(FetchProgress(item.name, "converting"))
        data = convert(item.conversion, published)
        digest = hashlib.sha256(data).hexdigest()
        if digest != item.sha256:
            raise ConversionError(
                f"the converted model does not have the digest of the manifest, but {digest}"
            )
    except FileUnobtainableError as error:
        failures.extend(error.failures)
        return done("missing", reason=str(error))
    except ConversionError as error:
        return done("missing", reason=str(error))
    origin = ", ".join(origins)
    cache.install(item.path, data, item.sources, origin)
    return done("fetched", origin)
