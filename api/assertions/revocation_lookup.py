"""Whether who signed, or gave a timestamp, was revoked: by every list that there is.

Nothing passes that any list says was revoked before; nor what only lists know of that were made
after a certificate had expired, when its authority may have dropped it (RFC 5280 §3.3).

Source: RFC 5280 §5 and §6.3.3; RFC 3161 §4 (revoked timestamp authorities).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import pairwise

from cryptography import x509

from api.assertions.chain import UNREADABLE
from api.assertions.crl_check import (
    ChainRevokedError,
    CrlMissingError,
    CrlSignatureInvalidError,
    check_revocation,
)
from api.errors import ApiError

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


@dataclass(frozen=True)
class RevocationData:
    """What there is to look revocations up in; lists of other authorities do not matter."""

    given: Lists = field(default=(), repr=False)
    """Lists of the relying party."""
    carried: Lists = field(default=(), repr=False)
    """Lists in the document that is verified."""
    is_vouched_for: Callable[[x509.Certificate, x509.Certificate], bool] = field(
        default=lambda certificate, issuer: False, repr=False
    )
    """Whether that document carries a genuine OCSP response for a certificate of an issuer, which
    its own reader judges."""

    def of_signer(self, path: Path, *, at: datetime, proven: bool) -> Revocation:
        """Tell whether the certificates of a signature were revoked.

        Args:
            path: of the signer.
            at: when the signature existed.
            proven: whether a timestamp proves that: a revocation after it does not count then.
        """
        pairs = list(pairwise(path))
        if any(self._is_revoked(pair, at=at, proven=proven) for pair in pairs):
            return Revocation.REVOKED
        return self._known(pairs, at)

    def of_authority(self, path: Path, *, at: datetime, covered_at: datetime | None) -> Revocation:
        """Tell whether a timestamp authority was revoked so that its token does not hold.

        Args:
            path: of the authority.
            at: the token's time.
            covered_at: when the token existed by a later timestamp of an authority that holds.
        """
        pairs = list(pairwise(path))
        for pair in pairs:
            if not self._is_revoked(pair, at=at, proven=False):
                continue
            if self._ended_in_peace(pair) and not self._is_revoked(pair, at=at, proven=True):
                continue
            if covered_at is None or self._is_revoked(pair, at=covered_at, proven=True):
                return Revocation.REVOKED
        return self._known(pairs, at)

    @property
    def _lists(self) -> Lists:
        return (*self.carried, *self.given)

    def _is_revoked(self, pair: Pair, *, at: datetime, proven: bool) -> bool:
        try:
            check_revocation(pair, self._lists, at=at, proven=proven)
        except ChainRevokedError:
            return True
        except ApiError:
            return False
        return False

    def _known(self, pairs: Sequence[Pair], at: datetime) -> Revocation:
        """Tell whether lists that are not revoking anything tell enough."""
        if any(self._is_unknown(pair, at) and not self.is_vouched_for(*pair) for pair in pairs):
            return Revocation.UNKNOWN
        return Revocation.GOOD

    def _is_unknown(self, pair: Pair, at: datetime) -> bool:
        """Whether no list tells of a certificate, although one is given or all came too late."""
        carried = [_tells(pair, one, at) for one in self.carried]
        given = [_tells(pair, one, at) for one in self.given]
        if True in (*carried, *given):
            return False
        expired = pair[0].not_valid_after_utc
        carried_before = (
            told is False and one.last_update_utc <= expired
            for told, one in zip(carried, self.carried, strict=True)
        )
        # What else is wrong with a list that the document carries, its own reader has judged.
        return False in given or (False in carried and not any(carried_before))

    def _ended_in_peace(self, pair: Pair) -> bool:
        """Whether every entry of an authority says that its key was not lost (RFC 3161 §4)."""
        certificate, issuer = pair
        entries = [
            one.get_revoked_certificate_by_serial_number(certificate.serial_number)
            for one in self._lists
            if one.issuer == issuer.subject
        ]
        return all(entry is None or _reason(entry) in _PEACEFUL for entry in entries)


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


def _reason(entry: x509.RevokedCertificate) -> x509.ReasonFlags | None:
    try:
        return entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except (x509.ExtensionNotFound, *UNREADABLE):
        return None
