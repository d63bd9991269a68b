"""Multiplication of a point by a secret, on curves that the cryptographic library lacks.

Every step of the ladder does the same work whatever the bit: two complete additions, which have no
special cases. The scalar is blinded by a multiple of the order and the point by a random factor, so
that two runs with one secret share no intermediate value.

Limits: Python's integers take time that depends on their size, and their memory is not wiped. This
is meant for the ephemeral keys of one PACE run on the terminal's own machine, where each secret is
used two or three times; it is no place for a long-term key.

Source: Renes, Costello, Batina, "Complete addition formulas for prime order elliptic curves",
2015, algorithm 1; Coron, "Resistance against DPA for elliptic curve cryptosystems", 1999, 5.
"""

import secrets

from devices.emrtd.crypto.elliptic_curves import Curve

_BLINDING_BITS = 64

_Projective = tuple[int, int, int]


def multiply_secret(curve: Curve, scalar: int, point: tuple[int, int]) -> tuple[int, int]:
    """Return the multiple of a point by a secret scalar.

    Args:
        curve: a curve of prime order, cofactor 1.
        scalar: 1…n-1.
        point: a point of the curve.

    Raises:
        ValueError: the scalar is a multiple of the order.
    """
    blinding = secrets.randbits(_BLINDING_BITS) | 1 << _BLINDING_BITS
    blinded = scalar % curve.n + blinding * curve.n
    factor = secrets.randbelow(curve.p - 1) + 1
    low: _Projective = (0, 1, 0)
    high: _Projective = (point[0] * factor % curve.p, point[1] * factor % curve.p, factor)
    # As many rounds for every scalar: complete formulas let the ladder begin at infinity.
    for position in range(curve.n.bit_length() + _BLINDING_BITS, -1, -1):
        bit = blinded >> position & 1
        pair = (low, high)
        total = _add(curve, low, high)
        double = _add(curve, pair[bit], pair[bit])
        low, high = ((double, total), (total, double))[bit]
    x, y, z = low
    if z == 0:
        raise ValueError("the scalar is a multiple of the order")
    inverse = pow(z, -1, curve.p)
    return x * inverse % curve.p, y * inverse % curve.p


def _add(curve: Curve, left: _Projective, right: _Projective) -> _Projective:
    """Return the sum of two points in projective coordinates, equal or not, infinity or not."""
    p, a = curve.p, curve.a
    b3 = 3 * curve.b % p
    (x1, y1, z1), (x2, y2, z2) = left, right
    xx, yy, zz = x1 * x2 % p, y1 * y2 % p, z1 * z2 % p
    xy = ((x1 + y1) * (x2 + y2) - xx - yy) % p
    xz = ((x1 + z1) * (x2 + z2) - xx - zz) % p
    yz = ((y1 + z1) * (y2 + z2) - yy - zz) % p
    u = (b3 * zz + a * xz) % p
    minus, plus = yy - u, yy + u
    slope = 3 * xx + a * zz
    v = (b3 * xz + a * (xx - a * zz)) % p
    return (
        (xy * minus - yz * v) % p,
        (minus * plus + slope * v) % p,
        (yz * plus + xy * slope) % p,
    )
