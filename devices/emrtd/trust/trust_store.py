"""A folder of trust anchors: one file a certificate or CRL, and a manifest that binds them.

`trust.json` names every file with its digest, so that a file that was altered, cut off or slipped
in does not count. A folder without it is read as it is: every certificate and CRL in it.
`policy.toml`, if it is there, holds the floors (`trust_policy.TrustPolicy`).

Source: ICAO Doc 9303-12, 4.1, 5 and 8.
"""

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from devices.emrtd.errors import CrlUnusableError, KeyUnsupportedError, TrustAnchorsUnusableError
from devices.emrtd.trust.certificates import MAX_CERTIFICATE_BYTES, Certificate, parse_certificate
from devices.emrtd.trust.crl import MAX_CRL_BYTES, Crl, parse_crl
from devices.emrtd.trust.csca import BY_HAND, TrustAnchors
from devices.emrtd.trust.trust_policy import DEFAULT_POLICY, TrustPolicy, parse_policy

MANIFEST = "trust.json"
POLICY = "policy.toml"
_FORMAT = "chinhchu-trust-store"
_VERSION = 1
_CERTIFICATE_SUFFIXES = {".der", ".cer", ".crt", ".pem"}
_CRL_SUFFIX = ".crl"
_MAX_FILES = 20_000
_MAX_MANIFEST_BYTES = 32 << 20
_MAX_POLICY_BYTES = 64 << 10


@dataclass(frozen=True)
class MasterListEntry:
    """A master list that was imported."""

    root_sha256: str
    """The pinned root: at most one list a root is in a store."""
    sha256: str
    signed_at: str
    """ISO 8601."""
    certificates: int


@dataclass(frozen=True)
class TrustStore:
    """What a store holds, in memory."""

    certificates: dict[str, Certificate] = field(default_factory=dict)
    """By SHA-256."""
    sources: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """SHA-256 of a certificate to where it came from: `file`, or a master list's `root_sha256`."""
    crls: dict[str, Crl] = field(default_factory=dict)
    """By SHA-256."""
    master_lists: dict[str, MasterListEntry] = field(default_factory=dict)
    """By `root_sha256`."""
    policy: TrustPolicy = DEFAULT_POLICY
    unlisted: tuple[str, ...] = ()
    """Names of certificate and CRL files in the folder that the manifest does not name."""

    @cached_property
    def anchors(self) -> TrustAnchors:
        """What the verifier uses of it."""
        return TrustAnchors(
            tuple(self.certificates.values()),
            tuple(self.crls.values()),
            self.policy,
            self.sources,
        )


def load_trust_anchors(path: Path) -> TrustAnchors:
    """Return the trust anchors of a store, or of a plain folder.

    Raises:
        TrustAnchorsUnusableError: the folder or a file in it cannot be read, or was altered.
    """
    return open_store(path).anchors


def open_store(path: Path) -> TrustStore:
    """Return a store, or what a plain folder of certificates and CRLs holds.

    Raises:
        TrustAnchorsUnusableError: the folder or a file in it cannot be read, or was altered.
    """
    if (path / MANIFEST).is_file():
        return load_store(path)
    certificates, crls = {}, {}
    for file in _files(path):
        if file.suffix.lower() == _CRL_SUFFIX:
            crl = _crl(file.name, _read(file, MAX_CRL_BYTES))
            crls[crl.sha256] = crl
        else:
            certificate = _certificate(file.name, _read(file, MAX_CERTIFICATE_BYTES))
            certificates[certificate.sha256] = certificate
    sources: dict[str, tuple[str, ...]] = dict.fromkeys(certificates, (BY_HAND,))
    return TrustStore(certificates, sources, crls, policy=_policy(path))


def load_store(path: Path) -> TrustStore:
    """Return a store; an empty one where the folder has no manifest yet.

    Raises:
        TrustAnchorsUnusableError: the manifest is malformed, or a file that it names is missing,
            altered or malformed.
    """
    if not (path / MANIFEST).is_file():
        return TrustStore(policy=_policy(path))
    manifest = _manifest(path)
    certificates, sources, crls = {}, {}, {}
    for entry in manifest["certificates"]:
        data = _listed(path, entry, MAX_CERTIFICATE_BYTES)
        certificates[entry["sha256"]] = _certificate(entry["file"], data)
        sources[entry["sha256"]] = tuple(entry["sources"])
    for entry in manifest["crls"]:
        crls[entry["sha256"]] = _crl(entry["file"], _listed(path, entry, MAX_CRL_BYTES))
    named = {entry["file"] for kind in ("certificates", "crls") for entry in manifest[kind]}
    return TrustStore(
        certificates=certificates,
        sources=sources,
        crls=crls,
        master_lists={e["root_sha256"]: MasterListEntry(**e) for e in manifest["master_lists"]},
        policy=_policy(path),
        unlisted=tuple(file.name for file in _files(path) if file.name not in named),
    )


