"""What signs an assertion: a leaf's private key, wherever it is, with its certificates."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from api.assertions import es256
from api.assertions.chain import issuers_named_by
from api.assertions.errors import SigningKeyUnusableError
from api.assertions.jwk import thumbprint


@dataclass(frozen=True)
class SigningKey:
    """What signs assertions: the leaf's private key with its certificates."""

    issuer: str
    """The `iss` that the leaf speaks for."""
    x5c: tuple[str, ...] = field(repr=False)
    """Leaf and issuing CA, base64 of DER (RFC 7515 §4.1.6)."""
    not_before: datetime
    not_after: datetime
    """Validity of the chain: what is signed must not outlive it."""
    private_key: ec.EllipticCurvePrivateKey = field(repr=False)
    """In memory, or an opaque one in a security module."""

    def covers(self, begin_s: int, end_s: int) -> bool:
        """Whether a span of time (Unix seconds) lies in the validity of the chain."""
        not_before_s, not_after_s = self._validity_s
        return not_before_s <= begin_s <= end_s <= not_after_s

    @cached_property
    def _validity_s(self) -> tuple[float, float]:
        return self.not_before.timestamp(), self.not_after.timestamp()

    @cached_property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The leaf's public key."""
        return self.private_key.public_key()

    @cached_property
    def kid(self) -> str:
        """The JWK thumbprint (RFC 7638), by which the published JWKS names the key."""
        return thumbprint(self.public_key)

    def sign(self, message: bytes) -> bytes:
        """Return the ES256 signature, as `jws.Signer` has it."""
        return es256.sign(self.private_key, message)


def signing_key(
    private_key: ec.EllipticCurvePrivateKey, chain: Sequence[x509.Certificate]
) -> SigningKey:
    """Put a private key and its checked chain, leaf first, together.

    Raises:
        SigningKeyUnusableError: the leaf does not name exactly one issuer.
    """
    issuers = issuers_named_by(chain[0])
    if len(issuers) != 1:
        raise SigningKeyUnusableError("the signing certificate must name one issuer as a URI")
    ders = (certificate.public_bytes(serialization.Encoding.DER) for certificate in chain)
    return SigningKey(
        issuer=issuers[0],
        x5c=tuple(base64.b64encode(der).decode("ascii") for der in ders),
        not_before=max(certificate.not_valid_before_utc for certificate in chain),
        not_after=min(certificate.not_valid_after_utc for certificate in chain),
        private_key=private_key,
    )
