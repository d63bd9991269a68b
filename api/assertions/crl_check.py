"""Certificate revocation lists, as files that a relying party has, against a verified path.

A list is believed if the CA above the certificate signed it, and only until its `nextUpdate`. Where
the newest believable list is stale or missing, revocation is not known; it is never "not revoked".

Source: RFC 5280 §5 and §6.3.3; ITU-T X.509 (10/2019) §9.5.2.6 (expiredCertsOnCRL).
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from api.assertions.chain import UNREADABLE
from api.errors import ApiError

MAX_CRL_BYTES = 16 << 20
"""A quarter of a million revoked certificates."""

EXPIRED_CERTS_ON_CRL = x509.ObjectIdentifier("2.5.29.60")
_GENERALIZED_TIME = b"\x18\x0f"  # tag and length of YYYYMMDDhhmmssZ
_IN_AN_ENTRY = (x509.CRLReason, x509.InvalidityDate)
"""What is understood of an entry, however a CA marks it."""


class ChainRevokedError(ApiError):
    """A certificate of the path is revoked, and was at the time that matters."""

    code = "chain-revoked"


class CrlUnusableError(ApiError):
    """What was given as a revocation list is none."""

    code = "crl-unusable"


class CrlMissingError(ApiError):
    """No list of the CA above a certificate is among those given."""

    code = "crl-missing"


class CrlSignatureInvalidError(ApiError):
    """A list in the CA's name is not signed by it, covers only a part, or is not understood."""

    code = "crl-signature-invalid"


class CrlStaleError(ApiError):
    """The newest list is past its `nextUpdate`, or silent on a certificate that had expired."""

    code = "crl-stale"


def load_crls(
    *files: bytes | x509.CertificateRevocationList,
) -> tuple[x509.CertificateRevocationList, ...]:
    """Read revocation lists, each PEM (one or several) or DER or parsed.

    Raises:
        CrlUnusableError: one of them is none, not whole, or larger than 16 MiB.
    """
    crls: list[x509.CertificateRevocationList] = []
    for file in files:
        try:
            read = [file] if isinstance(file, x509.CertificateRevocationList) else _read(file)
            for crl in read:
                _ = crl.extensions, crl.issuer, crl.last_update_utc, crl.next_update_utc
        except UNREADABLE:
            raise CrlUnusableError("a file is not a certificate revocation list") from None
        crls += read
    return tuple(crls)


def _read(data: bytes) -> list[x509.CertificateRevocationList]:
    # Whatever is given counts: what cannot be read must not be passed over.
    if not isinstance(data, bytes):
        raise CrlUnusableError("revocation lists are given as a sequence of bytes")
    if len(data) > MAX_CRL_BYTES:
        raise CrlUnusableError(f"a revocation list has at most {MAX_CRL_BYTES >> 20} MiB")
    if b"-----BEGIN" not in data:
        return [x509.load_der_x509_crl(data)]
    end = b"-----END X509 CRL-----"
    *blocks, rest = data.split(end)
    if not blocks or b"-----BEGIN" in rest:
        raise CrlUnusableError("a file does not hold whole revocation lists")
    return [x509.load_pem_x509_crl(block + end) for block in blocks]


def check_revocation(
    path: Sequence[x509.Certificate],
    crls: Sequence[x509.CertificateRevocationList],
    *,
    at: datetime,
    proven: bool,
) -> None:
    """Check that no certificate of a verified path is revoked.

    Args:
        path: the leaf, the CAs between, the pinned root, as `chain.verify_path` returns it. The
            root is not looked up: who pins it decides about it.
        crls: the lists that the relying party has.
        at: the time that matters. A list that ended before it does not count.
        proven: a timestamp proves that the signature existed at that time: a revocation after it,
            with no earlier invalidity date, does not touch the signature. Without that proof a
            revocation counts whenever it was, for whoever has the key chooses the time.

    Raises:
        ChainRevokedError: a certificate is revoked.
        CrlMissingError: there is no list of its CA.
        CrlSignatureInvalidError: the CA did not sign the list in its name, or it is not a full one.
        CrlStaleError: the newest list ended before `at`, or is silent on expired certificates.
    """
    unknown: list[ApiError] = []
    for certificate, issuer in pairwise(path):
        role = "the signing certificate" if certificate is path[0] else "a CA of the chain"
        try:
            believed = _newest_first(crls, issuer)
            entry = _entry(believed, certificate)
            if entry and not (proven and at < _revoked_from(entry)):
                raise ChainRevokedError(f"{role} is revoked")
            _check_freshness(believed[0], certificate, at)
        except (CrlMissingError, CrlSignatureInvalidError, CrlStaleError) as error:
            unknown.append(error)
    # What is revoked is told before what is not known.
    if unknown:
        raise unknown[0]


