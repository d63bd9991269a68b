"""The folder of keys: where everything lies, and what its certificates and lists say.

root.pem               the root's certificate: public, pinned by relying parties
offline/root.key.pem   its private key: to be moved to a medium that is kept in a safe
issuing/NAME.pem       an issuing CA's certificate; a renewed one lies beside it
issuing/NAME.key.pem   its private key, needed to renew leaves and to revoke
signing/NAME.pem       a leaf with its issuing CA: what goes into `x5c`
signing/NAME.key.pem   the leaf's private key: the only one that a server needs
crl/root.crl           which issuing CAs are revoked (DER), signed by the root
crl/NAME.crl           which leaves of that issuing CA are revoked, signed by it
keys.toml              only where private keys are in a security module: which one
init-unfinished        only while `init` is at work, or where it was interrupted

NAME is the day on which a certificate begins and the end of its serial number. Nothing is ever
overwritten but the lists, so that an old assertion's certificate and its revocation can be found.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec

from api.assertions import chain
from api.assertions.errors import SigningKeyUnusableError
from api.errors import ApiError
from api.keys.errors import KeyFolderUnusableError
from api.keys.files import read_file
from api.keys.keys_toml import TokenPlace, read_token_place

ROOT = "root.pem"
ROOT_KEY = "offline/root.key.pem"
ISSUING = "issuing"
SIGNING = "signing"
LISTS = "crl"
ROOT_LIST = "root"
UNFINISHED = "init-unfinished"
BEGIN_AGAIN = (
    "Where that was interrupted: nothing was signed with them, so delete the folder and make them "
    "again (chinhchu keys init)"
)
KEY_SUFFIX = ".key.pem"
MAX_CERTIFICATES = 1000
"""In one place; four leaves a year come together."""


@dataclass(frozen=True)
class StoredCertificate:
    """A certificate of the folder."""

    path: Path
    chain: tuple[x509.Certificate, ...] = field(repr=False)
    """The certificate, for a leaf with its issuing CA after it."""

    @property
    def name(self) -> str:
        """The NAME of its files."""
        return self.path.stem

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate itself."""
        return self.chain[0]

    @property
    def key_path(self) -> Path:
        """Where its private key is, unless that is in a security module or elsewhere."""
        return self.path.with_name(f"{self.name}{KEY_SUFFIX}")

    def covers(self, begin: datetime, end: datetime) -> bool:
        """Return whether all its certificates are valid from a time to another."""
        return all(
            c.not_valid_before_utc <= begin <= end <= c.not_valid_after_utc for c in self.chain
        )


@dataclass(frozen=True)
class Fault:
    """A leaf that cannot be used, and why."""

    name: str
    error: ApiError


@dataclass(frozen=True)
class KeyFolder:
    """What a folder of keys holds; every certificate and list in it is checked up to the root."""

    path: Path
    root: x509.Certificate = field(repr=False)
    issuing_cas: tuple[StoredCertificate, ...]
    """Oldest first."""
    leaves: tuple[StoredCertificate, ...]
    """Oldest first, without those that are in `faults`."""
    faults: tuple[Fault, ...]
    """Leaves that nobody can use; the others go on."""
    lists: dict[str, x509.CertificateRevocationList] = field(repr=False)
    """By NAME of the issuing CA, and `root`."""
    token: TokenPlace | None

    @classmethod
    def read(cls, path: Path) -> "KeyFolder":
        """Read and check a folder.

        Raises:
            KeyFolderUnusableError: the root, an issuing CA or a revocation list is missing,
                unreadable, or not signed by whom it must be; or `init` was interrupted.
        """
        if os.path.lexists(path / UNFINISHED):
            raise KeyFolderUnusableError(
                f"making the keys in {path} is not finished. {BEGIN_AGAIN}"
            )
        if not os.path.lexists(path / ROOT):
            raise KeyFolderUnusableError(f"{path} holds no keys (chinhchu keys init)")
        root = _root(path)
        cas = tuple(_issuing_ca(file, root) for file in _certificates(path / ISSUING))
        if not cas:
            raise KeyFolderUnusableError(f"{path} holds no keys (chinhchu keys init)")
        leaves: list[StoredCertificate] = []
        faults: list[Fault] = []
        for file in _certificates(path / SIGNING):
            try:
                leaves.append(_leaf(file, root, cas))
            except ApiError as error:
                faults.append(Fault(file.stem, error))
        signers = {ROOT_LIST: root} | {ca.name: ca.certificate for ca in cas}
        lists = {n: read_list(path / LISTS / f"{n}.crl", by) for n, by in signers.items()}
        return cls(
            path=path,
            root=root,
            issuing_cas=_by_age(cas),
            leaves=_by_age(leaves),
            faults=tuple(faults),
            lists=lists,
            token=read_token_place(path),
        )

    @cached_property
    def revoked(self) -> frozenset[str]:
        """The NAME of each leaf and issuing CA that is revoked, or whose issuing CA is."""
        return frozenset(
            stored.name
            for stored in (*self.issuing_cas, *self.leaves)
            if any(
                self.list_of(c).get_revoked_certificate_by_serial_number(c.serial_number)
                for c in stored.chain
            )
        )

    @property
    def signers(self) -> dict[str, x509.Certificate]:
        """Who signs each revocation list, by the list's NAME."""
        return {ROOT_LIST: self.root} | {ca.name: ca.certificate for ca in self.issuing_cas}

    @cached_property
    def list_numbers(self) -> dict[str, int]:
        """The number of each revocation list, by the NAME of its CA; it only ever rises."""
        return {name: number_of(found) for name, found in self.lists.items()}

    def list_of(self, certificate: x509.Certificate) -> x509.CertificateRevocationList:
        """Return the revocation list that would name a certificate of the folder.

        Raises:
            KeyFolderUnusableError: its issuer is not in the folder.
        """
        return self.lists[self.issuer_name_of(certificate)]

    def issuer_name_of(self, certificate: x509.Certificate) -> str:
        """Return the NAME of the issuing CA that signed a certificate, or `root`.

        Raises:
            KeyFolderUnusableError: it is not in the folder.
        """
        for name, issuer in self.signers.items():
            if _is_signed_by(certificate, issuer):
                return name
        raise KeyFolderUnusableError("the issuer of a certificate is not in the folder")

    def usable(
        self, among: tuple[StoredCertificate, ...], begin: datetime, end: datetime
    ) -> tuple[StoredCertificate, ...]:
        """Return those that are valid from a time to another and not revoked, newest first."""
        if not self.root.not_valid_before_utc <= begin <= end <= self.root.not_valid_after_utc:
            return ()
        return tuple(
            stored
            for stored in reversed(among)
            if stored.covers(begin, end) and stored.name not in self.revoked
        )


