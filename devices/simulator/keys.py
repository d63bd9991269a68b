"""Key pairs of the card and of its test PKI, always used with SHA-256."""

import hashlib
from typing import Literal, Protocol

import ecdsa
from asn1crypto import keys as asn1_keys
from Crypto.Hash import SHA256
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15
from ecdsa.util import sigencode_der

from devices.simulator.curves import BRAINPOOL_P256R1

KeyType = Literal["ecdsa-brainpoolP256r1", "rsa-2048"]
"""The key types that a profile can ask for."""


class KeyPair(Protocol):
    """A private key that signs certificates and security objects."""

    signature_algorithm: str
    """asn1crypto's name of the algorithm that `sign` performs."""

    def public_key_info(self) -> bytes:
        """Return the SubjectPublicKeyInfo as DER."""

    def private_key_info(self) -> bytes:
        """Return the private key as PKCS #8 DER."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature in the form that X.509 and CMS carry."""


class EcKeyPair:
    """A key on a named curve; signs with ECDSA."""

    signature_algorithm = "sha256_ecdsa"

    def __init__(self, key: ecdsa.SigningKey) -> None:
        self._key = key

    @property
    def scalar(self) -> int:
        """Return the private number."""
        return int(self._key.privkey.secret_multiplier)

    @property
    def curve(self) -> ecdsa.curves.Curve:
        """Return the curve."""
        return self._key.curve

    def public_key_info(self, *, explicit: bool = False) -> bytes:
        """Return the SubjectPublicKeyInfo, with explicit domain parameters or the curve's name."""
        form = "explicit" if explicit else "named_curve"
        return bytes(self._key.verifying_key.to_der(curve_parameters_encoding=form))

    def private_key_info(self) -> bytes:
        """Return the private key as PKCS #8 DER."""
        return bytes(self._key.to_der(format="pkcs8"))

    def sign(self, message: bytes) -> bytes:
        """Return ECDSA-Sig-Value as DER."""
        return bytes(self._key.sign_deterministic(message, hashlib.sha256, sigencode=sigencode_der))

    def sign_plain(self, message: bytes) -> bytes:
        """Return r ‖ s, each with the length of the group order.

        Source: BSI TR-03111 §5.2.1 (plain signature format).
        """
        return bytes(self._key.sign(message, hashfunc=hashlib.sha256))


class RsaKeyPair:
    """An RSA key; signs with PKCS #1 v1.5."""

    signature_algorithm = "sha256_rsa"

    def __init__(self, key: RSA.RsaKey) -> None:
        self._key = key

    @property
    def modulus_bytes(self) -> int:
        """Return the length of the modulus."""
        return self._key.size_in_bytes()

    def public_key_info(self) -> bytes:
        """Return the SubjectPublicKeyInfo as DER."""
        return self._key.public_key().export_key("DER")

    def private_key_info(self) -> bytes:
        """Return the private key as PKCS #8 DER."""
        return self._key.export_key("DER", pkcs=8)

    def sign(self, message: bytes) -> bytes:
        """Return a PKCS #1 v1.5 signature."""
        return pkcs1_15.new(self._key).sign(SHA256.new(message))

    def apply(self, representative: bytes) -> bytes:
        """Return the bare private-key operation on a representative below the modulus.

        Source: RFC 8017 §5.2.1 (RSASP1, Chinese remainder form).
        """
        m, p, q, d = (int.from_bytes(representative, "big"), self._key.p, self._key.q, self._key.d)
        m_q = pow(m, d % (q - 1), q)
        h = (pow(m, d % (p - 1), p) - m_q) * pow(q, -1, p) % p
        return int(m_q + h * q).to_bytes(self.modulus_bytes, "big")


def generate_key(key_type: KeyType) -> EcKeyPair | RsaKeyPair:
    """Return a fresh key pair."""
    if key_type == "rsa-2048":
        return RsaKeyPair(RSA.generate(2048))
    return EcKeyPair(ecdsa.SigningKey.generate(BRAINPOOL_P256R1))


def load_key(private_key_info: bytes) -> EcKeyPair | RsaKeyPair:
    """Return the key pair of a PKCS #8 structure.

    Raises:
        ValueError: it is not an RSA key or not one on a curve known here.
    """
    algorithm = asn1_keys.PrivateKeyInfo.load(private_key_info)["private_key_algorithm"]
    if algorithm["algorithm"].native == "rsa":
        return RsaKeyPair(RSA.import_key(private_key_info))
    try:
        return EcKeyPair(ecdsa.SigningKey.from_der(private_key_info))
    except (ecdsa.der.UnexpectedDER, ecdsa.curves.UnknownCurveError) as error:
        raise ValueError("not a usable EC private key") from error


def type_of(key: EcKeyPair | RsaKeyPair) -> KeyType:
    """Return the key type by which `generate_key` makes another such key."""
    return "rsa-2048" if isinstance(key, RsaKeyPair) else "ecdsa-brainpoolP256r1"