def _newest_first(
    crls: Sequence[x509.CertificateRevocationList], issuer: x509.Certificate
) -> list[x509.CertificateRevocationList]:
    """Return the lists that an issuer signed for all that it issues."""
    named = [crl for crl in crls if crl.issuer == issuer.subject]
    if not named:
        raise CrlMissingError("no revocation list of a CA of the chain was given")
    signed = [crl for crl in named if _is_signed_by(crl, issuer) and _is_whole(crl)]
    if not signed:
        raise CrlSignatureInvalidError(
            "a revocation list was not signed by its CA, or is no full one"
        )
    # Two lists of one second are told apart by their number (RFC 5280 §5.2.3).
    return sorted(signed, key=lambda crl: (crl.last_update_utc, _number(crl)), reverse=True)


def _number(crl: x509.CertificateRevocationList) -> int:
    try:
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        return 0


def _entry(
    newest_first: Sequence[x509.CertificateRevocationList], certificate: x509.Certificate
) -> x509.RevokedCertificate | None:
    """Return the newest entry of a certificate, if any list has one.

    A newer list that is silent can lift a hold and nothing else (RFC 5280 §5.3.1): a CA whose clock
    or backup went back does not reinstate what it revoked.
    """
    for crl in newest_first:
        entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
        if entry and (crl is newest_first[0] or not _is_hold(entry)):
            return entry
    return None


def _is_hold(entry: x509.RevokedCertificate) -> bool:
    try:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except (x509.ExtensionNotFound, *UNREADABLE):
        return False
    return reason is x509.ReasonFlags.certificate_hold


def _is_signed_by(crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    # RFC 5280 §6.3.3 (f) and (g): the CA's key, and its key usage says cRLSign.
    try:
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
        if not usage.crl_sign:
            return False
    except x509.ExtensionNotFound:
        pass
    try:
        return crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
    except (TypeError, ValueError, UnsupportedAlgorithm):
        return False


def _is_whole(crl: x509.CertificateRevocationList) -> bool:
    """Whether a list covers all certificates, all reasons, and is understood.

    RFC 5280 §5.2: a list with a critical extension that is not understood tells nothing; deltas
    (§5.2.4) and lists of a part (§5.2.5) are marked by such extensions, or should be.
    """
    partial = (x509.DeltaCRLIndicator, x509.IssuingDistributionPoint)
    if any(e.critical or isinstance(e.value, partial) for e in crl.extensions):
        return False
    # §5.3: the same for what an entry says, whichever it is.
    return all(_is_understood(entry) for entry in crl)


def _is_understood(entry: x509.RevokedCertificate) -> bool:
    try:
        return all(not e.critical or isinstance(e.value, _IN_AN_ENTRY) for e in entry.extensions)
    except UNREADABLE:  # it counts as revoked since ever (`_revoked_from`)
        return True


def _check_freshness(
    crl: x509.CertificateRevocationList, certificate: x509.Certificate, at: datetime
) -> None:
    if crl.next_update_utc is None or crl.next_update_utc <= at:
        raise CrlStaleError("a revocation list has ended")
    if crl.last_update_utc > certificate.not_valid_after_utc and not _keeps(crl, certificate):
        raise CrlStaleError("a revocation list was made after the certificate had expired")


def _revoked_from(entry: x509.RevokedCertificate) -> datetime:
    """Return since when a certificate does not hold: its invalidity date where that is earlier."""
    try:
        values = [extension.value for extension in entry.extensions]
        invalid = [v.invalidity_date_utc for v in values if isinstance(v, x509.InvalidityDate)]
        return min([entry.revocation_date_utc, *invalid])
    except UNREADABLE:
        return datetime.min.replace(tzinfo=UTC)


def _keeps(crl: x509.CertificateRevocationList, certificate: x509.Certificate) -> bool:
    """Whether a list says that it still holds certificates that expired when this one did.

    RFC 5280 §3.3 lets a CA drop an entry once the certificate has expired.
    """
    try:
        extension = crl.extensions.get_extension_for_oid(EXPIRED_CERTS_ON_CRL).value
    except x509.ExtensionNotFound:
        return False
    value = extension.value if isinstance(extension, x509.UnrecognizedExtension) else b""
    if not value.startswith(_GENERALIZED_TIME):
        return False
    try:
        since = datetime.strptime(value[2:].decode("ascii"), "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return since <= certificate.not_valid_after_utc
