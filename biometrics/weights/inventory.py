"""What the manifest names, and what of it is installed on this machine."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from biometrics.manifest import Manifest, SourceFile
from biometrics.weights import cache


@dataclass(frozen=True)
class Item:
    """A model or a sample picture, as the cache sees it."""

    name: str
    kind: Literal["model", "sample"]
    role: str
    """What a model is for; `sample` for a picture."""
    title: str
    licence: str
    licence_note: str
    """What is doubtful about the licence; empty if nothing is."""
    required: bool
    without: str
    """What is lost where it is not installed; empty for what is required, and for samples."""
    files: tuple[SourceFile, ...]
    """What it is made from."""
    conversion: tuple[str, ...]
    sha256: str
    """Digest of the installed file."""
    bytes: int
    path: Path
    """Where it lies when it is installed."""

    @property
    def sources(self) -> dict[str, str]:
        """The digests of its published files by name."""
        return {file.name: file.sha256 for file in self.files}


@dataclass(frozen=True)
class Installed:
    """An item and its state."""

    item: Item
    state: cache.State
    """`present`, `missing`, or `altered`: there, with other bytes than the manifest names."""
    origin: str
    """Where its published files came from, as far as it is known."""


def inventory(manifest: Manifest, *, hashing: bool) -> tuple[Installed, ...]:
    """Return the state of every model and sample.

    Args:
        manifest: what there is.
        hashing: True: hash every file. False: trust a receipt whose size and time still fit.

    Raises:
        CacheUnusableError: a file is there and cannot be read.
    """
    items = (*model_items(manifest), *sample_items(manifest))
    return tuple(
        Installed(item, _state(item, hashing=hashing), cache.origin(item.path)) for item in items
    )


def _state(item: Item, *, hashing: bool) -> cache.State:
    if not hashing:
        return cache.state(item.path, item.sha256, item.sources)
    if not item.path.is_file():
        return "missing"
    return "present" if cache.digest(item.path) == item.sha256 else "altered"


def model_items(manifest: Manifest) -> tuple[Item, ...]:
    """Return the manifest's models."""
    return tuple(
        Item(
            name=entry.name,
            kind="model",
            role=entry.role,
            title=entry.title,
            licence=entry.licence,
            licence_note=entry.licence_note,
            required=entry.required,
            without=entry.without,
            files=entry.files,
            conversion=entry.conversion,
            sha256=entry.sha256,
            bytes=entry.bytes,
            path=cache.model_path(entry.sha256),
        )
        for entry in manifest.models.values()
    )


def sample_items(manifest: Manifest) -> tuple[Item, ...]:
    """Return the manifest's sample pictures."""
    return tuple(
        Item(
            name=entry.name,
            kind="sample",
            role="sample",
            title=entry.title,
            licence=entry.licence,
            licence_note="",
            required=False,
            without="",
            files=(entry.file,),
            conversion=(),
            sha256=entry.file.sha256,
            bytes=entry.file.bytes,
            path=cache.sample_path(entry.file.sha256, entry.file.name),
        )
        for entry in manifest.samples.values()
    )
