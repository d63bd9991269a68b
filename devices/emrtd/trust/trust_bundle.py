"""A whole trust store in one file, for a counter without a network.

What is in it is bound by one digest, and counts only where the importer knows that digest from
elsewhere or has the public key of whoever signed it. It replaces the store that it is imported
into: the trust list's id is the same at both ends.
"""

import hashlib
import hmac
from dataclasses import asdict
from typing import Any

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from devices.emrtd.crypto.public_keys import PublicKey, verify_signature
from devices.emrtd.crypto.signature_algorithms import Scheme, SignatureAlgorithm
from devices.emrtd.errors import TrustBundleRefusedError
from devices.emrtd.trust.certificates import parse_certificate
from devices.emrtd.trust.crl import parse_crl
from devices.emrtd.trust.trust_store import MasterListEntry, TrustStore
from devices.errors import DeviceError

MAX_BUNDLE_BYTES = 64 << 20
_FORMAT = "chinhchu-trust-bundle"
_VERSION = 1
_ECDSA_SHA256 = SignatureAlgorithm(Scheme.ECDSA, "sha256")
_MAGIC = cbor2.dumps({"format": _FORMAT}, canonical=True)[1:]


def is_bundle(data: bytes) -> bool:
    """Return whether a file claims to be a bundle."""
    return data[1:].startswith(_MAGIC)


def bundle_digest(data: bytes) -> str:
    """Return the digest that announces a bundle: SHA-256 of its payload, hexadecimal.

    Raises:
        TrustBundleRefusedError: it is malformed.
    """
    return hashlib.sha256(_envelope(data)["payload"]).hexdigest()


def export_bundle(store: TrustStore, key: ec.EllipticCurvePrivateKey | None = None) -> bytes:
    """Return the store as one file; without a key, the same store gives the same bytes.

    Args:
        store: what to export.
        key: signs the bundle (ECDSA with SHA-256), where there is one.
    """
    payload = cbor2.dumps(
        {
            "certificates": [
                [certificate.der, list(store.sources[digest])]
                for digest, certificate in sorted(store.certificates.items())
            ],
            "crls": [crl.der for _, crl in sorted(store.crls.items())],
            "master_lists": [asdict(e) for _, e in sorted(store.master_lists.items())],
        },
        canonical=True,
    )
    signature = key.sign(payload, ec.ECDSA(hashes.SHA256())) if key else None
    envelope = {"format": _FORMAT, "version": _VERSION, "payload": payload, "signature": signature}
    return cbor2.dumps(envelope, canonical=True)


def import_bundle(
    data: bytes, store: TrustStore, *, digest: str | None, signer: PublicKey | None
) -> TrustStore:
    """Return the store of a bundle, with the floors of the store that it replaces.

    Args:
        data: the bundle.
        store: the store that is replaced.
        digest: what `bundle_digest` must be, known from elsewhere.
        signer: whose signature the bundle must have; one of the two is needed.

    Raises:
        TrustBundleRefusedError: it is malformed, or not the one that was announced.
    """
    envelope = _envelope(data)
    payload, signature = envelope["payload"], envelope["signature"]
    if digest is None and signer is None:
        raise TrustBundleRefusedError("a bundle needs its digest or its signer's key to count")
    if digest is not None:
        found = hashlib.sha256(payload).hexdigest()
        if not hmac.compare_digest(found, digest.lower()):
            raise TrustBundleRefusedError("the bundle has another digest than was announced")
    if signer is not None:
        try:
            verify_signature(signer, _ECDSA_SHA256, None, signature or b"", payload)
        except (InvalidSignature, DeviceError):
            raise TrustBundleRefusedError("the bundle is not signed with the given key") from None
    return _store(payload, store)


def _envelope(data: bytes) -> dict[str, Any]:
    malformed = TrustBundleRefusedError("the bundle is malformed or of another version")
    envelope = _decode(data, malformed)
    if set(envelope) != {"format", "version", "payload", "signature"}:
        raise malformed
    if (envelope["format"], envelope["version"]) != (_FORMAT, _VERSION):
        raise malformed
    if not isinstance(envelope["payload"], bytes):
        raise malformed
    if not isinstance(envelope["signature"], bytes | None):
        raise malformed
    return envelope


def _store(payload: bytes, before: TrustStore) -> TrustStore:
    malformed = TrustBundleRefusedError("the contents of the bundle are malformed")
    content = _decode(payload, malformed)
    try:
        entries = [(parse_certificate(d), tuple(map(str, s))) for d, s in content["certificates"]]
        crls = [parse_crl(data) for data in content["crls"]]
        lists = [MasterListEntry(**entry) for entry in content["master_lists"]]
    except (KeyError, TypeError, ValueError, DeviceError):
        raise malformed from None
    return TrustStore(
        certificates={certificate.sha256: certificate for certificate, _ in entries},
        sources={certificate.sha256: sources for certificate, sources in entries},
        crls={crl.sha256: crl for crl in crls},
        master_lists={entry.root_sha256: entry for entry in lists},
        policy=before.policy,
    )


def _decode(data: bytes, malformed: TrustBundleRefusedError) -> dict[str, Any]:
    if len(data) > MAX_BUNDLE_BYTES:
        raise malformed
    try:
        content = cbor2.loads(data)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError, MemoryError):
        raise malformed from None
    if not isinstance(content, dict):
        raise malformed
    return content