def name_of(certificate: x509.Certificate) -> str:
    """Return the NAME under which a certificate is kept."""
    serial = f"{certificate.serial_number:x}"[-8:].rjust(8, "0")
    return f"{certificate.not_valid_before_utc:%Y%m%d}-{serial}"


def _certificates(folder: Path) -> list[Path]:
    try:
        names = [
            file.name
            for file in folder.iterdir()
            if file.suffix == ".pem"
            and not file.name.endswith(KEY_SUFFIX)
            and not file.name.startswith(".")
        ]
    except OSError:
        raise KeyFolderUnusableError(
            f"{folder} does not hold the keys (chinhchu keys init)"
        ) from None
    if len(names) > MAX_CERTIFICATES:
        raise KeyFolderUnusableError(f"{folder} holds more than {MAX_CERTIFICATES} certificates")
    return [folder / name for name in sorted(names)]


def _by_age(found: Iterable[StoredCertificate]) -> tuple[StoredCertificate, ...]:
    return tuple(sorted(found, key=lambda s: (s.certificate.not_valid_before_utc, s.name)))


def _load(file: Path) -> tuple[x509.Certificate, ...]:
    try:
        return chain.load_pem(read_file(file))
    except chain.UNREADABLE:
        raise KeyFolderUnusableError(f"{file} does not hold certificates") from None


def _root(path: Path) -> x509.Certificate:
    certificates = _load(path / ROOT)
    if len(certificates) != 1 or not _is_signed_by(certificates[0], certificates[0]):
        raise KeyFolderUnusableError(f"{path / ROOT} is not one root certificate")
    return certificates[0]


def _issuing_ca(file: Path, root: x509.Certificate) -> StoredCertificate:
    certificates = _load(file)
    if len(certificates) != 1 or not _is_signed_by(certificates[0], root):
        raise KeyFolderUnusableError(f"{file} is not an issuing CA under the root")
    return StoredCertificate(file, certificates)


def _leaf(
    file: Path, root: x509.Certificate, cas: tuple[StoredCertificate, ...]
) -> StoredCertificate:
    certificates = _load(file)
    if len(certificates) != 2 or certificates[1] not in [ca.certificate for ca in cas]:
        raise KeyFolderUnusableError(f"{file} is not a leaf with its issuing CA of this folder")
    begin = max(c.not_valid_before_utc for c in (*certificates, root))
    chain.verify_path(certificates, [root], begin)
    chain.signing_key_of(certificates[0])
    if len(chain.issuers_named_by(certificates[0])) != 1:
        raise SigningKeyUnusableError("the signing certificate must name one issuer as a URI")
    return StoredCertificate(file, certificates)


def number_of(found: x509.CertificateRevocationList) -> int:
    """Return the number of a list, by which the later of two is known (RFC 5280 §5.2.3)."""
    return found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def read_list(file: Path, signer: x509.Certificate) -> x509.CertificateRevocationList:
    """Return a revocation list that a CA has signed.

    Raises:
        KeyFolderUnusableError: it is missing, or is none of that CA's.
    """
    # Without its list a revoked key would count as good.
    try:
        found = x509.load_der_x509_crl(read_file(file))
        found.extensions.get_extension_for_class(x509.CRLNumber)
        signed = found.issuer == signer.subject and found.is_signature_valid(_ec_key(signer))
    except (x509.ExtensionNotFound, *chain.UNREADABLE):
        signed = False
    if not signed:
        raise KeyFolderUnusableError(f"{file} is not a revocation list of its CA")
    return found


def _ec_key(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    key = certificate.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise ValueError("not an elliptic curve key")
    return key


def _is_signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True
