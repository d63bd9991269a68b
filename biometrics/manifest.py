"""The manifest of models and sample pictures: what each is, its digest, its contract, its limits.

`models/manifest.toml` is data only; this module reads it, checks all of it, and hands out frozen
values. Thresholds are read from here and from nowhere else.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    ConfigDict,
    Field,
    FiniteFloat,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    TypeAdapter,
    ValidationError,
)
from pydantic.dataclasses import dataclass

from biometrics.errors import BiometricsError

MAX_MANIFEST_BYTES = 1 << 20

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$")]
MemberPath = Annotated[str, Field(pattern=r"^([A-Za-z0-9_@][A-Za-z0-9._@+-]*/)*[A-Za-z0-9_.-]+$")]
HttpsUrl = Annotated[str, Field(pattern=r"^https://[a-z0-9.-]+(:[0-9]+)?/[^\s?#]+$")]
Text = Annotated[str, Field(min_length=1)]
Point = tuple[FiniteFloat, FiniteFloat]
ByteCount = Annotated[int, Field(gt=0, le=1 << 30)]

Role = Literal["detection", "landmarks", "embedding", "pad", "text-detection", "text-recognition"]
"""What a model is for. `pad`: presentation-attack detection (ISO/IEC 30107-1); those for text read
the machine-readable zone of a photographed card."""

_STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)


class ManifestInvalidError(BiometricsError):
    """The manifest is missing, malformed, or does not hold what was asked of it."""

    code: ClassVar[str] = "manifest-invalid"


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Package:
    """One archive of a package registry, pinned by version and digest."""

    kind: Literal["wheel", "sdist", "npm"]
    name: Annotated[str, Field(pattern=r"^(@[a-z0-9-]+/)?[A-Za-z0-9][A-Za-z0-9._-]*$")]
    version: Annotated[str, Field(pattern=r"^[0-9][0-9A-Za-z.+-]*$")]
    sha256: Sha256
    """Digest of the archive; checked before anything in it is read."""
    bytes: ByteCount
    platform: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")] | None = None
    """Wheel platform tag to ask for, where only one platform's wheel is pinned (data in it is
    the same on all)."""
    python: Annotated[str, Field(pattern=r"^3\.[0-9]+$")] | None = None
    """Wheel Python version to ask for, with `platform`."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class PackageSource:
    """A member of one of the manifest's packages."""

    package: Name
    member: MemberPath


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class UrlSource:
    """A file in its upstream repository, at a fixed commit."""

    url: HttpsUrl


