"""The files that models were made of, as they were published.

The cache holds converted models. Here their sources are kept beside them, for the next run.
"""

import os
from pathlib import Path

from biometrics.manifest import Manifest, SourceFile
from biometrics.weights import cache
from biometrics.weights.conversion import QUICKENING, convert
from biometrics.weights.sources import Sources


def published_file(manifest: Manifest, file: SourceFile) -> Path:
    """Return a published file, with the manifest's digest; fetched if it was never kept.

    Raises:
        FileUnobtainableError: it can no longer be had.
    """
    path = cache.cache_folder() / "published" / file.name
    if not (path.is_file() and cache.digest(path) == file.sha256):
        folder = Path(os.environ.get("CHINHCHU_TEST_DATA", "../shared/data")) / "models"
        sources = Sources(manifest, [folder] if folder.is_dir() else [])
        data = sources.obtain(file, lambda _: None).data
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return path


def shipped_model(manifest: Manifest, name: str) -> bytes:
    """Return a model as it is published, but for what makes onnxruntime run it.

    Raises:
        FileUnobtainableError: a published file can no longer be had.
    """
    entry = manifest.model(name)
    files = {file.name: published_file(manifest, file).read_bytes() for file in entry.files}
    return convert([step for step in entry.conversion if step not in QUICKENING], files)
