"""A private key in a token, for whatever takes an elliptic curve key of cryptography."""

import hashlib
from types import ModuleType
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from api.keys.errors import Pkcs11KeyMismatchError

if TYPE_CHECKING:
    from api.keys.pkcs11 import Pkcs11Token


class Pkcs11PrivateKey(ec.EllipticCurvePrivateKey):
    """A private key in a token, to cryptography an opaque one: it signs, and nothing else."""

    def __init__(self, token: "Pkcs11Token", public_key: ec.EllipticCurvePublicKey) -> None:
        self._token = token
        self._public_key = public_key
        self.identifier = x509.SubjectKeyIdentifier.from_public_key(public_key).digest
        """The CKA_ID."""

    def __repr__(self) -> str:
        return f"Pkcs11PrivateKey({self._token!r})"

    def __copy__(self) -> "Pkcs11PrivateKey":
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> "Pkcs11PrivateKey":
        return self

    @property
    def curve(self) -> ec.EllipticCurve:
        """The curve of its public key."""
        return self._public_key.curve

    @property
    def key_size(self) -> int:
        """Bits of the curve."""
        return self._public_key.key_size

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Return the public key."""
        return self._public_key

    def sign(
        self,
        data: bytes | bytearray | memoryview,
        signature_algorithm: ec.EllipticCurveSignatureAlgorithm,
    ) -> bytes:
        """Return the ECDSA signature with SHA-256 over the data, in DER.

        Raises:
            Pkcs11KeyMismatchError: another algorithm is asked for.
            ApiError: what `Pkcs11Token.sign_digest` raises.
        """
        if not isinstance(signature_algorithm.algorithm, hashes.SHA256):
            raise Pkcs11KeyMismatchError("keys in a token sign with ECDSA and SHA-256 only")
        raw = self._token.sign_digest(self.identifier, hashlib.sha256(data).digest())
        half = len(raw) // 2
        return encode_dss_signature(int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))

    def destroy(self) -> None:
        """Destroy the key pair in its token.

        Raises:
            ApiError: what `Pkcs11Token.use` raises.
        """
        self._token.destroy(self.identifier)

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> bytes:
        """Refuse: the key signs only."""
        raise Pkcs11KeyMismatchError("keys in a token sign only")

    def private_numbers(self) -> ec.EllipticCurvePrivateNumbers:
        """Refuse: the key does not leave the token."""
        raise Pkcs11KeyMismatchError("a key does not leave its token")

    def private_bytes(
        self,
        encoding: serialization.Encoding,
        format: serialization.PrivateFormat,  # noqa: A002 - cryptography's name
        encryption_algorithm: serialization.KeySerializationEncryption,
    ) -> bytes:
        """Refuse: the key does not leave the token."""
        raise Pkcs11KeyMismatchError("a key does not leave its token")


def generate_key_pair(session: Any, pkcs11: ModuleType, label: str) -> ec.EllipticCurvePublicKey:
    """Make a key pair on P-256 in a token, found by its `CKA_ID`, and return its public key.

    Args:
        session: of the token; it may write.
        pkcs11: the library.
        label: what the vendor's tools show.

    Raises:
        Pkcs11KeyMismatchError: the token would give the private key out.
    """
    from pkcs11.util.ec import encode_ec_public_key, encode_named_curve_parameters

    attribute = pkcs11.Attribute
    parameters = session.create_domain_parameters(
        pkcs11.KeyType.EC,
        {attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1")},
        local=True,
    )
    made_public, made_private = parameters.generate_keypair(
        label=label,
        store=True,
        capabilities=pkcs11.MechanismFlag.SIGN | pkcs11.MechanismFlag.VERIFY,
        private_template={attribute.SENSITIVE: True, attribute.EXTRACTABLE: False},
    )
    if can_leave(made_private, pkcs11):
        made_private.destroy()
        made_public.destroy()
        raise Pkcs11KeyMismatchError("the token made a key that could leave it")
    public = serialization.load_der_public_key(encode_ec_public_key(made_public))
    assert isinstance(public, ec.EllipticCurvePublicKey)
    identifier = x509.SubjectKeyIdentifier.from_public_key(public).digest
    for made in (made_public, made_private):
        made[attribute.ID] = identifier
    return public


def can_leave(key: Any, pkcs11: ModuleType) -> bool:
    """Return whether a token would give a private key out."""
    attribute = pkcs11.Attribute
    return bool(key[attribute.EXTRACTABLE] or not key[attribute.SENSITIVE])
