"""The way from an assertion's leaf to a pinned root, and the memory of those that were verified.

All assertions of an issuer carry the same certificates for months. What was verified once under
the same roots is not verified again, but never holds beyond any of its certificates' validity.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from threading import Lock
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from api.assertions import chain

CAPACITY = 64
"""Paths remembered: more than one for each issuer that an office has dealings with."""

_Key = tuple[tuple[bytes, ...], tuple[x509.Certificate, ...]]


@dataclass(frozen=True)
class SigningPath:
    """A path that was verified."""

    certificates: tuple[x509.Certificate, ...]
    """The leaf, the CAs between, the pinned root."""
    not_before: datetime
    not_after: datetime
    """When all certificates of the header and of the path are valid."""

    @property
    def leaf(self) -> x509.Certificate:
        """The certificate whose key signs."""
        return self.certificates[0]

    @cached_property
    def signing_key(self) -> ec.EllipticCurvePublicKey:
        """The leaf's key (raises what `chain.signing_key_of` raises)."""
        return chain.signing_key_of(self.leaf)

    @cached_property
    def issuers(self) -> tuple[str, ...]:
        """The issuer identifiers that the leaf speaks for."""
        return chain.issuers_named_by(self.leaf)

    def check_issuer(self, issuer: Any) -> None:
        """Check that the leaf speaks for an `iss` (raises what `chain.check_issuer` raises)."""
        chain.check_named(issuer, self.issuers)


class PathMemory:
    """Verified paths by the certificates in the header and the pinned roots; for many threads."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._paths: OrderedDict[_Key, SigningPath] = OrderedDict()
        self._lock = Lock()

    def verify(
        self, x5c: Sequence[bytes], roots: Sequence[x509.Certificate], at: datetime
    ) -> SigningPath:
        """Return the path of a header's certificates to a pinned root, valid at a time.

        Raises:
            AssertionMalformedError: they are not certificates.
            ChainExpiredError: one of them, or the root, is not valid at that time.
            ChainUnpinnedRootError: no path leads to a pinned root.
        """
        key = (tuple(x5c), tuple(roots))
        with self._lock:
            known = self._paths.get(key)
            if known and known.not_before <= at <= known.not_after:
                self._paths.move_to_end(key)
                return known
        given = chain.parse_chain(x5c)
        path = chain.verify_path(given, roots, at)
        everything = (*given, path[-1])  # which lies between is among those given
        verified = SigningPath(
            certificates=path,
            not_before=max([c.not_valid_before_utc for c in everything]),
            not_after=min([c.not_valid_after_utc for c in everything]),
        )
        with self._lock:
            self._paths[key] = verified
            while len(self._paths) > self._capacity:
                self._paths.popitem(last=False)
        return verified
