"""Public keys of certificates and data groups, and signatures made with them.

Elliptic curves with explicit parameters are mapped to the named curve that has exactly these
parameters; unknown parameters are refused, since a forger could choose them.

Source: RFC 5480 and BSI TR-03111, 5 (keys); RFC 8017, 8 (RSA); BSI TR-03111, 4.2.1 (ECDSA).
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any

from asn1crypto import algos, keys
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from devices.emrtd.asn1 import asn1_errors, load_asn1
from devices.emrtd.elliptic_curves import BY_OID, BY_ORDER, Curve
from devices.emrtd.errors import KeyUnsupportedError

HASHES: dict[str, type[hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1,
    "sha224": hashes.SHA224,
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
"""Hash algorithms that a chip may use (9303-12, 4.1.6), by asn1crypto's names."""

MIN_RSA_BITS = 1024
MAX_RSA_BITS = 8192
MAX_EXPONENT_BITS = 256
_EC_PUBLIC_KEY = "1.2.840.10045.2.1"

# BSI TR-03111, 5.2.1.1: ecdsa-plain-signatures; ANSI X9.62 and RFC 5758 for the rest.
_ECDSA_HASHES = {
    "1.2.840.10045.4.1": "sha1",
    "1.2.840.10045.4.3.1": "sha224",
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
    "0.4.0.127.0.7.1.1.4.1.1": "sha1",
    "0.4.0.127.0.7.1.1.4.1.2": "sha224",
    "0.4.0.127.0.7.1.1.4.1.3": "sha256",
    "0.4.0.127.0.7.1.1.4.1.4": "sha384",
    "0.4.0.127.0.7.1.1.4.1.5": "sha512",
}
_RSA_HASHES = {
    "1.2.840.113549.1.1.5": "sha1",
    "1.2.840.113549.1.1.14": "sha224",
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
}
_RSA_ENCRYPTION = "1.2.840.113549.1.1.1"
_RSASSA_PSS = "1.2.840.113549.1.1.10"
# Signature algorithms that leave the hash to the message: id-ecPublicKey, ecdsa-with-Specified.
_ECDSA_UNSPECIFIED = (_EC_PUBLIC_KEY, "1.2.840.10045.4", "1.2.840.10045.4.3")


@dataclass(frozen=True)
class RsaKey:
    """An RSA public key."""

    modulus: int = field(repr=False)
    exponent: int = field(repr=False)

    @property
    def size_bytes(self) -> int:
        """Length of the modulus."""
        return (self.modulus.bit_length() + 7) // 8


@dataclass(frozen=True)
class EcKey:
    """A public key on a known elliptic curve."""

    curve: Curve
    point: tuple[int, int] = field(repr=False)


PublicKey = RsaKey | EcKey


def parse_public_key(spki: bytes) -> PublicKey:
    """Return the key of a DER SubjectPublicKeyInfo.

    Raises:
        KeyUnsupportedError: it is malformed, of unreasonable size, of another kind than RSA and
            EC, or on a curve that is not one of the known ones.
    """
    with asn1_errors(KeyUnsupportedError("a public key is malformed")):
        info = load_asn1(keys.PublicKeyInfo, spki)
        algorithm = info["algorithm"]
        if str(algorithm["algorithm"].dotted) == _EC_PUBLIC_KEY:
            return _ec_key(algorithm["parameters"], bytes(info["public_key"]))
        if str(algorithm["algorithm"].dotted) in (_RSA_ENCRYPTION, _RSASSA_PSS):
            parsed = info["public_key"].parsed
            # Some issuers leave out the leading 00, which makes the INTEGER negative in DER.
            numbers = (parsed["modulus"].contents, parsed["public_exponent"].contents)
            return _rsa_key(*(int.from_bytes(number, "big") for number in numbers))
    raise KeyUnsupportedError("a public key is neither RSA nor on an elliptic curve")


def _rsa_key(modulus: int, exponent: int) -> RsaKey:
    sensible = modulus & 1 and exponent > 2 and exponent & 1
    if (
        not sensible
        or not MIN_RSA_BITS <= modulus.bit_length() <= MAX_RSA_BITS
        or exponent.bit_length() > MAX_EXPONENT_BITS
    ):
        raise KeyUnsupportedError("an RSA key is malformed or of unreasonable size")
    return RsaKey(modulus, exponent)


def _ec_key(parameters: Any, encoded: bytes) -> EcKey:
    curve = named_curve(parameters)
    point = None if curve is None else curve.decode(encoded)
    if curve is None or point is None:
        raise KeyUnsupportedError("a key is on an unknown curve or is no point of its curve")
    return EcKey(curve, point)


def named_curve(parameters: Any) -> Curve | None:
    """Return the curve that the parameters name or, value by value, describe."""
    if parameters.name == "named":
        return BY_OID.get(str(parameters.chosen.dotted))
    if parameters.name != "specified":
        return None
    domain = parameters.chosen
    curve = BY_ORDER.get(int(domain["order"].native))
    if curve is None:
        return None
    base = bytes(domain["base"])
    same = (
        int(domain["field_id"]["parameters"].native) == curve.p
        and int.from_bytes(bytes(domain["curve"]["a"]), "big") % curve.p == curve.a
        and int.from_bytes(bytes(domain["curve"]["b"]), "big") == curve.b
        and base in (curve.encode(curve.base), curve.encode_compressed(curve.base))
    )
    return curve if same else None


