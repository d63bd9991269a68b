"""Elliptic curves by their standardised parameter id, and points as the card exchanges them.

Source: ICAO Doc 9303-11 §9.5.1 (standardised domain parameters), §9.4.5 (public key data objects).
"""

from ecdsa import curves, ellipticcurve, errors

BRAINPOOL_P256R1 = curves.BRAINPOOLP256r1

BY_PARAMETER_ID = {13: BRAINPOOL_P256R1}
"""The parameter ids that a profile can personalise."""


def encode_point(point: ellipticcurve.PointJacobi) -> bytes:
    """Return the uncompressed encoding 04 ‖ x ‖ y."""
    return bytes(point.to_bytes("uncompressed"))


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
    return int(point.x()).to_bytes(curve.verifying_key_length // 2, "big")
