"""Trust anchors: the country signing authorities that the operator configured.

Source: ICAO Doc 9303-12, 4.1 and 5 (trust anchors), 7.1.1 (certificate profile).
"""

import hashlib
import pathlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias, TypeVar

from cryptography.exceptions import InvalidSignature

from devices.emrtd.errors import KeyUnsupportedError
from devices.emrtd.trust.certificates import Certificate
from devices.emrtd.trust.crl import Crl
from devices.emrtd.trust.names import Name
from devices.emrtd.trust.trust_policy import DEFAULT_POLICY, TrustPolicy

MAX_LINKS = 8
"""Longest chain of link certificates that is followed: forty years of yearly keys are fewer."""
_MAX_VERIFICATIONS = 256
_MAX_REMEMBERED = 4096
BY_HAND = "file"
"""Source of a certificate that the operator imported by itself."""

Path: TypeAlias = tuple[Certificate, ...]
"""From the issuer of a document signer to a self-signed anchor."""
K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True)
class TrustAnchors:
    """What the operator trusts: certificates, revocation lists beside them, and floors.

    A self-signed CSCA vouches for the document signers that it issued. A link certificate (a new
    key, signed with the authority's old key) vouches for nothing by itself: it counts where the
    old key is reached. A document signer among the certificates is pinned and stands for itself.
    """

    certificates: tuple[Certificate, ...]
    crls: tuple[Crl, ...] = field(default=(), repr=False)
    policy: TrustPolicy = DEFAULT_POLICY
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)
    """SHA-256 of a certificate to where it came from, for people."""
    _paths: dict[bytes, tuple[Path, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _crl_signers: dict[str, tuple[Path, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def from_directory(cls, path: pathlib.Path) -> "TrustAnchors":
        """Return what a trust store holds, or the certificates and CRLs of a plain folder.

        Raises:
            TrustAnchorsUnusableError: the folder or a file in it cannot be read or was altered.
        """
        from devices.emrtd.trust.trust_store import load_trust_anchors

        return load_trust_anchors(path)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the sorted digests of all anchors, hexadecimal: the trust list's id."""
        digests = sorted({certificate.sha256 for certificate in self.certificates})
        return hashlib.sha256("\n".join(digests).encode("ascii")).hexdigest()

    def pins(self, certificate: Certificate) -> bool:
        """Return whether the operator put exactly this certificate among the anchors.

        What only a master list brought is an authority's, and no document signer.
        """
        if certificate.der not in self._encodings:
            return False
        return BY_HAND in self.sources.get(certificate.sha256, (BY_HAND,))

    def by_key_identifier(self, identifier: bytes) -> tuple[Certificate, ...]:
        """Return the certificates of a key."""
        return self._by_key_identifier.get(identifier, ())

    def candidates(self, child: Certificate) -> tuple[Certificate, ...]:
        """Return the certificates that may have issued `child`, by key identifier, then by name."""
        identifier = child.extensions.authority_key_identifier
        by_key = self.by_key_identifier(identifier) if identifier else ()
        named = self._by_subject.get(child.issuer, ())
        found = (*by_key, *(c for c in named if c not in by_key))
        return tuple(c for c in found if c.der != child.der)

    def paths(self, child: Certificate) -> tuple[Path, ...]:
        """Return the paths from the issuer of `child` to an anchor; each signature in them holds.

        The shortest comes first. Whether they are valid at a time is not looked at, so that a
        path is verified once for all documents of a signer.
        """
        known = self._paths.get(child.der)
        if known is None:
            known = tuple(self._walk(child))
            # Nothing is remembered of what an attacker could send without end.
            if known and len(self._paths) < _MAX_REMEMBERED:
                self._paths[child.der] = known
        return known

    def _walk(self, child: Certificate) -> Iterator[Path]:
        """Go up from key to key, breadth first, until a certificate signed itself."""
        unfinished: deque[Path] = deque([()])
        verifications = 0
        while unfinished:
            path = unfinished.popleft()
            for issuer in self.candidates(path[-1] if path else child):
                if issuer in path or len(path) > MAX_LINKS or verifications == _MAX_VERIFICATIONS:
                    continue
                verifications += 1
                if not _issued(path[-1] if path else child, issuer):
                    continue
                if issuer.is_self_signed:
                    yield (*path, issuer)
                else:
                    unfinished.append((*path, issuer))

    def crls_of_country(self, country: str | None) -> tuple[Crl, ...]:
        """Return the revocation lists whose issuer has this country."""
        return self._crls_by_country.get(country, ())

    def crl_signers(self, crl: Crl) -> tuple[Path, ...]:
        """Return each certificate whose key signed the list, with its path to an anchor."""
        known = self._crl_signers.get(crl.sha256)
        if known is None:
            known = tuple(
                (signer, *path)
                for signer in self._by_subject.get(crl.issuer, ())
                if _issued(crl, signer)
                for path in ([()] if signer.is_self_signed else self.paths(signer))
            )
            self._crl_signers[crl.sha256] = known
        return known

    @cached_property
    def _encodings(self) -> frozenset[bytes]:
        return frozenset(certificate.der for certificate in self.certificates)

    @cached_property
    def _by_key_identifier(self) -> dict[bytes, tuple[Certificate, ...]]:
        return _index((c.key_identifier, c) for c in self.certificates)

    @cached_property
    def _by_subject(self) -> dict[Name, tuple[Certificate, ...]]:
        return _index((c.subject, c) for c in self.certificates)

    @cached_property
    def _crls_by_country(self) -> dict[str | None, tuple[Crl, ...]]:
        return _index((crl.issuer.country, crl) for crl in self.crls)


def _issued(child: Certificate | Crl, issuer: Certificate) -> bool:
    try:
        child.verify_issued_by(issuer)
    except (InvalidSignature, KeyUnsupportedError):
        return False
    return True


def _index(pairs: Iterable[tuple[K, V]]) -> dict[K, tuple[V, ...]]:
    index: dict[K, list[V]] = {}
    for key, value in pairs:
        index.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in index.items()}