def signature_hash(algorithm: algos.SignedDigestAlgorithm, digest_name: str | None) -> str:
    """Return the name of the hash that a signature algorithm uses.

    Args:
        algorithm: the AlgorithmIdentifier of the signature.
        digest_name: the hash named beside it, for algorithms that name none.

    Raises:
        KeyUnsupportedError: the algorithm or its hash is not one that a chip may use.
    """
    with asn1_errors(KeyUnsupportedError("a signature algorithm is malformed")):
        oid = str(algorithm["algorithm"].dotted)
        name: str | None = _ECDSA_HASHES.get(oid) or _RSA_HASHES.get(oid)
        if oid == _RSASSA_PSS:
            name = str(algorithm["parameters"]["hash_algorithm"]["algorithm"].native)
        elif oid == _RSA_ENCRYPTION or oid in _ECDSA_UNSPECIFIED:
            name = digest_name
    if name not in HASHES:
        raise KeyUnsupportedError("a signature or hash algorithm is not supported")
    return name


def verify_signature(
    key: PublicKey,
    algorithm: algos.SignedDigestAlgorithm,
    digest_name: str | None,
    signature: bytes,
    message: bytes,
) -> None:
    """Verify a signature of a SOD or certificate; return nothing if it is right.

    Raises:
        InvalidSignature: it is wrong.
        KeyUnsupportedError: the algorithm is not supported or does not fit the key.
    """
    hash_name = signature_hash(algorithm, digest_name)
    oid = str(algorithm["algorithm"].dotted)
    if isinstance(key, EcKey):
        if oid not in _ECDSA_HASHES and oid not in _ECDSA_UNSPECIFIED:
            raise KeyUnsupportedError("a signature algorithm does not fit the key")
        verify_ecdsa(key, hash_name, signature, message)
        return
    scheme: padding.AsymmetricPadding
    if oid == _RSASSA_PSS:
        scheme = _pss(algorithm)
    elif oid in _RSA_HASHES or oid == _RSA_ENCRYPTION:
        scheme = padding.PKCS1v15()
    else:
        raise KeyUnsupportedError("a signature algorithm does not fit the key")
    try:
        public = rsa.RSAPublicNumbers(key.exponent, key.modulus).public_key()
        public.verify(signature, message, scheme, HASHES[hash_name]())
    except (ValueError, UnsupportedAlgorithm):
        raise KeyUnsupportedError("an RSA key or its parameters are not supported") from None


def _pss(algorithm: algos.SignedDigestAlgorithm) -> padding.PSS:
    """RFC 4055, 3.1: parameters with their defaults."""
    with asn1_errors(KeyUnsupportedError("RSA-PSS parameters are malformed")):
        parameters = algorithm["parameters"]
        mask = parameters["mask_gen_algorithm"]
        mask_hash = str(mask["parameters"]["algorithm"].native)
        salt_bytes = int(parameters["salt_length"].native)
        plain = mask["algorithm"].native == "mgf1" and int(parameters["trailer_field"]) == 1
    if not plain or mask_hash not in HASHES or not 0 <= salt_bytes <= MAX_RSA_BITS // 8:
        raise KeyUnsupportedError("RSA-PSS parameters are not supported")
    return padding.PSS(padding.MGF1(HASHES[mask_hash]()), salt_bytes)


def verify_ecdsa(key: EcKey, hash_name: str, signature: bytes, message: bytes) -> None:
    """Verify an ECDSA signature, as DER or as plain r || s.

    Raises:
        InvalidSignature: it is wrong or in neither form.
    """
    digest = hashlib.new(hash_name, message, usedforsecurity=False).digest()
    for r, s in _candidate_pairs(key.curve, signature):
        if (
            0 < r < key.curve.n
            and 0 < s < key.curve.n
            and _ecdsa_holds(key, r, s, digest, hash_name)
        ):
            return
    raise InvalidSignature


def _candidate_pairs(curve: Curve, signature: bytes) -> list[tuple[int, int]]:
    """Return r and s of each form that the bytes can be read in."""
    pairs = []
    order_bytes = (curve.n.bit_length() + 7) // 8
    if len(signature) == 2 * order_bytes:
        half = order_bytes
        pairs.append(
            (int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
        )
    try:
        # Integers with a surplus leading 00 occur on real chips; asn1crypto accepts them.
        parsed = load_asn1(algos.DSASignature, signature)
        pairs.append((int(parsed["r"].native), int(parsed["s"].native)))
    except (ValueError, TypeError, KeyError):
        pass
    return pairs


def _ecdsa_holds(key: EcKey, r: int, s: int, digest: bytes, hash_name: str) -> bool:
    library_curve = key.curve.library_curve
    if library_curve is not None:
        try:
            public = ec.EllipticCurvePublicNumbers(*key.point, library_curve).public_key()
            scheme = ec.ECDSA(Prehashed(HASHES[hash_name]()))
            public.verify(encode_dss_signature(r, s), digest, scheme)
        except InvalidSignature:
            return False
        return True
    # BSI TR-03111, 4.2.1.2, on a curve that the library lacks; only public values take part.
    curve = key.curve
    shift = max(0, 8 * len(digest) - curve.n.bit_length())
    e = int.from_bytes(digest, "big") >> shift
    w = pow(s, -1, curve.n)
    total = curve.add(
        curve.multiply(e * w % curve.n, curve.base), curve.multiply(r * w % curve.n, key.point)
    )
    return total is not None and total[0] % curve.n == r
