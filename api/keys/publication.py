"""What relying parties get of the keys, as files: all public, complete, for machines offline too.

root.pem                  to be pinned, after its SHA-256 was compared by another way
issuing-ca.pem            the issuing CAs, newest first
root.crl, NAME.crl        revocation lists in DER, and beside them in PEM (.crl.pem)
jwks.json                 the leaves' keys (RFC 7517)
jwt-vc-issuer.json        issuer metadata, only where the `iss` is an https URL
manifest.json             issuer, time, and the SHA-256 of each file above
SHA256SUMS                of all of them: `sha256sum -c SHA256SUMS`

A key stays in jwks.json when its leaf has expired, for assertions are verified years later; a
revoked one does not.

Source: RFC 7517 §4 and §5, RFC 7638 (kid), SD-JWT VC, "JWT VC Issuer
Metadata" (an embedded `jwks`, or `jwks_uri`, never both).
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from api.assertions.chain import issuers_named_by
from api.assertions.encoding import b64url_encode
from api.assertions.jwk import thumbprint, to_jwk
from api.keys.errors import KeyFolderUnusableError, PublicationUnusableError
from api.keys.files import write_file
from api.keys.folder import ROOT, KeyFolder, StoredCertificate
from api.keys.revocation import carries_on

ISSUING_CA = "issuing-ca.pem"
JWKS = "jwks.json"
ISSUER_METADATA = "jwt-vc-issuer.json"
MANIFEST = "manifest.json"
SHA256SUMS = "SHA256SUMS"

MEDIA_TYPES = {
    ".pem": "application/pem-certificate-chain",  # RFC 8555 §9.1
    ".crl": "application/pkix-crl",  # RFC 5280 §4.2.1.13
    ".crl.pem": "application/x-pem-file",
    JWKS: "application/jwk-set+json",  # RFC 7517 §8.5
    ".json": "application/json",
    SHA256SUMS: "text/plain; charset=utf-8",
}
"""By name, else by everything from the first dot on."""


@dataclass(frozen=True)
class PublishedFile:
    """One file for relying parties."""

    data: bytes = field(repr=False)
    media_type: str
    sha256: str
    """Lower-case hex."""


@dataclass(frozen=True)
class Publication:
    """Everything that relying parties get of the keys."""

    issuer: str
    """The `iss`."""
    files: Mapping[str, PublishedFile] = field(repr=False)
    """By name."""

    def write(self, folder: Path) -> None:
        """Write all files into a folder that is new, empty, or holds an earlier publication.

        Raises:
            PublicationUnusableError: it holds something else, another root's keys, or a later
                revocation list; or it cannot be written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._check_before(folder)
            for name, file in self.files.items():
                write_file(folder / name, file.data, replace=True)
        except OSError as error:
            reason = error.strerror or "cannot be written"
            raise PublicationUnusableError(f"{folder}: {reason}") from None
        except KeyFolderUnusableError as error:
            raise PublicationUnusableError(str(error)) from None

    def _check_before(self, folder: Path) -> None:
        """Refuse a folder whose files are not an earlier publication of these keys."""
        present = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
        # One that was interrupted has no manifest yet.
        if MANIFEST not in present and present - set(self.files):
            raise PublicationUnusableError(f"{folder} holds something else than published keys")
        if ROOT in present and (folder / ROOT).read_bytes() != self.files[ROOT].data:
            raise PublicationUnusableError(
                f"{folder} holds the keys of another root; take another folder"
            )
        for name in sorted(present & set(self.files)):
            if name.endswith(".crl") and _is_later((folder / name).read_bytes(), self.files[name]):
                raise PublicationUnusableError(
                    f"{folder / name} is a later revocation list than that of the keys, or has a "
                    "revocation that theirs lacks: put it back into their folder"
                )


def publish(folder: KeyFolder, at: datetime) -> Publication:
    """Return what is published of a folder of keys.

    Args:
        folder: what is in it.
        at: what the manifest gives as its time.

    Raises:
        PublicationUnusableError: there is no leaf.
    """
    if not folder.leaves:
        raise PublicationUnusableError("there is no signing certificate to publish")
    (issuer,) = issuers_named_by(folder.leaves[-1].certificate)
    newest_first = [ca.certificate for ca in reversed(folder.issuing_cas)]
    data = {ROOT: _pem(folder.root), ISSUING_CA: b"".join(map(_pem, newest_first))}
    for name, found in sorted(folder.lists.items()):
        data[f"{name}.crl"] = found.public_bytes(serialization.Encoding.DER)
        data[f"{name}.crl.pem"] = found.public_bytes(serialization.Encoding.PEM)
    jwks = key_set(folder)
    data[JWKS] = _json(jwks)
    if urlsplit(issuer).scheme == "https":
        # The keys themselves instead of jwks_uri: the file is of use without a network.
        data[ISSUER_METADATA] = _json({"issuer": issuer, "jwks": jwks})
    manifest = {
        "issuer": issuer,
        "published_at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "root_sha256": folder.root.fingerprint(hashes.SHA256()).hex(),
        "files": {name: {"sha256": _sha256(d), "bytes": len(d)} for name, d in data.items()},
    }
    data[MANIFEST] = _json(manifest)
    sums = "".join(f"{_sha256(d)}  {name}\n" for name, d in sorted(data.items()))
    data[SHA256SUMS] = sums.encode("ascii")
    return Publication(issuer, {name: _file(name, d) for name, d in data.items()})


def key_set(folder: KeyFolder) -> dict[str, Any]:
    """Return the JWK set of all leaves that are not revoked, newest first."""
    return {"keys": [_jwk(s) for s in reversed(folder.leaves) if s.name not in folder.revoked]}


def _jwk(stored: StoredCertificate) -> dict[str, Any]:
    key = stored.certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)  # `KeyFolder` holds no other leaf
    ders = [c.public_bytes(serialization.Encoding.DER) for c in stored.chain]
    return {
        **to_jwk(key),
        "kid": thumbprint(key),
        "alg": "ES256",
        "use": "sig",
        "x5c": [base64.b64encode(der).decode("ascii") for der in ders],
        "x5t#S256": b64url_encode(hashlib.sha256(ders[0]).digest()),
    }


def _file(name: str, data: bytes) -> PublishedFile:
    suffix = name[name.index(".") :] if "." in name else ""
    media_type = MEDIA_TYPES.get(name) or MEDIA_TYPES[suffix]
    return PublishedFile(data, media_type, _sha256(data))


def _is_later(present: bytes, new: PublishedFile) -> bool:
    try:
        found = x509.load_der_x509_crl(present)
        return not carries_on(x509.load_der_x509_crl(new.data), found)
    except (ValueError, x509.ExtensionNotFound):  # it is damaged: a new one is what it needs
        return False


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _json(value: Any) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
