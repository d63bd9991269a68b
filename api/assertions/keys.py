"""The folder of signing keys: made once, never overwritten, loaded with its chain checked.

root.pem             the root's certificate: public, pinned by relying parties
offline/root.key.pem its private key: to be moved to a medium that is kept in a safe
issuing-ca.pem       the issuing CA's certificate
issuing-ca.key.pem   its private key, needed to renew the leaf
signing.pem          leaf and issuing CA: what goes into `x5c`
signing.key.pem      the leaf's private key: the only one that a server needs
"""

import base64
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from api.assertions.authority import KeyPair, make_issuing_ca, make_leaf, make_root
from api.assertions.chain import (
    UNREADABLE,
    issuers_named_by,
    load_pem,
    load_roots,
    signing_key_of,
    verify_path,
)
from api.assertions.errors import (
    ChainExpiredError,
    ChainUnpinnedRootError,
    KeysExistError,
    KeysPasswordError,
    KeysPasswordWeakError,
    KeyUsageMissingError,
    RootsUnusableError,
    SigningKeyExpiredError,
    SigningKeyUnusableError,
)
from api.assertions.es256 import PrivateKeySigner

ROOT = "root.pem"
ROOT_KEY = "offline/root.key.pem"
ISSUING_CA = "issuing-ca.pem"
ISSUING_CA_KEY = "issuing-ca.key.pem"
SIGNING = "signing.pem"
SIGNING_KEY = "signing.key.pem"

MIN_PASSWORD_LENGTH = 12
"""PBKDF2 in the PEM files has 2048 rounds, which cryptography fixes: length must do the rest."""


@dataclass(frozen=True)
class SigningKey:
    """What signs assertions: the leaf's private key with its certificates."""

    issuer: str
    """The `iss` that the leaf speaks for."""
    x5c: tuple[str, ...] = field(repr=False)
    """Leaf and issuing CA, base64 of DER (RFC 7515 §4.1.6)."""
    not_before: datetime
    not_after: datetime
    """Validity of the leaf."""
    private_key: ec.EllipticCurvePrivateKey = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """Return the ES256 signature, as `jws.Signer` has it."""
        return PrivateKeySigner(self.private_key).sign(message)


@dataclass(frozen=True)
class CertificateSummary:
    """One certificate of the folder, for people."""

    file: str
    subject: str
    sha256: str
    """Fingerprint of the DER certificate, lower-case hex."""
    not_before: datetime
    not_after: datetime
    issuer_identifiers: tuple[str, ...]
    """The `iss` values that it speaks for; empty for a CA."""


def init(
    folder: Path,
    *,
    name: str = "chinhchu",
    issuer: str | None = None,
    password: str | None,
    at: datetime | None = None,
) -> SigningKey:
    """Make root, issuing CA and leaf in a folder that is empty or not there yet.

    Args:
        folder: where the six files go; private ones get mode 0600 (on Windows they inherit the
            folder's access list).
        name: the organisation.
        issuer: the `iss` of the assertions, a URI; a random ``urn:uuid:…`` if None.
        password: encrypts the three private keys; None leaves them open, for demonstrations.
        at: when validity begins; now if None.

    Raises:
        KeysExistError: the folder holds something.
        KeysPasswordWeakError: the password has fewer than 12 characters.
        SigningKeyUnusableError: the name or issuer is unfit, or the folder cannot be written.
    """
    issuer = issuer or f"urn:uuid:{uuid.uuid4()}"
    if not urlsplit(issuer).scheme or not issuer.isascii() or " " in issuer:
        raise SigningKeyUnusableError("the issuer must be a URI, such as https://office.example")
    encryption = _encryption(password)
    # RFC 5280 appendix A.1, ub-organization-name
    if not 0 < len(name.strip()) <= 64 or not name.isprintable():
        raise SigningKeyUnusableError("the name must have 1 to 64 characters")
    begin = at or datetime.now(UTC)
    root = make_root(name, begin)
    issuing_ca = make_issuing_ca(name, root, begin)
    leaf = make_leaf(name, issuer, issuing_ca, begin)
    private = {
        ROOT_KEY: _pem(root, encryption),
        ISSUING_CA_KEY: _pem(issuing_ca, encryption),
        SIGNING_KEY: _pem(leaf, encryption),
    }
    public = {
        ROOT: _certificates(root),
        ISSUING_CA: _certificates(issuing_ca),
        SIGNING: _certificates(leaf, issuing_ca),
    }
    _write(folder, private, public)
    return signing_key(leaf.private_key, (leaf.certificate, issuing_ca.certificate))


