"""Selective disclosure: hide claims behind salted digests, and put the disclosed ones back.

Source: RFC 9901 §4.2 (disclosures), §7.1 (processing).
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from api.assertions.encoding import b64url_decode, b64url_encode, parse_json, write_json
from api.assertions.errors import (
    AssertionMalformedError,
    DigestAlgorithmNotAllowedError,
    DisclosureDuplicateError,
    DisclosureNameForbiddenError,
    DisclosureNameTakenError,
    DisclosureUnknownError,
    DisclosureUnreferencedError,
)

ClaimPath = tuple[str | int, ...]
"""Where a claim is: names of objects and indices of arrays from the top."""

SALT_BYTES = 18
"""RFC 9901 §9.3 recommends 128 random bits. A multiple of three, so that salts need no padding and
all of an assertion are encoded in one go."""
_SALT_LETTERS = SALT_BYTES // 3 * 4
DIGEST_BYTES = 32
DIGEST_KEY = "_sd"
ELEMENT_KEY = "..."
DIGEST_ALGORITHM = "sha-256"
MAX_DEPTH = 24
"""Levels of nesting, disclosed values included."""

ALWAYS_VISIBLE = frozenset(
    {
        # SD-JWT VC, "Registered JWT claims", and RFC 9901 §9.7: what decides about validity.
        *("iss", "aud", "nbf", "exp", "cnf", "vct", "vct#integrity", "status"),
        # The profile: `sd` is `never` in vct.json, and what tells one assertion from another.
        *("jti", "iat", "nonce", "txn", "verified_claims", "policy"),
        *("chip", "face", "pad", "iad", "attendance"),
    }
)
"""Claims that must not be selectively disclosed as a whole."""


_HOLDERS = frozenset({dict, list})


class Disclosure(NamedTuple):  # made in half the time that a frozen dataclass takes
    """One disclosed claim or array element."""

    encoded: str
    """base64url of the JSON array; the digest is over these characters."""
    name: str | None
    """Claim name; None for an array element."""
    value: Any

    def __repr__(self) -> str:
        """Show the name alone: the rest is personal."""
        return f"Disclosure(name={self.name!r})"

    @property
    def digest(self) -> str:
        """RFC 9901 §4.2.3: base64url of the SHA-256 of the encoded disclosure."""
        return b64url_encode(hashlib.sha256(self.encoded.encode("ascii")).digest())

    @classmethod
    def make(cls, value: Any, name: str | None = None, *, salt: str | None = None) -> "Disclosure":
        """Salt a value, with fresh random characters if none are given."""
        salt = salt or random_salts(1)[0]
        content = (salt, value) if name is None else (salt, name, value)
        return cls(b64url_encode(write_json(content)), name, value)

    @classmethod
    def parse(cls, encoded: str) -> "Disclosure":
        """Read one disclosure.

        Raises:
            AssertionMalformedError: it is not an array of salt, name if any, and value.
        """
        match parse_json(b64url_decode(encoded)):
            case [str(), str() as name, value]:
                return cls(encoded, name, value)
            case [str(), value]:
                return cls(encoded, None, value)
        raise AssertionMalformedError("a disclosure is no array of salt, name if any, and value")


@dataclass(frozen=True)
class Revealed:
    """A processed payload (RFC 9901 §7.1) and where each disclosure went."""

    payload: dict[str, Any] = field(repr=False)
    paths: tuple[ClaimPath, ...]
    """One a disclosure, in the order given."""
    withheld: frozenset[ClaimPath]
    """Objects and arrays with digests of what was not disclosed, or of nothing (decoys)."""


def conceal(
    payload: Mapping[str, Any], paths: Iterable[ClaimPath], *, decoys: int = 0, fill_to: int = 0
) -> tuple[dict[str, Any], tuple[Disclosure, ...]]:
    """Replace claims by digests.

    Args:
        payload: the claims; it is left unchanged.
        paths: the claims and array elements to hide. One inside another is hidden in it.
        decoys: digests of nothing to add to each object that has some (RFC 9901 §4.2.5).
        fill_to: how many digests each such object has at least, by further decoys: what is always
            the same number tells nothing.

    Returns:
        The payload to sign, and the disclosures.

    Raises:
        DisclosureUnknownError: a path leads nowhere.
    """
    copies: dict[ClaimPath, Any] = {(): dict(payload)}
    # Deepest first, so that what is hidden inside a hidden claim goes into its disclosure.
    ordered = sorted(set(paths), key=len, reverse=True)
    salts = iter(random_salts(len(ordered)))
    by_holder: dict[ClaimPath, list[Any]] = {}
    for path in ordered:
        by_holder.setdefault(path[:-1], []).append(path[-1])
    disclosures: list[Disclosure] = []
    for where, keys in by_holder.items():
        holder = _copy_at(copies, where)
        if type(holder) is dict:
            made = [Disclosure.make(_of(holder, key), key, salt=next(salts)) for key in keys]
            for key in keys:
                del holder[key]
            holder[DIGEST_KEY] = _filled([d.digest for d in made], decoys, fill_to)
        else:
            made = [Disclosure.make(_of(holder, key), salt=next(salts)) for key in keys]
            for key, disclosure in zip(keys, made, strict=True):
                holder[key] = {ELEMENT_KEY: disclosure.digest}
        disclosures += made
    hidden: dict[str, Any] = copies[()]
    hidden["_sd_alg"] = DIGEST_ALGORITHM
    return hidden, tuple(disclosures)


def reveal(payload: dict[str, Any], disclosures: Sequence[Disclosure]) -> Revealed:
    """Put disclosed values back in place of their digests (RFC 9901 §7.1, steps 3 to 5).

    Raises:
        AssertionMalformedError: digests or disclosures are not where their kind belongs.
        DigestAlgorithmNotAllowedError: `_sd_alg` is not SHA-256.
        DisclosureDuplicateError: a disclosure or a digest is there twice.
        DisclosureNameForbiddenError: a disclosure has a name that none may have.
        DisclosureNameTakenError: a disclosure's name is already there.
        DisclosureUnreferencedError: a disclosure's digest is nowhere.
    """
    if payload.get("_sd_alg", DIGEST_ALGORITHM) != DIGEST_ALGORITHM:
        raise DigestAlgorithmNotAllowedError("disclosures must be digested with SHA-256")
    digests = [disclosure.digest for disclosure in disclosures]
    by_digest = dict(zip(digests, disclosures, strict=True))
    if len(by_digest) != len(disclosures):
        raise DisclosureDuplicateError("a disclosure is there twice")
    revelation = _Revelation(by_digest)
    processed = revelation.object(payload, ()).copy()
    if len(revelation.paths) != len(by_digest):
        raise DisclosureUnreferencedError("a disclosure is not among what the issuer signed")
    processed.pop("_sd_alg", None)
    paths = tuple(revelation.paths[digest] for digest in digests)
    return Revealed(processed, paths, frozenset(revelation.withheld))


class _Revelation:
    """One walk through a payload: the digests met, and the disclosures placed.

    What holds no digest, most of a payload, is not copied.
    """

    def __init__(self, by_digest: dict[str, Disclosure]) -> None:
        self._by_digest = by_digest
        self._met: set[str] = set()
        self.paths: dict[str, ClaimPath] = {}
        self.withheld: set[ClaimPath] = set()

    def object(self, value: dict[str, Any], path: ClaimPath) -> dict[str, Any]:
        if ELEMENT_KEY in value:
            raise AssertionMalformedError("an array digest stands where none belongs")
        processed = value
        for name, item in value.items():
            if type(item) in _HOLDERS and name != DIGEST_KEY:
                inside = self._inside(item, (*path, name))
                if inside is not item:
                    processed = value.copy() if processed is value else processed
                    processed[name] = inside
        if DIGEST_KEY not in value:
            return processed
        processed = value.copy() if processed is value else processed
        self._disclose(processed.pop(DIGEST_KEY), processed, path)
        return processed

    def _disclose(self, digests: Any, processed: dict[str, Any], path: ClaimPath) -> None:
        """Add to an object what is disclosed by its digests."""
        if not isinstance(digests, list) or not all(isinstance(d, str) for d in digests):
            raise AssertionMalformedError("_sd is not an array of digests")
        for digest in digests:
            disclosure = self._find(digest, path)
            if disclosure is None:
                continue
            name = disclosure.name
            if name is None:
                raise AssertionMalformedError("an array element is disclosed as a claim")
            # RFC 9901 §7.1 step 3.c.ii.2, and SD-JWT VC for the claims of the JWT itself.
            if name in (DIGEST_KEY, ELEMENT_KEY) or (not path and name in ALWAYS_VISIBLE):
                raise DisclosureNameForbiddenError("a disclosure has a name that none may have")
            # RFC 9901 §7.1 step 3.c.ii.3
            if name in processed:
                raise DisclosureNameTakenError("a disclosure would overwrite a claim")
            processed[name] = self._place(disclosure, digest, (*path, name))

    def _array(self, value: list[Any], path: ClaimPath) -> list[Any]:
        processed: list[Any] = []
        for item in value:
            if type(item) is dict and ELEMENT_KEY in item:
                processed += self._element(item, (*path, len(processed)))
            elif type(item) in _HOLDERS:
                processed.append(self._inside(item, (*path, len(processed))))
            else:
                processed.append(item)
        return value if processed == value else processed

    def _element(self, item: dict[str, Any], path: ClaimPath) -> list[Any]:
        """Return what an array's digest stands for; nothing where it is not disclosed."""
        digest = item[ELEMENT_KEY]
        if len(item) != 1 or not isinstance(digest, str):
            raise AssertionMalformedError("an array digest is malformed")
        disclosure = self._find(digest, path[:-1])
        # RFC 9901 §7.1 step 4: an element that is not disclosed leaves the array.
        if disclosure is None:
            return []
        if disclosure.name is not None:
            raise AssertionMalformedError("a claim is disclosed as an array element")
        return [self._place(disclosure, digest, path)]

    def _place(self, disclosure: Disclosure, digest: str, path: ClaimPath) -> Any:
        self.paths[digest] = path
        value = disclosure.value
        return self._inside(value, path) if type(value) in _HOLDERS else value

    def _inside(self, value: Any, path: ClaimPath) -> Any:
        """Return an object or array with what is disclosed in it."""
        if len(path) > MAX_DEPTH:
            raise AssertionMalformedError("disclosures are nested too deeply")
        return self.object(value, path) if type(value) is dict else self._array(value, path)

    def _find(self, digest: str, holder: ClaimPath) -> Disclosure | None:
        # RFC 9901 §7.1 step 4: a digest met twice, wherever, rejects the whole.
        if digest in self._met:
            raise DisclosureDuplicateError("a digest is there twice")
        self._met.add(digest)
        disclosure = self._by_digest.get(digest)
        if disclosure is None:
            self.withheld.add(holder)
        return disclosure


