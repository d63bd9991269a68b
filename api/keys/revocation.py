"""Certificate revocation lists: which leaves and issuing CAs must not be believed any more.

The list is the record: each new one is the one before with what was added, under a higher number,
and an entry stays when its certificate has expired, because assertions are verified years later
(`expiredCertsOnCRL` says so to the verifier).

Source: RFC 5280 §5 (CRLs); ITU-T X.509 (10/2019), expiredCertsOnCRL.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from api.errors import InputUnusableError
from api.keys.authority import KeyPair
from api.keys.errors import CertificateRevokedError, CertificateUnknownError
from api.keys.files import alone, write_file
from api.keys.folder import LISTS, ROOT_LIST, KeyFolder, StoredCertificate, number_of
from api.keys.state import check_clock

LIST_DAYS = 30
"""From an issuing CA's list to the next: a counter's USB stick makes its round in that time."""
ROOT_LIST_DAYS = 365
"""From the root's list to the next: its key leaves the safe once a year at most."""

REASONS = {
    "key-compromise": x509.ReasonFlags.key_compromise,
    "ca-compromise": x509.ReasonFlags.ca_compromise,
    "affiliation-changed": x509.ReasonFlags.affiliation_changed,
    "superseded": x509.ReasonFlags.superseded,
    "cessation-of-operation": x509.ReasonFlags.cessation_of_operation,
    "privilege-withdrawn": x509.ReasonFlags.privilege_withdrawn,
}
"""RFC 5280 §5.3.1, without those that can be undone: a certificate is revoked for good. No reason
at all stands for `unspecified`."""

_EXPIRED_CERTS_ON_CRL = x509.ObjectIdentifier("2.5.29.60")


@dataclass(frozen=True)
class Revocation:
    """A certificate that is not to be believed any more."""

    serial_number: int
    at: datetime
    """When it was revoked."""
    reason: str | None = None
    """One of `REASONS`."""
    invalid_since: datetime | None = None
    """When the key was, or may have been, in other hands (§5.3.2)."""


def make_list(
    ca: KeyPair,
    at: datetime,
    *,
    days: int,
    previous: x509.CertificateRevocationList | None = None,
    add: Sequence[Revocation] = (),
) -> x509.CertificateRevocationList:
    """Return a new list, signed by a CA.

    Args:
        ca: who signs.
        at: when it begins.
        days: until the next one is due.
        previous: what it carries on from; None for a CA's first.
        add: what is new.
    """
    # Seconds: after a backup was put back too, a new list has a number that no earlier one had.
    number = max(1, int(at.timestamp()))
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.certificate.subject)
        .last_update(at)
        .next_update(at + timedelta(days=days))
    )
    if previous is not None:
        number = max(number, number_of(previous) + 1)
        for entry in previous:
            builder = builder.add_revoked_certificate(entry)
    for revocation in add:
        builder = builder.add_revoked_certificate(_entry(revocation))
    return (
        builder.add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(ca.private_key.public_key()),
            critical=False,
        )
        .add_extension(_kept_since(ca.certificate.not_valid_before_utc), critical=False)
        .sign(ca.private_key, hashes.SHA256())
    )


def carries_on(
    found: x509.CertificateRevocationList, known: x509.CertificateRevocationList
) -> bool:
    """Return whether a list is the same as a known one or a later one with all of its entries."""
    entries = {entry.serial_number for entry in found}
    is_complete = all(entry.serial_number in entries for entry in known)
    return is_complete and number_of(found) >= number_of(known)


