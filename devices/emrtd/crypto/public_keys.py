"""Public keys of certificates and data groups, and signatures made with them.

Elliptic curves with explicit parameters are mapped to the named curve that has exactly these
parameters; unknown parameters are refused, since a forger could choose them.

Source: RFC 5480 and BSI TR-03111, 5 (keys); RFC 8017, 8 (RSA); BSI TR-03111, 4.2.1 (ECDSA).
"""

from dataclasses import dataclass, field
from functools import cached_property

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from devices.emrtd.crypto import der
from devices.emrtd.crypto.asn1 import MAX_ASN1_BYTES, asn1_errors
from devices.emrtd.crypto.elliptic_curves import BY_OID, BY_ORDER, Curve
from devices.emrtd.crypto.signature_algorithms import HASHES, Scheme, SignatureAlgorithm, digest_of
from devices.emrtd.errors import KeyUnsupportedError

MIN_RSA_BITS = 1024
MAX_RSA_BITS = 8192
MAX_EXPONENT_BITS = 256
_PKCS1 = padding.PKCS1v15()
_ECDSA = {name: ec.ECDSA(Prehashed(algorithm())) for name, algorithm in HASHES.items()}
_EC_PUBLIC_KEY = "1.2.840.10045.2.1"
_RSA_KEYS = ("1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10")  # rsaEncryption, id-RSASSA-PSS


@dataclass(frozen=True)
class RsaKey:
    """An RSA public key."""

    modulus: int = field(repr=False)
    exponent: int = field(repr=False)

    @property
    def size_bytes(self) -> int:
        """Length of the modulus."""
        return (self.modulus.bit_length() + 7) // 8

    @cached_property
    def library_key(self) -> rsa.RSAPublicKey:
        """The key for the cryptographic library.

        Raises:
            ValueError: the library refuses it.
        """
        return rsa.RSAPublicNumbers(self.exponent, self.modulus).public_key()


@dataclass(frozen=True)
class EcKey:
    """A public key on a known elliptic curve."""

    curve: Curve
    point: tuple[int, int] = field(repr=False)

    @cached_property
    def library_key(self) -> ec.EllipticCurvePublicKey | None:
        """The key for the cryptographic library, or None on a curve that it lacks."""
        curve = self.curve.library_curve
        if curve is None:
            return None
        return ec.EllipticCurvePublicNumbers(*self.point, curve).public_key()


PublicKey = RsaKey | EcKey


def parse_public_key(spki: bytes) -> PublicKey:
    """Return the key of a DER SubjectPublicKeyInfo.

    Raises:
        KeyUnsupportedError: it is malformed, of unreasonable size, of another kind than RSA and
            EC, or on a curve that is not one of the known ones.
    """
    malformed = KeyUnsupportedError("a public key is malformed")
    if len(spki) > MAX_ASN1_BYTES:
        raise malformed
    with asn1_errors(malformed):
        algorithm, key = der.children(spki, der.whole(spki, der.SEQUENCE))
        identifier = der.children(spki, algorithm, der.SEQUENCE)
        kind, encoded = der.oid(spki, identifier[0]), der.bit_string(spki, key)
        if kind == _EC_PUBLIC_KEY:
            return _ec_key(spki, identifier[1], encoded)
        if kind in _RSA_KEYS:
            numbers = der.children(encoded, der.whole(encoded, der.SEQUENCE))
            # Some issuers leave out the leading 00, which makes the INTEGER negative in DER.
            modulus, exponent = (
                int.from_bytes(der.contents(encoded, number, der.INTEGER), "big")
                for number in numbers
            )
            return _rsa_key(modulus, exponent)
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


def _ec_key(spki: bytes, parameters: der.Element, encoded: bytes) -> EcKey:
    curve = _curve_of(spki, parameters)
    point = None if curve is None else curve.decode(encoded)
    if curve is None or point is None:
        raise KeyUnsupportedError("a key is on an unknown curve or is no point of its curve")
    return EcKey(curve, point)


def named_curve(parameters: bytes) -> Curve | None:
    """Return the curve that DER ECParameters name or, value by value, describe; None if unknown.

    Raises:
        ValueError: they are malformed; call it inside `asn1_errors`.
    """
    return _curve_of(parameters, der.read(parameters, 0, len(parameters)))


def _curve_of(data: bytes, parameters: der.Element) -> Curve | None:
    """RFC 3279, 2.3.5: namedCurve, or SpecifiedECDomain; implicitCurve names none."""
    if parameters[0] == der.OBJECT_IDENTIFIER:
        return BY_OID.get(der.oid(data, parameters))
    if parameters[0] != der.SEQUENCE:
        return None
    _, field_id, coefficients, base, order, *_ = der.children(data, parameters)
    _, prime, *_ = der.children(data, field_id)
    curve = BY_ORDER.get(der.integer(data, order))
    if curve is None or der.integer(data, prime) != curve.p:
        return None
    a, b = (
        int.from_bytes(der.contents(data, value, der.OCTET_STRING), "big")
        for value in der.children(data, coefficients)[:2]
    )
    generator = der.contents(data, base, der.OCTET_STRING)
    same = (
        a % curve.p == curve.a
        and b == curve.b
        and generator in (curve.encode(curve.base), curve.encode_compressed(curve.base))
    )
    return curve if same else None


def verify_signature(
    key: PublicKey,
    algorithm: SignatureAlgorithm,
    digest_name: str | None,
    signature: bytes,
    message: bytes,
) -> None:
    """Verify a signature of a SOD, certificate or CRL; return nothing if it is right.

    Args:
        key: the signer's key.
        algorithm: how the signature says that it was made.
        digest_name: the hash named beside it, for algorithms that name none.
        signature: the value.
        message: what was signed.

    Raises:
        InvalidSignature: it is wrong.
        KeyUnsupportedError: the algorithm does not fit the key, or its hash is missing.
    """
    hash_name = algorithm.hash_beside(digest_name)
    if isinstance(key, EcKey) is not (algorithm.scheme is Scheme.ECDSA):
        raise KeyUnsupportedError("a signature algorithm does not fit the key")
    if isinstance(key, EcKey):
        verify_ecdsa(key, hash_name, signature, message)
        return
    scheme: padding.AsymmetricPadding = _PKCS1
    if algorithm.scheme is Scheme.RSA_PSS:
        mask = padding.MGF1(HASHES[algorithm.mask_hash_name]())
        scheme = padding.PSS(mask, algorithm.salt_bytes)
    try:
        key.library_key.verify(signature, message, scheme, HASHES[hash_name]())
    except (ValueError, UnsupportedAlgorithm):
        raise KeyUnsupportedError("an RSA key or its parameters are not supported") from None


def verify_ecdsa(key: EcKey, hash_name: str, signature: bytes, message: bytes) -> None:
    """Verify an ECDSA signature, as DER or as plain r || s.

    Raises:
        InvalidSignature: it is wrong or in neither form.
    """
    digest = digest_of(hash_name, message)
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
        # Integers with a surplus leading 00 occur on real chips; the reader accepts them.
        r, s = der.children(signature, der.whole(signature, der.SEQUENCE))
        pairs.append((der.integer(signature, r), der.integer(signature, s)))
    except ValueError:
        pass
    return pairs


def _ecdsa_holds(key: EcKey, r: int, s: int, digest: bytes, hash_name: str) -> bool:
    library_key = key.library_key
    if library_key is not None:
        try:
            library_key.verify(encode_dss_signature(r, s), digest, _ECDSA[hash_name])
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
