"""Key pairs of the card and of its test PKI."""

import hashlib
from typing import Literal, Protocol, get_args

import ecdsa
from asn1crypto import algos, core
from asn1crypto import keys as asn1_keys
from Crypto.Hash import SHA1, SHA224, SHA256, SHA384, SHA512
from Crypto.PublicKey import RSA
from Crypto.Signature import pkcs1_15, pss
from ecdsa.util import sigencode_der

from devices.simulator import curves

Digest = Literal["sha1", "sha224", "sha256", "sha384", "sha512"]
RsaPadding = Literal["pkcs1", "pss"]

KeyType = Literal[
    "rsa-1024",
    "rsa-1536",
    "rsa-2048",
    "rsa-3072",
    "rsa-4096",
    "ecdsa-secp192r1",
    "ecdsa-brainpoolP192r1",
    "ecdsa-secp224r1",
    "ecdsa-brainpoolP224r1",
    "ecdsa-secp256r1",
    "ecdsa-brainpoolP256r1",
    "ecdsa-brainpoolP320r1",
    "ecdsa-secp384r1",
    "ecdsa-brainpoolP384r1",
    "ecdsa-brainpoolP512r1",
    "ecdsa-secp521r1",
]
"""The kinds of signature keys that a profile can ask for."""

_HASHES = {"sha1": SHA1, "sha224": SHA224, "sha256": SHA256, "sha384": SHA384, "sha512": SHA512}


class KeyPair(Protocol):
    """A private key that signs certificates and security objects."""

    def signature_algorithm(
        self, digest: Digest, padding: RsaPadding
    ) -> algos.SignedDigestAlgorithm:
        """Return the AlgorithmIdentifier of what `sign` performs."""

    def public_key_info(self) -> bytes:
        """Return the SubjectPublicKeyInfo as DER."""

    def private_key_info(self) -> bytes:
        """Return the private key as PKCS #8 DER."""

    def sign(self, message: bytes, digest: Digest, padding: RsaPadding) -> bytes:
        """Return the signature in the form that X.509 and CMS carry; the padding is for RSA."""


class EcKeyPair:
    """A key on a named curve; signs with ECDSA."""

    def __init__(self, key: ecdsa.SigningKey) -> None:
        self._key = key

    @property
    def curve(self) -> ecdsa.curves.Curve:
        """Return the curve."""
        return self._key.curve

    def public_key_info(self) -> bytes:
        """Return the SubjectPublicKeyInfo with the curve's name."""
        return bytes(self._key.verifying_key.to_der())

    def private_key_info(self) -> bytes:
        """Return the private key as PKCS #8 DER."""
        return bytes(self._key.to_der(format="pkcs8"))

    def signature_algorithm(
        self, digest: Digest, padding: RsaPadding = "pkcs1"
    ) -> algos.SignedDigestAlgorithm:
        """Return ecdsa-with-SHA…, without parameters.

        Source: RFC 5758 §3.2.
        """
        return algos.SignedDigestAlgorithm({"algorithm": f"{digest}_ecdsa"})

    def sign(self, message: bytes, digest: Digest, padding: RsaPadding = "pkcs1") -> bytes:
        """Return ECDSA-Sig-Value as DER."""
        hash_function = getattr(hashlib, digest)
        return bytes(self._key.sign_deterministic(message, hash_function, sigencode=sigencode_der))

    def sign_plain(self, message: bytes, digest: Digest = "sha256") -> bytes:
        """Return r ‖ s, each with the length of the group order.

        Source: BSI TR-03111 §5.2.1 (plain signature format).
        """
        hash_function = getattr(hashlib, digest)
        return bytes(self._key.sign(message, hashfunc=hash_function, allow_truncate=True))


class RsaKeyPair:
    """An RSA key; signs with PKCS #1 v1.5 or PSS."""

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

    def signature_algorithm(
        self, digest: Digest, padding: RsaPadding
    ) -> algos.SignedDigestAlgorithm:
        """Return sha…WithRSAEncryption, or RSASSA-PSS with its parameters written out.

        Source: RFC 8017 appendix A.2.
        """
        if padding == "pkcs1":
            name = f"{digest}_rsa"
            return algos.SignedDigestAlgorithm({"algorithm": name, "parameters": core.Null()})
        hash_algorithm = {"algorithm": digest}
        parameters = {
            "hash_algorithm": hash_algorithm,
            "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": hash_algorithm},
            "salt_length": _HASHES[digest].digest_size,
        }
        return algos.SignedDigestAlgorithm({"algorithm": "rsassa_pss", "parameters": parameters})

    def sign(self, message: bytes, digest: Digest, padding: RsaPadding) -> bytes:
        """Return a PKCS #1 v1.5 signature, or PSS with a salt as long as the hash."""
        hashed = _HASHES[digest].new(message)
        signer = pkcs1_15 if padding == "pkcs1" else pss
        return bytes(signer.new(self._key).sign(hashed))

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
    kind, _, variant = key_type.partition("-")
    if kind == "rsa":
        return RsaKeyPair(RSA.generate(int(variant)))
    return EcKeyPair(ecdsa.SigningKey.generate(curves.BY_NAME[variant].curve))


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
    """Return the key type by which `generate_key` makes another such key.

    Raises:
        ValueError: there is none.
    """
    if isinstance(key, RsaKeyPair):
        name = f"rsa-{key.modulus_bytes * 8}"
    else:
        group = next(group for group in curves.BY_NAME.values() if group.curve == key.curve)
        name = f"ecdsa-{group.name}"
    for key_type in get_args(KeyType):
        if key_type == name:
            return key_type  # type: ignore[no-any-return]
    raise ValueError("not a kind of key that a profile can ask for")