def load(folder: Path, password: str | None, *, at: datetime | None = None) -> SigningKey:
    """Load the signing key and check it as a relying party would.

    Args:
        folder: as `init` made it; the root's and the issuing CA's private keys may be elsewhere.
        password: None for a key that is not encrypted.
        at: the time at which it must be valid; now if None.

    Raises:
        SigningKeyUnusableError: a file is missing or wrong, or key and chain do not fit.
        KeysPasswordError: the password is missing or wrong.
        SigningKeyExpiredError: leaf or CA is not valid at that time.
    """
    try:
        key_pem = (folder / SIGNING_KEY).read_bytes()
        chain = load_pem((folder / SIGNING).read_bytes())
        roots = load_roots((folder / ROOT).read_bytes())
    except (OSError, RootsUnusableError, *UNREADABLE):
        raise SigningKeyUnusableError(
            f"{folder} does not hold a signing key with its certificates (chinhchu keys init)"
        ) from None
    private_key = _decrypt(key_pem, password)
    try:
        verify_path(chain, roots, at or datetime.now(UTC))
        public_key = signing_key_of(chain[0])
    except ChainExpiredError:
        raise SigningKeyExpiredError(
            "the signing certificate is not valid now; a new one is needed"
        ) from None
    except (ChainUnpinnedRootError, KeyUsageMissingError):
        raise SigningKeyUnusableError("the signing certificate does not fit its root") from None
    if private_key.public_key() != public_key:
        raise SigningKeyUnusableError("the signing key does not fit its certificate")
    return signing_key(private_key, chain)


def describe(folder: Path) -> tuple[CertificateSummary, ...]:
    """Return what the certificates of a folder say; needs no password.

    Raises:
        SigningKeyUnusableError: one of them is missing or unreadable.
    """
    summaries = []
    for name in (ROOT, ISSUING_CA, SIGNING):
        try:
            certificate = load_pem((folder / name).read_bytes())[0]
        except (OSError, *UNREADABLE):
            raise SigningKeyUnusableError(f"{folder / name} is not a certificate") from None
        summaries.append(
            CertificateSummary(
                file=name,
                subject=certificate.subject.rfc4514_string(),
                sha256=certificate.fingerprint(hashes.SHA256()).hex(),
                not_before=certificate.not_valid_before_utc,
                not_after=certificate.not_valid_after_utc,
                issuer_identifiers=issuers_named_by(certificate),
            )
        )
    return tuple(summaries)


def signing_key(
    private_key: ec.EllipticCurvePrivateKey, chain: tuple[x509.Certificate, ...]
) -> SigningKey:
    """Put a private key and its checked chain, leaf first, together.

    Raises:
        SigningKeyUnusableError: the leaf does not name exactly one issuer.
    """
    issuers = issuers_named_by(chain[0])
    if len(issuers) != 1:
        raise SigningKeyUnusableError("the signing certificate must name one issuer as a URI")
    ders = (certificate.public_bytes(serialization.Encoding.DER) for certificate in chain)
    return SigningKey(
        issuer=issuers[0],
        x5c=tuple(base64.b64encode(der).decode("ascii") for der in ders),
        not_before=chain[0].not_valid_before_utc,
        not_after=chain[0].not_valid_after_utc,
        private_key=private_key,
    )


def _decrypt(pem: bytes, password: str | None) -> ec.EllipticCurvePrivateKey:
    encrypted = b"ENCRYPTED" in pem
    if encrypted and not password:
        raise KeysPasswordError("the signing key is encrypted; its password is missing")
    try:
        key = serialization.load_pem_private_key(
            pem, password.encode() if encrypted and password else None
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        if encrypted:
            raise KeysPasswordError("the password does not open the signing key") from None
        raise SigningKeyUnusableError("the signing key is not a private key in PEM") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise SigningKeyUnusableError("the signing key is not an elliptic curve key")
    return key


def _encryption(password: str | None) -> serialization.KeySerializationEncryption:
    if password is None:
        return serialization.NoEncryption()
    if len(password) < MIN_PASSWORD_LENGTH:
        raise KeysPasswordWeakError(f"the password needs {MIN_PASSWORD_LENGTH} characters")
    return serialization.BestAvailableEncryption(password.encode())


def _pem(pair: KeyPair, encryption: serialization.KeySerializationEncryption) -> bytes:
    return pair.private_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def _certificates(*pairs: KeyPair) -> bytes:
    return b"".join(pair.certificate.public_bytes(serialization.Encoding.PEM) for pair in pairs)


def _write(folder: Path, private: Mapping[str, bytes], public: Mapping[str, bytes]) -> None:
    """Write all files into a folder that must be empty; private ones for the owner only."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if any(folder.iterdir()):
            raise KeysExistError(f"{folder} is not empty; keys are never overwritten")
        for files, mode in ((private, 0o600), (public, 0o644)):
            for name, data in files.items():
                path = folder / name
                path.parent.mkdir(exist_ok=True, mode=0o700)
                # Exclusive creation with its final mode: never readable by others in between.
                with os.fdopen(os.open(path, _EXCLUSIVE, mode), "wb") as file:
                    file.write(data)
    except OSError as error:
        reason = error.strerror or "cannot be written"
        raise SigningKeyUnusableError(f"{folder}: {reason}") from None


_EXCLUSIVE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
