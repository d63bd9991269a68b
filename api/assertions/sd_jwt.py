"""SD-JWT VC: issue, parse, and present with some claims left out.

Source: RFC 9901 §4 (format), SD-JWT VC (`typ: dc+sd-jwt`).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from api.assertions import jws
from api.assertions.disclosures import ClaimPath, Disclosure, Revealed, conceal, reveal
from api.assertions.errors import (
    AssertionMalformedError,
    ClaimsUnwritableError,
    DisclosureUnknownError,
    SigningKeyExpiredError,
)

if TYPE_CHECKING:
    from api.assertions.claims import AssertionClaims
    from api.assertions.signing_key import SigningKey

TYPE = "dc+sd-jwt"
MAX_BYTES = 64 << 10
"""A full assertion is about a tenth of this."""
MAX_DISCLOSURES = 128


@dataclass(frozen=True)
class SdJwt:
    """A parsed SD-JWT; nothing of it is verified yet."""

    issued: jws.Jws
    """The issuer-signed JWT."""
    disclosures: tuple[Disclosure, ...]
    key_binding: str | None = field(repr=False)
    """The key-binding JWT, if the holder appended one."""

    @property
    def without_key_binding(self) -> str:
        """What a key-binding JWT's `sd_hash` covers (RFC 9901 §4.3.1)."""
        return _join(self.issued.compact, self.disclosures)

    def reveal(self) -> Revealed:
        """Put the disclosed claims back (raises what `disclosures.reveal` raises)."""
        return reveal(self.issued.payload, self.disclosures)


def issue(
    claims: "AssertionClaims", key: "SigningKey", *, decoys: int = 0, fill_to: int = 0
) -> str:
    """Sign an assertion with all its disclosures.

    Args:
        claims: they exist only for a session that may have an assertion.
        key: the issuer's key with its chain.
        decoys: digests of nothing for each object that has disclosable claims; they hide how many.
        fill_to: how many digests each of these objects has at least.

    Raises:
        SigningKeyExpiredError: the leaf is not valid at the time of issue or dies before `exp`.
        ClaimsUnwritableError: the assertion would have more than `MAX_BYTES`, or a claim is text
            that UTF-8 cannot write.
    """
    payload = claims.to_payload(key.issuer)
    if not key.covers(payload.claims["iat"], payload.claims["exp"]):
        raise SigningKeyExpiredError("the signing certificate does not cover the assertion's life")
    try:
        assertion = sign_payload(
            payload.claims, payload.disclosable, key, decoys=decoys, fill_to=fill_to
        )
    except UnicodeEncodeError:
        raise ClaimsUnwritableError("a claim is not text that UTF-8 can write") from None
    if len(assertion) > MAX_BYTES:
        raise ClaimsUnwritableError(
            f"the assertion would have more than {MAX_BYTES >> 10} KiB: no verifier would read it"
        )
    return assertion


def sign_payload(
    payload: Mapping[str, Any],
    disclosable: Iterable[ClaimPath],
    key: "SigningKey",
    *,
    decoys: int = 0,
    fill_to: int = 0,
) -> str:
    """Sign any payload as an SD-JWT VC; `issue` is the one that knows what may be signed."""
    hidden, disclosures = conceal(payload, disclosable, decoys=decoys, fill_to=fill_to)
    return _join(jws.sign_under(_header(key.x5c, key.kid), hidden, key), disclosures)


@lru_cache(maxsize=16)
def _header(x5c: tuple[str, ...], kid: str) -> str:
    """Encode the header that all assertions of one leaf have.

    Whoever verifies by the published key set finds the key by `kid`; the verifier here goes by
    `x5c` alone.
    """
    return jws.encode_header({"typ": TYPE, "kid": kid, "x5c": x5c})


def parse(assertion: str | bytes) -> SdJwt:
    """Read an SD-JWT strictly and within bounds, without verifying it.

    Raises:
        AssertionMalformedError: it is not one.
    """
    if not isinstance(assertion, str | bytes):
        raise AssertionMalformedError("an assertion is text or bytes")
    if len(assertion) > MAX_BYTES:
        raise AssertionMalformedError(f"an assertion has at most {MAX_BYTES >> 10} KiB")
    try:
        text = assertion.decode("ascii") if isinstance(assertion, bytes) else assertion
    except UnicodeDecodeError:
        raise AssertionMalformedError("an assertion is plain ASCII") from None
    # RFC 9901 §4: <JWT>~<Disclosure>~…~ and after the last tilde nothing or a key-binding JWT.
    compact, *rest = text.split("~")
    if not rest or not text.isascii():
        raise AssertionMalformedError("an SD-JWT has a tilde after its JWT and each disclosure")
    *encoded, key_binding = rest
    if len(encoded) > MAX_DISCLOSURES:
        raise AssertionMalformedError(f"an assertion has at most {MAX_DISCLOSURES} disclosures")
    disclosures = tuple(Disclosure.parse(part) for part in encoded)
    return SdJwt(jws.parse(compact), disclosures, key_binding or None)


def present(assertion: str | bytes, disclose: Collection[ClaimPath]) -> str:
    """Return the assertion with only some of its disclosures.

    Args:
        assertion: with all its disclosures.
        disclose: the claims to keep; what such a claim is hidden in is kept with it.

    Raises:
        AssertionMalformedError: it is not an SD-JWT, or is already bound to a presentation.
        DisclosureUnknownError: a claim is not among the disclosures.
    """
    token = parse(assertion)
    if token.key_binding is not None:
        raise AssertionMalformedError("a presentation with key binding cannot be cut down")
    paths = token.reveal().paths
    if not set(disclose) <= set(paths):
        raise DisclosureUnknownError("a claim is not among those that can be disclosed")
    kept = [
        disclosure
        for disclosure, path in zip(token.disclosures, paths, strict=True)
        if any(wanted[: len(path)] == path for wanted in disclose)
    ]
    return _join(token.issued.compact, kept)


def _join(compact: str, disclosures: Iterable[Disclosure]) -> str:
    return "~".join([compact, *(disclosure.encoded for disclosure in disclosures), ""])
