"""Elliptic curves by their standardised parameter id, and points as the card exchanges them.

Source: ICAO Doc 9303-11 §9.5.1, table 7 (standardised domain parameters), §9.4.5 (public keys).
"""

from dataclasses import dataclass

from ecdsa import curves, ellipticcurve, errors

BRAINPOOL_P256R1 = curves.BRAINPOOLP256r1


def encode_point(curve: curves.Curve, point: ellipticcurve.PointJacobi) -> bytes:
    """Return the uncompressed encoding 04 ‖ x ‖ y."""
    size = field_bytes(curve)
    return b"\x04" + int(point.x()).to_bytes(size, "big") + int(point.y()).to_bytes(size, "big")


def decode_point(curve: curves.Curve, data: bytes) -> ellipticcurve.PointJacobi:
    """Return the point of an uncompressed encoding.

    Raises:
        ValueError: it is not an uncompressed point of the curve.
    """
    try:
        point = ellipticcurve.PointJacobi.from_bytes(
            curve.curve, data, valid_encodings=("uncompressed",), order=curve.order
        )
    except errors.MalformedPointError:
        raise ValueError("not an encoded point") from None
    # `from_bytes` leaves this to its caller; without it an invalid point would leak the key.
    if not curve.curve.contains_point(point.x(), point.y()):
        raise ValueError("not a point of the curve")
    return point


def x_coordinate(curve: curves.Curve, point: ellipticcurve.PointJacobi) -> bytes:
    """Return x with the length of the field.

    Raises:
        ValueError: the point is the neutral element.
    """
    if point == ellipticcurve.INFINITY:
        raise ValueError("the agreed point is the neutral element")
    return int(point.x()).to_bytes(field_bytes(curve), "big")


def field_bytes(curve: curves.Curve) -> int:
    """Return the length of a coordinate."""
    return (int(curve.curve.p()).bit_length() + 7) // 8


@dataclass(frozen=True)
class CurveGroup:
    """The group of points of a named curve; all have cofactor 1."""

    name: str
    """Name in the field's documents, such as `brainpoolP256r1`."""
    curve: curves.Curve

    public_key_tag = 0x86
    """Tag of a public point in a public key data object (Doc 9303-11 §9.4.5)."""

    @property
    def order(self) -> int:
        """Return the number of points."""
        return int(self.curve.order)

    @property
    def field_prime(self) -> int:
        """Return p."""
        return int(self.curve.curve.p())

    @property
    def generator(self) -> ellipticcurve.PointJacobi:
        """Return the base point."""
        return self.curve.generator

    def multiply(
        self, element: ellipticcurve.PointJacobi, scalar: int
    ) -> ellipticcurve.PointJacobi:
        """Return scalar · element."""
        return element * scalar

    def add(
        self, one: ellipticcurve.PointJacobi, other: ellipticcurve.PointJacobi
    ) -> ellipticcurve.PointJacobi:
        """Return the sum of two points."""
        return one + other

    def encode(self, element: ellipticcurve.PointJacobi) -> bytes:
        """Return the uncompressed encoding of a point."""
        return encode_point(self.curve, element)

    def decode(self, data: bytes) -> ellipticcurve.PointJacobi:
        """Return the point of an uncompressed encoding.

        Raises:
            ValueError: it is not an uncompressed point of the curve.
        """
        return decode_point(self.curve, data)

    def shared_secret(self, element: ellipticcurve.PointJacobi) -> bytes:
        """Return the x-coordinate of an agreed point.

        Raises:
            ValueError: the point is the neutral element.

        Source: BSI TR-03111 §4.3.1 (ECKA: Z_AB).
        """
        return x_coordinate(self.curve, element)

    def from_field(self, number: int) -> ellipticcurve.PointJacobi:
        """Return the point that f_G assigns to a number below p.

        Raises:
            ValueError: no point is assigned to it, or p is not 3 modulo 4.

        Source: ICAO Doc 9303-11 appendix B (point encoding for the ECDH integrated mapping).
        """
        p, a, b = self.field_prime, int(self.curve.curve.a()), int(self.curve.curve.b())
        if p % 4 != 3:
            raise ValueError("the integrated mapping needs a prime that is 3 modulo 4")
        alpha = -number * number % p
        if alpha in (0, p - 1):
            raise ValueError("no point is assigned to this number")
        x2 = -b * pow(a, -1, p) * (1 + pow(alpha + alpha * alpha, -1, p)) % p
        x3 = alpha * x2 % p
        h2 = (pow(x2, 3, p) + a * x2 + b) % p
        u = pow(number, 3, p) * h2 % p
        candidate = pow(h2, p - 1 - (p + 1) // 4, p)
        if candidate * candidate * h2 % p == 1:
            x, y = x2, candidate * h2 % p
        else:
            x, y = x3, candidate * u % p
        return ellipticcurve.PointJacobi(self.curve.curve, x, y, 1, self.order)


BY_PARAMETER_ID = {
    8: CurveGroup("secp192r1", curves.NIST192p),
    9: CurveGroup("brainpoolP192r1", curves.BRAINPOOLP192r1),
    10: CurveGroup("secp224r1", curves.NIST224p),
    11: CurveGroup("brainpoolP224r1", curves.BRAINPOOLP224r1),
    12: CurveGroup("secp256r1", curves.NIST256p),
    13: CurveGroup("brainpoolP256r1", curves.BRAINPOOLP256r1),
    14: CurveGroup("brainpoolP320r1", curves.BRAINPOOLP320r1),
    15: CurveGroup("secp384r1", curves.NIST384p),
    16: CurveGroup("brainpoolP384r1", curves.BRAINPOOLP384r1),
    17: CurveGroup("brainpoolP512r1", curves.BRAINPOOLP512r1),
    18: CurveGroup("secp521r1", curves.NIST521p),
}

BY_NAME = {group.name: group for group in BY_PARAMETER_ID.values()}
