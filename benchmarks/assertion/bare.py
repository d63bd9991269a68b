"""The operations that no issuing or verifying can do without, with keys loaded already."""

import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from api.assertions.sd_jwt import parse

_ES256 = ec.ECDSA(hashes.SHA256())


@dataclass(frozen=True)
class BareOperations:
    """ES256 over what one assertion signs, and one SHA-256 over each of its disclosures."""

    message: bytes = field(repr=False)
    """The signing input of the assertion (RFC 7515 §5.1)."""
    disclosures: tuple[bytes, ...] = field(repr=False)
    signature: bytes = field(repr=False)
    """DER, by `private_key`."""
    private_key: ec.EllipticCurvePrivateKey = field(repr=False)
    public_key: ec.EllipticCurvePublicKey

    @classmethod
    def of(cls, assertion: str, key: ec.EllipticCurvePrivateKey) -> "BareOperations":
        """Take them from an assertion that the key signed."""
        token = parse(assertion)
        message = token.issued.compact.rpartition(".")[0].encode("ascii")
        encoded = tuple(disclosure.encoded.encode("ascii") for disclosure in token.disclosures)
        return cls(message, encoded, key.sign(message, _ES256), key, key.public_key())

    def issue(self) -> None:
        """Sign once and hash each disclosure."""
        self.private_key.sign(self.message, _ES256)
        self.hash_disclosures()

    def verify(self, signatures: int) -> None:
        """Verify so many signatures and hash each disclosure."""
        for _ in range(signatures):
            self.public_key.verify(self.signature, self.message, _ES256)
        self.hash_disclosures()

    def hash_disclosures(self) -> None:
        """Hash each disclosure."""
        for disclosure in self.disclosures:
            hashlib.sha256(disclosure).digest()