Source = PackageSource | UrlSource


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class SourceFile:
    """A file as its author published it. Whatever source it comes from, the digest decides."""

    name: FileName
    sha256: Sha256
    bytes: ByteCount
    sources: tuple[Source, ...] = ()
    """Tried in order; a local folder, where one is given, comes before or after them. None: it
    comes from such a folder only."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class InputContract:
    """The tensor a model takes: float32, one image or a batch, value = (pixel - mean) / divisor."""

    tensor: Text
    """Name of the input tensor."""
    width: PositiveInt
    height: PositiveInt
    """Pixels. With `size_multiple`, the size that the figures were measured at."""
    size_multiple: PositiveInt | None = None
    """Both sides may be any multiple of this many pixels; None: the size is fixed."""
    colour_order: Literal["BGR", "RGB"]
    layout: Literal["NCHW", "NHWC"]
    mean: FiniteFloat
    divisor: PositiveFloat
    crop: Literal["frame", "five-points", "square", "box", "text-line"]
    """`frame`: the whole picture; `five-points`: five points of the face laid on `template`;
    `square`: upright square around the face box; `box`: the face box in its own shape;
    `text-line`: one upright line of text, of any width that is a multiple of 8."""
    crop_scale: PositiveFloat = 1.0
    """Side of the crop as a multiple of the face box."""
    template: Annotated[tuple[Point, ...], Field(min_length=5, max_length=5)] | None = None
    """Where eyes, nose tip and mouth corners lie in the crop of an embedding model, pixels, the
    subject's right first; None: the ArcFace 112 template, scaled to the crop's width."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class OperatingPoint:
    """A threshold, what it is compared with, and the data that it came from."""

    threshold: FiniteFloat
    unit: Text
    meaning: Text
    data: Text
    """What the threshold was chosen on; says so where it was not calibrated at all."""
    fmr: NonNegativeFloat | None = None
    """False match rate at this threshold on `data`, where it was measured."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class ModelEntry:
    """One model of the manifest."""

    title: Text
    role: Role
    required: bool
    """True: part of the default pack. False: a signal that may be missing, which is then said."""
    without: str = ""
    """What is not done, or done less well, where an optional model is not installed."""
    licence: Text
    licence_note: str = ""
    """What is doubtful about the licence, if anything."""
    files: Annotated[tuple[SourceFile, ...], Field(min_length=1)]
    conversion: tuple[Name, ...]
    """Steps of `biometrics.weights.conversion`, in order; empty: loaded as published."""
    sha256: Sha256
    """Digest of what is loaded: the file after conversion."""
    bytes: ByteCount
    input: InputContract
    outputs: Annotated[tuple[Text, ...], Field(min_length=1)]
    """Names of the output tensors."""
    dimensions: PositiveInt | None = None
    """Length of the vector that an embedding model gives."""
    operating_points: Mapping[Name, OperatingPoint] = Field(default_factory=dict)
    name: str = ""
    """The key in the manifest."""

    def threshold(self, name: str) -> float:
        """Return the threshold of the operating point `name`.

        Raises:
            ManifestInvalidError: the model has no operating point of that name.
        """
        point = self.operating_points.get(name)
        if point is None:
            raise ManifestInvalidError(f"model {self.name} has no operating point {name!r}")
        return point.threshold


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Sample:
    """A picture for demonstrations and tests: a public-domain portrait, by digest."""

    title: Text
    person: Name
    """Whose face it is: two samples of one person are a mated pair."""
    licence: Text
    file: SourceFile
    name: str = ""
    """The key in the manifest."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class CalibrationFile:
    """A file of `chinhchu calibrate`, in `calibrations/` beside the manifest."""

    name: FileName
    sha256: Sha256


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Comparison:
    """One way to compare two faces: embedding models and their calibration."""

    title: Text
    embeddings: Annotated[tuple[Name, ...], Field(min_length=1, max_length=8)]
    calibration: CalibrationFile | None = None
    """What makes their cosines a log-likelihood ratio, with operating points. None only until it
    is made: such a comparison can be calibrated, and decides nothing."""
    match: Name = "fmr-1e-4"
    """Operating point at or above which two faces are the same person's."""
    review: Name = "fmr-1e-3"
    """Operating point at or above which, below `match`, a person must look."""
    name: str = ""
    """The key in the manifest."""
    folder: str = ""
    """Where the manifest, or the pack, lies that names it."""


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Manifest:
    """All models and samples, and the digest of the manifest itself."""

    schema: Literal[1]
    packages: Mapping[Name, Package]
    models: Annotated[Mapping[Name, ModelEntry], Field(min_length=1)]
    samples: Mapping[Name, Sample]
    comparisons: Annotated[Mapping[Name, Comparison], Field(min_length=1)]
    """The first whose models are all installed is used."""
    pad_policy: CalibrationFile | None = None
    """How the signals of presentation-attack detection are weighed. Nothing passes without."""
    sha256: Sha256
    """Digest of manifest.toml (with a pack: of both digests); an assertion records it, for the
    thresholds are in it or in files whose digests are."""

    def model(self, name: str) -> ModelEntry:
        """Return the model `name`.

        Raises:
            ManifestInvalidError: there is none of that name.
        """
        if name not in self.models:
            known = ", ".join(self.models)
            raise ManifestInvalidError(f"the manifest has no model {name!r}; it has {known}")
        return self.models[name]

    def comparison(self, name: str) -> Comparison:
        """Return the comparison `name`.

        Raises:
            ManifestInvalidError: there is none of that name.
        """
        if name not in self.comparisons:
            known = ", ".join(self.comparisons)
            raise ManifestInvalidError(f"the manifest has no comparison {name!r}; it has {known}")
        return self.comparisons[name]

    def sample(self, name: str) -> Sample:
        """Return the sample picture `name`.

        Raises:
            ManifestInvalidError: there is none of that name.
        """
        if name not in self.samples:
            known = ", ".join(self.samples)
            raise ManifestInvalidError(f"the manifest has no sample {name!r}; it has {known}")
        return self.samples[name]


def manifest_path() -> Path:
    """Return where the manifest lies: inside an installed package, or in the source tree."""
    here = Path(__file__).resolve().parent
    packaged = here / "_models" / "manifest.toml"
    return packaged if packaged.is_file() else here.parent / "models" / "manifest.toml"