def save_store(path: Path, store: TrustStore) -> None:
    """Write a store so that whoever reads the folder finds the old one or the new one, whole.

    Raises:
        TrustAnchorsUnusableError: the folder cannot be written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        before = _manifest(path) if (path / MANIFEST).is_file() else _EMPTY
        contents = {
            _file_name(certificate.country, digest, ".cer"): certificate.der
            for digest, certificate in store.certificates.items()
        } | {
            _file_name(crl.issuer.country, digest, _CRL_SUFFIX): crl.der
            for digest, crl in store.crls.items()
        }
        # A file's name says what is in it, so that none is ever overwritten with something else.
        for name, data in contents.items():
            if not (path / name).is_file() or (path / name).read_bytes() != data:
                _replace(path / name, data)
        text = json.dumps(_as_manifest(store), indent=1, sort_keys=True)
        _replace(path / MANIFEST, text.encode("utf-8"))
        for kind in ("certificates", "crls"):
            for entry in before[kind]:
                if entry["file"] not in contents:
                    (path / entry["file"]).unlink(missing_ok=True)
    except OSError as error:
        raise TrustAnchorsUnusableError(
            f"{path} cannot be written to: {error.strerror or 'unknown reason'}"
        ) from None


_EMPTY: dict[str, Any] = {"certificates": [], "crls": [], "master_lists": []}


def _as_manifest(store: TrustStore) -> dict[str, Any]:
    return {
        "format": _FORMAT,
        "version": _VERSION,
        "certificates": [
            {
                "sha256": digest,
                "file": _file_name(certificate.country, digest, ".cer"),
                "sources": list(store.sources[digest]),
            }
            for digest, certificate in store.certificates.items()
        ],
        "crls": [
            {"sha256": digest, "file": _file_name(crl.issuer.country, digest, _CRL_SUFFIX)}
            for digest, crl in store.crls.items()
        ],
        "master_lists": [asdict(entry) for entry in store.master_lists.values()],
    }


def _manifest(path: Path) -> dict[str, Any]:
    malformed = TrustAnchorsUnusableError(f"{path / MANIFEST} is malformed or of another version")
    try:
        manifest = json.loads(_read(path / MANIFEST, _MAX_MANIFEST_BYTES))
        if (manifest["format"], manifest["version"]) != (_FORMAT, _VERSION):
            raise malformed
        entries = [*manifest["certificates"], *manifest["crls"]]
        texts = [e[key] for e in entries for key in ("sha256", "file")]
        texts += [source for e in manifest["certificates"] for source in e["sources"]]
        lists = [MasterListEntry(**entry) for entry in manifest["master_lists"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise malformed from None
    is_sound = all(isinstance(text, str) for text in texts) and all(
        isinstance(entry.root_sha256, str) and isinstance(entry.signed_at, str) for entry in lists
    )
    if not is_sound or len(entries) > _MAX_FILES:
        raise malformed
    return dict(manifest)


def _listed(path: Path, entry: dict[str, Any], limit: int) -> bytes:
    """Return the contents of a file of the manifest, which must be the ones that it names."""
    name = entry["file"]
    if Path(name).name != name or name in ("", ".", ".."):
        raise TrustAnchorsUnusableError("the manifest names a file outside its folder")
    data = _read(path / name, limit)
    if hashlib.sha256(data).hexdigest() != entry["sha256"]:
        raise TrustAnchorsUnusableError(f"{name} is not the file that was imported")
    return data


def _files(path: Path) -> list[Path]:
    wanted = {*_CERTIFICATE_SUFFIXES, _CRL_SUFFIX}
    try:
        files = sorted(file for file in path.iterdir() if file.suffix.lower() in wanted)
    except OSError:
        raise TrustAnchorsUnusableError(f"{path} is not a readable folder") from None
    if len(files) > _MAX_FILES:
        raise TrustAnchorsUnusableError(f"{path} holds too many files")
    return files


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError:
        raise TrustAnchorsUnusableError(f"{path.name} cannot be read") from None
    if len(data) > limit:
        raise TrustAnchorsUnusableError(f"{path.name} is too large")
    return data


def _certificate(name: str, data: bytes) -> Certificate:
    try:
        return parse_certificate(data)
    except KeyUnsupportedError:
        raise TrustAnchorsUnusableError(f"{name} is not an X.509 certificate") from None


def _crl(name: str, data: bytes) -> Crl:
    try:
        return parse_crl(data)
    except CrlUnusableError as error:
        raise TrustAnchorsUnusableError(f"{name}: {error}") from None


def _policy(path: Path) -> TrustPolicy:
    file = path / POLICY
    if not file.is_file():
        return DEFAULT_POLICY
    return parse_policy(_read(file, _MAX_POLICY_BYTES).decode("utf-8", "replace"))


def _file_name(country: str | None, digest: str, suffix: str) -> str:
    place = country if country and country.isascii() and country.isalpha() else "XX"
    return f"{place[:3]}-{digest[:32]}{suffix}"


def _replace(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
