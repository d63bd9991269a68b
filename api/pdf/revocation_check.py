"""Whether those who signed a PDF, or timestamped it, were revoked: by every list that there is.

pyHanko asks whether some list in the document holds. Here nothing passes that any list, also one
that the relying party gives, says was revoked before; nor what only lists know of that were made
after a certificate had expired, when its authority may have dropped it (RFC 5280 §3.3).

Source: RFC 5280 §5 and §6.3.3; RFC 3161 §4 (revoked timestamp authorities).
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from asn1crypto import cms
from cryptography import x509
from pyhanko.sign.general import extract_certificate_info

from api.assertions import chain
from api.assertions.crl_check import (
    ChainRevokedError,
    CrlMissingError,
    CrlSignatureInvalidError,
    check_revocation,
)
from api.errors import ApiError
from api.pdf.validation_data import ValidationData

_PEACEFUL = frozenset(
    {
        x509.ReasonFlags.unspecified,
        x509.ReasonFlags.affiliation_changed,
        x509.ReasonFlags.superseded,
        x509.ReasonFlags.cessation_of_operation,
    }
)
"""RFC 3161 §4: tokens from before hold. Any other reason, or none: the authority's key is lost, and
who has it chooses the time."""

Lists = Sequence[x509.CertificateRevocationList]
Path = Sequence[x509.Certificate]
"""From the leaf to the root; empty where there is none, and nothing to tell."""
Pair = tuple[x509.Certificate, x509.Certificate]
"""A certificate and the one above it."""


class Revocation(StrEnum):
    """What lists say of a path."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


def revocation_of_signer(
    path: Path, data: ValidationData, *, at: datetime, proven: bool
) -> Revocation:
    """Tell whether the certificates of a signature were revoked.

    Args:
        path: of the signer.
        data: all lists that are at hand; those of other authorities do not matter.
        at: when the signature existed.
        proven: whether a timestamp proves that: a revocation after it does not count then.
    """
    pairs = list(pairwise(path))
    lists = (*data.lists, *data.given)
    if any(_is_revoked(pair, lists, at=at, proven=proven) for pair in pairs):
        return Revocation.REVOKED
    return _known(pairs, data, at)


def revocation_of_authority(
    path: Path, data: ValidationData, *, at: datetime, covered_at: datetime | None
) -> Revocation:
    """Tell whether a timestamp authority was revoked so that its token does not hold.

    Args:
        path: of the authority.
        data: all lists that are at hand.
        at: the token's time.
        covered_at: when the token existed by a later timestamp of an authority that holds.
    """
    pairs = list(pairwise(path))
    lists = (*data.lists, *data.given)
    for pair in pairs:
        if not _is_revoked(pair, lists, at=at, proven=False):
            continue
        if _ended_in_peace(pair[0], lists) and not _is_revoked(pair, lists, at=at, proven=True):
            continue
        if covered_at is None or _is_revoked(pair, lists, at=covered_at, proven=True):
            return Revocation.REVOKED
    return _known(pairs, data, at)


def path_of_token(token: bytes, roots: Sequence[x509.Certificate]) -> tuple[Path, datetime]:
    """Return who signed a timestamp token that was verified to roots, and its time.

    Raises:
        ChainExpiredError, ChainUnpinnedRootError: it was not.
    """
    signed = cms.ContentInfo.load(token)["content"]
    time: datetime = signed["encap_content_info"]["content"].parsed["gen_time"].native
    found = extract_certificate_info(signed)
    leaf, *others = (
        x509.load_der_x509_certificate(one.dump())
        for one in (found.signer_cert, *found.other_certs)
    )
    valid = [c for c in others if c.not_valid_before_utc <= time <= c.not_valid_after_utc]
    return chain.verify_path([leaf, *valid], roots, time), time


def _is_revoked(pair: Pair, lists: Lists, *, at: datetime, proven: bool) -> bool:
    try:
        check_revocation(pair, lists, at=at, proven=proven)
    except ChainRevokedError:
        return True
    except ApiError:
        return False
    return False


def _known(pairs: Sequence[Pair], data: ValidationData, at: datetime) -> Revocation:
    """Tell whether lists that are not revoking anything tell enough."""
    if any(not data.responses and _is_unknown(pair, data, at) for pair in pairs):
        return Revocation.UNKNOWN
    return Revocation.GOOD


def _is_unknown(pair: Pair, data: ValidationData, at: datetime) -> bool:
    """Whether no list tells of a certificate, although one is given or all came too late."""
    carried = [_tells(pair, one, at) for one in data.lists]
    given = [_tells(pair, one, at) for one in data.given]
    if True in (*carried, *given):
        return False
    expired = pair[0].not_valid_after_utc
    carried_before = (
        told is False and one.last_update_utc <= expired
        for told, one in zip(carried, data.lists, strict=True)
    )
    # What else is wrong with a list that the document carries, pyHanko has judged.
    return False in given or (False in carried and not any(carried_before))


def _tells(pair: Pair, one: x509.CertificateRevocationList, at: datetime) -> bool | None:
    """Whether a list tells of a certificate; None for a part of a list, and another authority's."""
    try:
        check_revocation(pair, [one], at=at, proven=True)
    except (CrlMissingError, CrlSignatureInvalidError):
        return None
    except ChainRevokedError:
        return True
    except ApiError:
        return False
    return True


def _ended_in_peace(certificate: x509.Certificate, lists: Lists) -> bool:
    """Whether every entry of an authority says that its key was not lost (RFC 3161 §4)."""
    entries = [
        one.get_revoked_certificate_by_serial_number(certificate.serial_number)
        for one in lists
        if one.issuer == certificate.issuer
    ]
    return all(entry is None or _reason(entry) in _PEACEFUL for entry in entries)


def _reason(entry: x509.RevokedCertificate) -> x509.ReasonFlags | None:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except (x509.ExtensionNotFound, ValueError):
        return None
