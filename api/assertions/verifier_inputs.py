"""What a relying party gives to the verifier: each thing of its type, or refused before anything.

Of another type a thing could be passed over: text answers `in` by parts of itself, an iterator only
once, and the bytes of one file are a sequence of numbers.
"""

from collections.abc import Collection, Container
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from cryptography import x509

from api.assertions import chain
from api.assertions.claim_checks import SeenByIssuer
from api.assertions.errors import RootsUnusableError
from api.assertions.policy_file import KnownPolicy
from api.assertions.vocabulary import AssuranceLevel
from api.errors import InputUnusableError

Certificates = Collection[bytes | x509.Certificate]
Lists = Collection[bytes | x509.CertificateRevocationList]

_ANSWERING = (Container, SeenByIssuer)


def time_of(at: datetime | None) -> datetime:
    """Return the time of verification, now if None is given.

    Raises:
        InputUnusableError: it is no time, or has no time zone.
    """
    now = datetime.now(UTC) if at is None else at
    if not isinstance(now, datetime) or now.utcoffset() is None:
        raise InputUnusableError("the time of verification is a datetime with a time zone")
    return now


def certificates(given: Certificates) -> tuple[x509.Certificate, ...]:
    """Return pinned roots, which are parsed once.

    Raises:
        RootsUnusableError: there is none, or one is not a certificate.
    """
    if not isinstance(given, Collection):
        raise RootsUnusableError("roots are given as a sequence of bytes or certificates")
    parsed = tuple([root for root in given if isinstance(root, x509.Certificate)])
    encoded = tuple([root for root in given if isinstance(root, bytes)])
    if len(parsed) + len(encoded) != len(given):
        raise RootsUnusableError("roots are given as a sequence of bytes or certificates")
    return parsed + (_load_roots(*encoded) if encoded or not parsed else ())


_load_roots = lru_cache(maxsize=16)(chain.load_roots)


def revocation_lists(given: Lists | None) -> tuple[x509.CertificateRevocationList, ...]:
    """Return revocation lists, parsed (raises what `crl_check.load_crls` raises)."""
    if given is None or (isinstance(given, Collection) and not given):
        return ()
    from api.assertions.crl_check import CrlUnusableError, load_crls  # here: most give none

    if not isinstance(given, Collection):
        raise CrlUnusableError("revocation lists are given as a sequence of bytes")
    return load_crls(*given)


def check_asked(
    *,
    audience: Any,
    nonce: Any,
    minimum_level: Any,
    policy_digests: Any,
    policies: Any,
    seen_jti: Any,
    status_lists: Any,
) -> None:
    """Check what is compared with the claims, as `verify` has it.

    Raises:
        InputUnusableError: something is not of its type.
    """
    for name, text in (("audience", audience), ("nonce", nonce)):
        if text is not None and not isinstance(text, str):
            raise InputUnusableError(f"{name} is text")
    if minimum_level is not None and not isinstance(minimum_level, AssuranceLevel):
        raise InputUnusableError("minimum_level is an AssuranceLevel")
    for name, known in (("policy_digests", policy_digests), ("seen_jti", seen_jti)):
        if known is not None and (_is_one(known) or not isinstance(known, _ANSWERING)):
            raise InputUnusableError(f"{name} is a collection that can be asked again and again")
    if policies is not None and not _is_full_of(policies, KnownPolicy):
        raise InputUnusableError("policies is a collection of what parse_policy returns")
    if status_lists is not None and not _is_full_of(status_lists, str | bytes):
        raise InputUnusableError("status_lists is a collection of tokens, each text or bytes")


def _is_one(given: Any) -> bool:
    """Whether a thing is given where a collection of them belongs."""
    return isinstance(given, str | bytes)


def _is_full_of(given: Any, kind: Any) -> bool:
    if not isinstance(given, Collection) or _is_one(given):
        return False
    return all(isinstance(item, kind) for item in given)
