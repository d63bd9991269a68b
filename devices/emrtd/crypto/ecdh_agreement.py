"""ECDH on the curves of the cryptographic library, and on those that it lacks.

The library gives the x of k·P alone. PACE needs the point: see `_LibraryKey.multiply`.

Source: ICAO Doc 9303-11, 4.4.1, 4.4.3.3 and appendix B; BSI TR-03111, 4.3.2.
"""

from cryptography.hazmat.primitives.asymmetric import ec

from devices.emrtd.crypto.elliptic_curves import Curve
from devices.emrtd.crypto.key_agreement import (
    ElementInvalidError,
    KeyAgreement,
    PrivateKey,
    RandomScalar,
    random_scalar,
)
from devices.emrtd.crypto.scalar_multiplication import multiply_secret


class EcdhAgreement(KeyAgreement):
    """Key agreement over an elliptic curve."""

    public_key_tag = 0x86

    def __init__(self, curve: Curve) -> None:
        """Take the curve."""
        self._curve = curve
        super().__init__(curve.encode(curve.base), curve.n, curve.p)

    def private_key(self, scalar: int) -> PrivateKey:
        """Return the private key of a secret scalar."""
        library = self._curve.library_curve
        if library is None:
            return _LadderKey(self._curve, scalar)
        return _LibraryKey(self._curve, library, ec.derive_private_key(scalar, library))

    def generate(
        self, generator: bytes, scalar: RandomScalar = random_scalar
    ) -> tuple[PrivateKey, bytes]:
        """Return a fresh private key and its public value.

        Where the library has the curve it makes the scalar too: in half the time, and no secret
        number is in Python's memory.
        """
        library = self._curve.library_curve
        if library is None or scalar is not random_scalar:
            return super().generate(generator, scalar)
        private = _LibraryKey(self._curve, library, ec.generate_private_key(library))
        return private, private.multiply(generator)

    def accept(self, encoded: bytes) -> bytes:
        """Return the uncompressed point that a card sent; there is no encoding of infinity."""
        # BSI TR-03111, 4.3.2.2: a point off the curve would leak the secret. The cofactor is 1.
        if self._curve.decode(encoded) is None:
            raise ElementInvalidError("not a point of the curve")
        return encoded

    def map_generic(self, nonce: int, shared: bytes) -> bytes:
        """Return s·G + H."""
        nonce %= self.order
        mapped_nonce = (
            self._point(self.private_key(nonce).multiply(self.generator)) if nonce else None
        )
        generator = self._curve.add(mapped_nonce, self._point(shared))
        if generator is None:
            raise ElementInvalidError("the mapping gives no generator")
        return self._curve.encode(generator)

    @property
    def can_map_integrated(self) -> bool:
        """Whether square roots are one power: the standard maps only where p = 3 mod 4."""
        return self.modulus % 4 == 3

    def map_integrated(self, number: int) -> bytes:
        """Return the point encoding of a number below p.

        The number is secret and Python's `pow` takes time that depends on it: see
        `scalar_multiplication` for what that allows.

        Source: ICAO Doc 9303-11, appendix B.2 (affine coordinates).
        """
        assert self.can_map_integrated, "the caller asks before"
        p, a, b = self._curve.p, self._curve.a, self._curve.b
        alpha = -number * number % p
        # The power p-2 is the inverse, and 0 for 0, as the standard's step 2 has it.
        x2 = -b * pow(a, -1, p) * (1 + pow(alpha + alpha * alpha, p - 2, p)) % p
        x3 = alpha * x2 % p
        h2 = (x2 * x2 * x2 + a * x2 + b) % p
        u = pow(number, 3, p) * h2 % p
        root = pow(h2, p - 1 - (p + 1) // 4, p)
        is_square = root * root * h2 % p == 1
        point = (x2, root * h2 % p) if is_square else (x3, root * u % p)
        if not self._curve.contains(point):
            raise ElementInvalidError("the mapping gives no generator")
        return self._curve.encode(point)

    def _point(self, element: bytes) -> tuple[int, int]:
        return _decode(self._curve, element)


class _LadderKey(PrivateKey):
    """A key on a curve that the library lacks."""

    def __init__(self, curve: Curve, scalar: int) -> None:
        self._curve = curve
        self._scalar = scalar

    def multiply(self, element: bytes) -> bytes:
        curve = self._curve
        return curve.encode(multiply_secret(curve, self._scalar, _decode(curve, element)))

    def agree(self, element: bytes) -> bytes:
        return self.multiply(element)[1 : 1 + self._curve.field_bytes]


class _LibraryKey(PrivateKey):
    """A key k on a curve of the library, whose constant-time multiplication is the only one used.

    In Python there are single additions of points, whose time depends on the points; no secret
    scalar is ever taken apart.
    """

    def __init__(
        self, curve: Curve, library: ec.EllipticCurve, key: ec.EllipticCurvePrivateKey
    ) -> None:
        self._curve = curve
        self._library = library
        self._key = key
        numbers = self._key.public_key().public_numbers()
        self._base_multiple = (numbers.x, numbers.y)
        """k·G."""

    def multiply(self, element: bytes) -> bytes:
        """Return k·P, of which ECDH tells only x.

        Of the two y that fit, one alone leads to the x of k·(P + G) by adding k·G.
        """
        curve = self._curve
        point = _decode(curve, element)
        if point[0] == curve.base[0]:
            x, y = self._base_multiple
            return curve.encode((x, y if point == curve.base else curve.p - y))
        neighbour = curve.add(point, curve.base)
        assert neighbour is not None, "P is not -G"
        candidate = self._decompress(self._exchange(point))
        following = curve.add(candidate, self._base_multiple)
        if following is None or following[0] != int.from_bytes(self._exchange(neighbour), "big"):
            candidate = (candidate[0], curve.p - candidate[1])
        return curve.encode(candidate)

    def agree(self, element: bytes) -> bytes:
        return self._exchange(_decode(self._curve, element))

    def _exchange(self, point: tuple[int, int]) -> bytes:
        public = ec.EllipticCurvePublicNumbers(*point, self._library).public_key()
        return self._key.exchange(ec.ECDH(), public)

    def _decompress(self, x: bytes) -> tuple[int, int]:
        public = ec.EllipticCurvePublicKey.from_encoded_point(self._library, b"\x02" + x)
        numbers = public.public_numbers()
        return numbers.x, numbers.y


def _decode(curve: Curve, element: bytes) -> tuple[int, int]:
    point = curve.decode(element)
    if point is None:
        raise ElementInvalidError("not a point of the curve")
    return point
