"""Take certificates, master lists and revocation lists into a trust store, and say what became new.

Source: ICAO Doc 9303-12, 5.1.4 (CRLs), 8 (master lists).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256

from asn1crypto import pem

from devices.emrtd.crypto import der
from devices.emrtd.crypto.asn1 import asn1_errors
from devices.emrtd.errors import (
    AuthenticationRefusedError,
    CrlUnusableError,
    KeyUnsupportedError,
    MasterListMalformedError,
    TrustAnchorsUnusableError,
)
from devices.emrtd.trust.certificates import Certificate, parse_certificate
from devices.emrtd.trust.crl import Crl, parse_crl
from devices.emrtd.trust.csca import BY_HAND
from devices.emrtd.trust.master_list import verify_master_list
from devices.emrtd.trust.trust_store import MasterListEntry, TrustStore
from devices.errors import DeviceError

_MAX_PEM_OBJECTS = 10_000
_PEM_KINDS = {"CERTIFICATE": "certificate", "X509 CERTIFICATE": "certificate", "X509 CRL": "crl"}
_UNREADABLE = "file"


class ImportOutcome(StrEnum):
    """What became of one object."""

    NEW = "new"
    UNCHANGED = "unchanged"
    WITHDRAWN = "withdrawn"
    """A newer master list of the same authority no longer has it, or a newer CRL replaced it."""
    REFUSED = "refused"


@dataclass(frozen=True)
class ImportEntry:
    """What became of one object of an import."""

    outcome: ImportOutcome
    kind: str
    """`certificate`, `crl`, `master-list` or `file`."""
    file: str
    """Name of the file that it came in, or was in."""
    sha256: str
    subject: str
    """Whose certificate or list it is; empty where that is not known."""
    reason: str | None = None
    """Permanent reason code, where it was refused."""


def import_objects(
    store: TrustStore,
    files: Iterable[tuple[str, bytes]],
    *,
    root: Certificate | None,
    pin: bool,
    at: datetime,
) -> tuple[TrustStore, tuple[ImportEntry, ...]]:
    """Return the store with what the files hold, and what became of each object.

    Args:
        store: what is there; it is not changed.
        files: name and contents: certificates and CRLs in DER or PEM, master lists.
        root: the authority that is trusted to make master lists; without it they are refused.
        pin: take certificates that are no authority's too: they are trusted as document signers.
        at: the time of the import, with time zone.
    """
    work = _Import(store, at)
    lists: list[tuple[str, bytes]] = []
    for name, data in files:
        for kind, encoded in _objects(data):
            if kind == "certificate":
                work.add_certificate(name, encoded, pin=pin)
            elif kind == "master-list":
                work.add_master_list(name, encoded, root)
            elif kind == "crl":
                lists.append((name, encoded))
            else:
                work.refuse(kind, name, encoded, "file-unknown")
    # A revocation list is judged when every certificate that could have signed it is there.
    for name, encoded in lists:
        work.add_crl(name, encoded)
    return work.store, tuple(work.entries)


class _Import:
    """One import: the store as it grows, and what became of each object."""

    def __init__(self, store: TrustStore, at: datetime) -> None:
        self.entries: list[ImportEntry] = []
        self._at = at
        self._base = store
        self._certificates = dict(store.certificates)
        self._sources = dict(store.sources)
        self._crls = dict(store.crls)
        self._master_lists = dict(store.master_lists)

    @property
    def store(self) -> TrustStore:
        return replace(
            self._base,
            certificates=self._certificates,
            sources=self._sources,
            crls=self._crls,
            master_lists=self._master_lists,
        )

    def refuse(self, kind: str, name: str, data: bytes, reason: str, subject: str = "") -> None:
        digest = sha256(data).hexdigest()
        entry = ImportEntry(ImportOutcome.REFUSED, kind, name, digest, subject, reason)
        self.entries.append(entry)

    def add_certificate(self, name: str, data: bytes, *, pin: bool) -> None:
        try:
            certificate = parse_certificate(data)
        except KeyUnsupportedError:
            self.refuse("certificate", name, data, "certificate-malformed")
            return
        subject = str(certificate.subject)
        if not certificate.extensions.is_ca and not pin:
            self.refuse("certificate", name, data, "certificate-no-authority", subject)
            return
        self._add(name, certificate, BY_HAND)

    def add_master_list(self, name: str, data: bytes, root: Certificate | None) -> None:
        if root is None:
            self.refuse("master-list", name, data, "master-list-root-missing")
            return
        try:
            found = verify_master_list(data, root, at=self._at)
        except AuthenticationRefusedError as error:
            self.refuse("master-list", name, data, error.reason)
            return
        except (MasterListMalformedError, KeyUnsupportedError):
            self.refuse("master-list", name, data, MasterListMalformedError.code)
            return
        subject, digest = str(found.signer.subject), sha256(data).hexdigest()
        signed_at = found.signed_at or found.signer.not_before
        before = self._master_lists.get(root.sha256)
        # An older list would bring back what a newer one has withdrawn.
        if before is not None and signed_at < datetime.fromisoformat(before.signed_at):
            self.refuse("master-list", name, data, "master-list-older", subject)
            return
        is_same = before is not None and before.sha256 == digest
        outcome = ImportOutcome.UNCHANGED if is_same else ImportOutcome.NEW
        self.entries.append(ImportEntry(outcome, "master-list", name, digest, subject))
        for certificate in found.certificates:
            self._add(name, certificate, root.sha256)
        for malformed in found.malformed:
            refused = ImportOutcome.REFUSED
            reason = "certificate-malformed"
            entry = ImportEntry(refused, "certificate", name, malformed, "", reason)
            self.entries.append(entry)
        self._withdraw(name, root.sha256, {c.sha256 for c in found.certificates})
        self._master_lists[root.sha256] = MasterListEntry(
            root.sha256, digest, signed_at.astimezone(UTC).isoformat(), len(found.certificates)
        )

    def add_crl(self, name: str, data: bytes) -> None:
        try:
            crl = parse_crl(data)
        except CrlUnusableError as error:
            self.refuse("crl", name, data, error.code)
            return
        issuer = str(crl.issuer)
        if crl.sha256 in self._crls:
            self._note(ImportOutcome.UNCHANGED, "crl", name, crl.sha256, issuer)
            return
        if not self.store.anchors.crl_signers(crl):
            self.refuse("crl", name, data, "crl-signature-invalid", issuer)
            return
        others = [c for c in self._crls.values() if _replaces(c, crl)]
        if any(other.this_update > crl.this_update for other in others):
            self.refuse("crl", name, data, "crl-older", issuer)
            return
        for other in others:
            del self._crls[other.sha256]
            self._note(ImportOutcome.WITHDRAWN, "crl", name, other.sha256, issuer)
        self._crls[crl.sha256] = crl
        self._note(ImportOutcome.NEW, "crl", name, crl.sha256, issuer)

    def _add(self, name: str, certificate: Certificate, source: str) -> None:
        digest = certificate.sha256
        is_new = digest not in self._certificates
        self._certificates.setdefault(digest, certificate)
        sources = self._sources.get(digest, ())
        if source not in sources:
            self._sources[digest] = (*sources, source)
        outcome = ImportOutcome.NEW if is_new else ImportOutcome.UNCHANGED
        self._note(outcome, "certificate", name, digest, str(certificate.subject))

    def _withdraw(self, name: str, source: str, listed: set[str]) -> None:
        """Drop what only an earlier list of this authority had; by hand it stays."""
        for digest, sources in list(self._sources.items()):
            if source not in sources or digest in listed:
                continue
            self._sources[digest] = tuple(s for s in sources if s != source)
            if not self._sources[digest]:
                del self._sources[digest]
                certificate = self._certificates.pop(digest)
                subject = str(certificate.subject)
                self._note(ImportOutcome.WITHDRAWN, "certificate", name, digest, subject)

    def _note(
        self, outcome: ImportOutcome, kind: str, name: str, digest: str, subject: str
    ) -> None:
        self.entries.append(ImportEntry(outcome, kind, name, digest, subject))


def _replaces(one: Crl, other: Crl) -> bool:
    """Return whether both are lists of the same key of the same authority."""
    return (
        one.issuer == other.issuer
        and one.authority_key_identifier == other.authority_key_identifier
    )


def _objects(data: bytes) -> Sequence[tuple[str, bytes]]:
    """Return kind and contents of each object in a file; `file` for what is not known."""
    try:
        if data[:1] != bytes([der.SEQUENCE]) and pem.detect(data):
            return _pem_objects(data)
        return [(_kind(data), data)]
    except DeviceError:
        return [(_UNREADABLE, data)]


def _pem_objects(data: bytes) -> Sequence[tuple[str, bytes]]:
    with asn1_errors(TrustAnchorsUnusableError("a PEM file is malformed")):
        found: list[tuple[str, bytes]] = []
        for kind, _, encoded in pem.unarmor(data, multiple=True):
            if len(found) == _MAX_PEM_OBJECTS:
                raise TrustAnchorsUnusableError("a PEM file holds too much")
            found.append((_PEM_KINDS.get(kind, _UNREADABLE), encoded))
        return found


def _kind(data: bytes) -> str:
    """Tell a CMS object, a certificate and a CRL apart by their first elements."""
    with asn1_errors(TrustAnchorsUnusableError("a file is no certificate, CRL or master list")):
        if data[1:2] == b"\x80":
            return "master-list"
        outer = der.read(data, 0, len(data))
        first = der.read(data, outer[2], outer[3])
        if first[0] == der.OBJECT_IDENTIFIER:
            return "master-list"
        fields = der.children(data, first, der.SEQUENCE)
        # RFC 5280, 4.1 and 5.1: a certificate has its times in a sequence of their own.
        is_crl = any(tag in (der.UTC_TIME, der.GENERALIZED_TIME) for tag, *_ in fields)
        return "crl" if is_crl else "certificate"