def renew_list(
    folder: KeyFolder, name: str, ca: KeyPair, at: datetime, add: Sequence[Revocation] = ()
) -> x509.CertificateRevocationList:
    """Put a CA's next list into the folder, in the place of the one before.

    Args:
        folder: what is in the folder of keys.
        name: the NAME of the issuing CA, or `root`.
        ca: the same with its private key.
        at: now.
        add: what is new.

    Raises:
        SigningKeyExpiredError: it is a time before the root's: a revocation's date stays for good.
        CertificateRevokedError: what is to be added is on the list already.
        KeyFolderUnusableError: it cannot be written.
    """
    check_clock(folder, at)
    # Alone, or the list of one process would lack what another one revokes in between.
    with alone(folder.path / LISTS):
        # As it is now: somebody may have added to it while a password was asked for.
        previous = KeyFolder.read(folder.path).lists[name]
        for revocation in add:
            serial = revocation.serial_number
            if previous.get_revoked_certificate_by_serial_number(serial) is not None:
                raise CertificateRevokedError("the certificate is revoked already")
        made = make_list(ca, at, days=days_of(name), previous=previous, add=add)
        der = made.public_bytes(serialization.Encoding.DER)
        write_file(folder.path / LISTS / f"{name}.crl", der, replace=True)
    return made


def find_certificate(folder: KeyFolder, wanted: str) -> StoredCertificate:
    """Return the leaf or issuing CA of a NAME, a file, or a serial number in hex.

    Raises:
        CertificateUnknownError: there is none, or more than one.
    """
    text = Path(wanted.strip()).name
    serial = text.replace(":", "").lower().removeprefix("0x").lstrip("0")
    found = [
        stored
        for stored in (*folder.issuing_cas, *folder.leaves)
        if text in (stored.name, stored.path.name)
        or f"{stored.certificate.serial_number:x}" == serial
    ]
    if len(found) != 1:
        raise CertificateUnknownError(f"{text!r} does not name one certificate of the folder")
    return found[0]


def revoke(
    folder: KeyFolder,
    stored: StoredCertificate,
    ca: KeyPair,
    at: datetime,
    *,
    reason: str | None = None,
    invalid_since: datetime | None = None,
) -> x509.CertificateRevocationList:
    """Put a certificate on its CA's list, for good, and store the list.

    Args:
        folder: where the list is.
        stored: a leaf or an issuing CA.
        ca: the one that signed it.
        at: now.
        reason: one of `REASONS`, or None.
        invalid_since: when the key was, or may have been, in other hands.

    Raises:
        SigningKeyExpiredError: as for `renew_list`.
        CertificateRevokedError: it is on the list already.
        InputUnusableError: the reason is not known, or `invalid_since` is later than `at`.
        KeyFolderUnusableError: the list cannot be written.
    """
    if reason is not None and reason not in REASONS:
        raise InputUnusableError(f"the reason is one of {', '.join(REASONS)}")
    if invalid_since is not None and invalid_since > at:
        raise InputUnusableError("a certificate cannot be invalid since a time to come")
    revocation = Revocation(stored.certificate.serial_number, at, reason, invalid_since)
    return renew_list(folder, folder.issuer_name_of(stored.certificate), ca, at, [revocation])


def days_of(name: str) -> int:
    """Return how long a list lasts, by the NAME of its CA or `root`."""
    return ROOT_LIST_DAYS if name == ROOT_LIST else LIST_DAYS


def _entry(revocation: Revocation) -> x509.RevokedCertificate:
    builder = (
        x509.RevokedCertificateBuilder()
        .serial_number(revocation.serial_number)
        .revocation_date(revocation.at)
    )
    if revocation.reason is not None:
        builder = builder.add_extension(x509.CRLReason(REASONS[revocation.reason]), critical=False)
    if revocation.invalid_since is not None:
        builder = builder.add_extension(
            x509.InvalidityDate(revocation.invalid_since), critical=False
        )
    return builder.build()


def _kept_since(begin: datetime) -> x509.UnrecognizedExtension:
    # GeneralizedTime, tag 24, fifteen characters.
    value = b"\x18\x0f" + f"{begin:%Y%m%d%H%M%S}Z".encode("ascii")
    return x509.UnrecognizedExtension(_EXPIRED_CERTS_ON_CRL, value)
