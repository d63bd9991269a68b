"""How the keys of a folder stand: which leaf signs, which comes, what ends soon."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from api.assertions.chain import issuers_named_by
from api.assertions.errors import SigningKeyExpiredError
from api.keys.authority import BACKDATE, LEAF_DAYS
from api.keys.folder import LISTS, ROOT, ROOT_LIST, KeyFolder, StoredCertificate
from api.keys.permissions import is_exposed

LEAF_DUE = timedelta(days=30)
"""A leaf is renewed 30 days before its end, so that whoever is away has a month to do it."""
ISSUING_CA_DUE = timedelta(days=LEAF_DAYS) + LEAF_DUE
"""An issuing CA is renewed before a new leaf would outlive it."""
ROOT_DUE = timedelta(days=365)
"""Every relying party has to pin the next root by then."""
LIST_DUE = timedelta(days=7)


class KeyUse(StrEnum):
    """What a certificate of the folder is for at a time."""

    CURRENT = "current"
    """It signs what is issued now."""
    NEXT = "next"
    """Its time has not begun."""
    OLDER = "older"
    """Valid, and a newer one is in its place."""
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True)
class CertificateState:
    """One certificate of the folder."""

    file: str
    """Relative to the folder."""
    subject: str
    serial_number: str
    """In hex, as `keys revoke` takes it."""
    sha256: str
    """Fingerprint of the DER certificate, lower-case hex."""
    not_before: datetime
    not_after: datetime
    use: KeyUse
    days_left: int
    """Days begun, 0 where it has expired."""
    issuer_identifiers: tuple[str, ...]
    """The `iss` values that it speaks for; empty for a CA."""


@dataclass(frozen=True)
class ListState:
    """One revocation list of the folder."""

    file: str
    number: int
    entries: int
    this_update: datetime
    next_update: datetime | None
    is_final: bool
    """Its CA has expired or is revoked: no other will follow."""
    is_first_to_come: bool
    """It begins with its issuing CA, whose time has not come."""


@dataclass(frozen=True)
class KeysState:
    """The whole folder at a time; nothing in it is secret."""

    certificates: tuple[CertificateState, ...]
    """The root, issuing CAs, then leaves, each oldest first."""
    lists: tuple[ListState, ...]
    warnings: tuple[str, ...]
    """Permanent codes: signing-key-missing, signing-key-ends-soon, issuing-ca-ends-soon,
    root-ends-soon, revocation-list-stale, revocation-list-ends-soon, clock-behind, keys-exposed,
    signing-key-unusable."""
    faults: tuple[tuple[str, str], ...]
    """NAME and error code of each leaf that cannot be used."""

    @property
    def current(self) -> CertificateState | None:
        """The leaf that signs now, if there is one."""
        leaves = (c for c in self.certificates if c.issuer_identifiers)
        return next((c for c in leaves if c.use is KeyUse.CURRENT), None)


def keys_state(folder: KeyFolder, at: datetime) -> KeysState:
    """Return how the keys of a folder stand at a time; needs no password."""
    root_use = KeyUse.CURRENT if folder.root.not_valid_after_utc > at else KeyUse.EXPIRED
    certificates = (
        _state(ROOT, folder.root, root_use, at),
        *_states(folder, folder.issuing_cas, at),
        *_states(folder, folder.leaves, at),
    )
    lists = tuple(_list_state(folder, name, at) for name in sorted(folder.lists))
    return KeysState(
        certificates=certificates,
        lists=lists,
        warnings=tuple(dict.fromkeys(_warnings(folder, lists, at))),
        faults=tuple((fault.name, fault.error.code) for fault in folder.faults),
    )


def is_leaf_due(folder: KeyFolder, at: datetime) -> bool:
    """Return whether a new leaf is needed: the next 30 days are not all covered."""
    return not _lasts(folder, folder.leaves, at, LEAF_DUE)


def is_issuing_ca_due(folder: KeyFolder, at: datetime) -> bool:
    """Return whether a new issuing CA is needed: a leaf made in 30 days would outlive this one."""
    return not _lasts(folder, folder.issuing_cas, at, ISSUING_CA_DUE)


def check_clock(folder: KeyFolder, at: datetime) -> None:
    """Refuse a time at which the keys of a folder were not made yet.

    Raises:
        SigningKeyExpiredError: the root begins later; no new key would help.
    """
    begin = folder.root.not_valid_before_utc
    if at < begin:
        raise SigningKeyExpiredError(
            f"the root in {folder.path} begins at {begin:%Y-%m-%d %H:%MZ}, and the time is "
            f"{at.astimezone(UTC):%Y-%m-%d %H:%MZ}: is this machine's clock right?"
        )


def _lasts(
    folder: KeyFolder, among: tuple[StoredCertificate, ...], at: datetime, time: timedelta
) -> bool:
    """Return whether one or another can be used at any moment of some time."""
    covered_until = at
    for stored in among:  # one that begins later does not help before
        begin = max(c.not_valid_before_utc for c in stored.chain)
        if stored.name not in folder.revoked and begin <= covered_until:
            end = min(c.not_valid_after_utc for c in stored.chain)
            covered_until = max(covered_until, end)
    return covered_until - at >= time


def _warnings(folder: KeyFolder, lists: tuple[ListState, ...], at: datetime) -> list[str]:
    warnings = []
    if not folder.usable(folder.leaves, at, at):
        warnings.append("signing-key-missing")
    if is_leaf_due(folder, at):
        warnings.append("signing-key-ends-soon")
    if is_issuing_ca_due(folder, at):
        warnings.append("issuing-ca-ends-soon")
    if folder.root.not_valid_after_utc - at < ROOT_DUE:
        warnings.append("root-ends-soon")
    for found in lists:
        if found.is_final:
            continue
        if found.next_update is None or found.next_update <= at:
            warnings.append("revocation-list-stale")
        elif found.next_update - at < LIST_DUE:
            warnings.append("revocation-list-ends-soon")
        if found.this_update > at and not found.is_first_to_come:
            warnings.append("clock-behind")
    if is_exposed(folder.path):
        warnings.append("keys-exposed")
    if folder.faults:
        warnings.append("signing-key-unusable")
    return warnings


def _states(
    folder: KeyFolder, among: tuple[StoredCertificate, ...], at: datetime
) -> tuple[CertificateState, ...]:
    usable = folder.usable(among, at, at)
    current = usable[0] if usable else None

    def use(stored: StoredCertificate) -> KeyUse:
        if stored.name in folder.revoked:
            return KeyUse.REVOKED
        if stored is current:
            return KeyUse.CURRENT
        if stored.certificate.not_valid_before_utc > at:
            return KeyUse.NEXT
        return KeyUse.OLDER if stored.covers(at, at) else KeyUse.EXPIRED

    return tuple(
        _state(stored.path.relative_to(folder.path).as_posix(), stored.certificate, use(stored), at)
        for stored in among
    )


def _state(file: str, certificate: x509.Certificate, use: KeyUse, at: datetime) -> CertificateState:
    return CertificateState(
        file=file,
        subject=certificate.subject.rfc4514_string(),
        serial_number=f"{certificate.serial_number:x}",
        sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        use=use,
        days_left=max(0, -((at - certificate.not_valid_after_utc) // timedelta(days=1))),
        issuer_identifiers=issuers_named_by(certificate),
    )


def _list_state(folder: KeyFolder, name: str, at: datetime) -> ListState:
    found, signer = folder.lists[name], folder.signers[name]
    begin = signer.not_valid_before_utc + BACKDATE
    return ListState(
        file=f"{LISTS}/{name}.crl",
        number=folder.list_numbers[name],
        entries=len(found),
        this_update=found.last_update_utc,
        next_update=found.next_update_utc,
        is_final=name in folder.revoked or signer.not_valid_after_utc <= at,
        is_first_to_come=name != ROOT_LIST and found.last_update_utc <= begin and at < begin,
    )