def load_manifest(path: Path | None = None, *, pack: Path | None = None) -> Manifest:
    """Read and check a manifest, and a pack of further models and comparisons if there is one.

    Args:
        path: another manifest than the project's own.
        pack: a file of the same form, which adds to the manifest and replaces nothing. Its
            comparisons come before the manifest's.

    Raises:
        ManifestInvalidError: one is missing, not TOML, anything in it is not as it should be, or
            the pack names what the manifest has.
    """
    path = path or manifest_path()
    tables, what = _tables(_read(path), path.parent), "the manifest"
    if pack is not None:
        what = f"the pack {pack.name}"
        tables = _join(tables, _tables(_read(pack), pack.parent, what))
    return _check(tables, what)


def parse_manifest(data: bytes) -> Manifest:
    """Parse and check the bytes of a manifest that lies where the project's own does.

    Raises:
        ManifestInvalidError: not TOML, or anything in it is not as it should be.
    """
    return _check(_tables(data, manifest_path().parent))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_MANIFEST_BYTES + 1)
    except OSError as error:
        raise ManifestInvalidError(f"cannot read {path}: {error.strerror}") from error
    if len(data) > MAX_MANIFEST_BYTES:
        raise ManifestInvalidError(f"{path} is larger than {MAX_MANIFEST_BYTES >> 20} MiB")
    return data


def _tables(data: bytes, folder: Path, what: str = "the manifest") -> dict[str, Any]:
    """Return the TOML with what only the reader knows: names, folder, digest."""
    try:
        tables = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ManifestInvalidError(f"{what} is not TOML: {error}") from error
    for group in ("models", "samples", "comparisons"):
        for key, entry in _entries(tables, group, what).items():
            if isinstance(entry, dict):
                entry["name"] = key
                if group == "comparisons":
                    entry["folder"] = str(folder)
    tables["sha256"] = hashlib.sha256(data).hexdigest()
    return tables


def _join(manifest: dict[str, Any], pack: dict[str, Any]) -> dict[str, Any]:
    for group in ("packages", "models", "samples", "comparisons"):
        ours, theirs = _entries(manifest, group), _entries(pack, group)
        for name in ours.keys() & theirs.keys():
            raise ManifestInvalidError(f"the pack names {name!r} again, which the manifest has")
        pack[group] = theirs | ours
    for model in _entries(pack, "models").values():
        if isinstance(model, dict) and model["name"] not in _entries(manifest, "models"):
            # Only the manifest's own default pack is asked of every installation.
            model["required"] = False
            model.setdefault("without", "the pack's comparison is not available")
    if "pad_policy" in pack:
        raise ManifestInvalidError("the pack names a PAD policy, which the manifest has")
    pack |= {k: manifest[k] for k in ("pad_policy",) if k in manifest}
    both = bytes.fromhex(manifest["sha256"]) + bytes.fromhex(pack["sha256"])
    return pack | {"sha256": hashlib.sha256(both).hexdigest()}


def _entries(tables: dict[str, Any], group: str, what: str = "the manifest") -> dict[str, Any]:
    entries = tables.get(group, {})
    if not isinstance(entries, dict):
        raise ManifestInvalidError(f"{what} is invalid at {group}: not a table")
    return entries


def _check(tables: dict[str, Any], what: str = "the manifest") -> Manifest:
    try:
        manifest = TypeAdapter(Manifest).validate_python(tables)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ManifestInvalidError(f"{what} is invalid at {place}: {first['msg']}") from error
    _check_entries(manifest)
    return manifest


def _check_entries(manifest: Manifest) -> None:
    for model in manifest.models.values():
        if model.required == bool(model.without):
            raise ManifestInvalidError(
                f"model {model.name} must be required, or say what is lost without it"
            )
        if model.role == "embedding" and model.dimensions is None:
            raise ManifestInvalidError(f"embedding model {model.name} must say its dimensions")
    for comparison in manifest.comparisons.values():
        for name in comparison.embeddings:
            if manifest.model(name).role != "embedding":
                raise ManifestInvalidError(
                    f"comparison {comparison.name} needs embedding models, and {name} is none"
                )
        if len(set(comparison.embeddings)) < len(comparison.embeddings):
            raise ManifestInvalidError(f"comparison {comparison.name} names a model twice")
    for name in manifest.models.keys() & manifest.samples.keys():
        raise ManifestInvalidError(f"{name!r} is the name of a model and of a sample")
    files = [file for model in manifest.models.values() for file in model.files]
    files += [sample.file for sample in manifest.samples.values()]
    for file in files:
        for source in file.sources:
            if isinstance(source, PackageSource) and source.package not in manifest.packages:
                raise ManifestInvalidError(
                    f"{file.name} names the package {source.package!r}, which is not listed"
                )