def random_salts(count: int) -> list[str]:
    """Return fresh salts in base64url."""
    text = b64url_encode(secrets.token_bytes(SALT_BYTES * count))
    return [text[start : start + _SALT_LETTERS] for start in range(0, len(text), _SALT_LETTERS)]


def _filled(digests: list[str], decoys: int, fill_to: int) -> list[str]:
    """Return the digests of one object with those of nothing, in an order that tells nothing."""
    count = max(decoys, fill_to - len(digests))
    digests += [b64url_encode(secrets.token_bytes(DIGEST_BYTES)) for _ in range(count)]
    # Sorted digests do not tell the order of the claims (RFC 9901 §4.2.4.1).
    return sorted(digests)


def _copy_at(copies: dict[ClaimPath, Any], path: ClaimPath) -> Any:
    """Return the object or array at a path, copied once with all that it is in.

    `copies` has what was copied, by its path.
    """
    if path not in copies:
        outer, step = _copy_at(copies, path[:-1]), path[-1]
        inner = _of(outer, step)
        if type(inner) not in _HOLDERS:
            raise DisclosureUnknownError("there is no such claim to disclose")
        copies[path] = outer[step] = inner.copy()
    return copies[path]


def _of(holder: Any, step: Any) -> Any:
    try:
        return holder[step]
    except (KeyError, IndexError, TypeError):
        raise DisclosureUnknownError("there is no such claim to disclose") from None
