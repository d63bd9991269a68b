"""Standardised domain parameters, by number and by value, and public keys on them.

Explicit parameters are compared with the standardised ones value by value; others are refused,
since a forger could choose them.

Source: ICAO Doc 9303-11, 9.5; RFC 3279, 2.3.3; PKCS #3, 9; RFC 5480.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TypeAlias

from devices.emrtd.crypto import der
from devices.emrtd.crypto.asn1 import asn1_errors
from devices.emrtd.crypto.dh_groups import DH_GROUPS, DhGroup
from devices.emrtd.crypto.elliptic_curves import BY_NAME, Curve
from devices.emrtd.crypto.public_keys import EcKey, named_curve
from devices.emrtd.errors import KeyUnsupportedError

DomainParameters: TypeAlias = Curve | DhGroup

# 9303-11, 9.5.1; 3 to 7 and 19 to 31 are reserved.
STANDARDISED: dict[int, DomainParameters] = {
    **dict(enumerate(DH_GROUPS)),
    8: BY_NAME["secp192r1"],
    9: BY_NAME["brainpoolP192r1"],
    10: BY_NAME["secp224r1"],
    11: BY_NAME["brainpoolP224r1"],
    12: BY_NAME["secp256r1"],
    13: BY_NAME["brainpoolP256r1"],
    14: BY_NAME["brainpoolP320r1"],
    15: BY_NAME["secp384r1"],
    16: BY_NAME["brainpoolP384r1"],
    17: BY_NAME["brainpoolP512r1"],
    18: BY_NAME["secp521r1"],
}

# BSI TR-03110-3, A.2.1.1: standardizedDomainParameters, an AlgorithmIdentifier with the number.
_STANDARDISED = "0.4.0.127.0.7.1.2"
# id-ecPublicKey, id-ecDH.
_ELLIPTIC = ("1.2.840.10045.2.1", "1.3.132.1.12")
# dhpublicnumber (X9.42: p, g, q), dhKeyAgreement (PKCS #3: p, g).
_DIFFIE_HELLMAN = {"1.2.840.10046.2.1": 3, "1.2.840.113549.1.3.1": 2}
# Parameters are the same in all chips of a series, and longest as three numbers of 2048 bits.
_MAX_REMEMBERED_BYTES = 1 << 10


@dataclass(frozen=True)
class DhKey:
    """A public key in a known Diffie-Hellman group."""

    group: DhGroup
    value: int = field(repr=False)


AgreementKey: TypeAlias = EcKey | DhKey


def parse_domain_parameters(algorithm: bytes) -> DomainParameters | None:
    """Return the standardised parameters that a DER AlgorithmIdentifier names or describes.

    Returns:
        None if they are others, or of a kind that is not known.

    Raises:
        KeyUnsupportedError: it is malformed.
    """
    with asn1_errors(KeyUnsupportedError("domain parameters are malformed")):
        return _domain_of(algorithm)


def parse_agreement_key(public_key_info: bytes) -> AgreementKey:
    """Return the key of a DER SubjectPublicKeyInfo that is meant for key agreement.

    Raises:
        KeyUnsupportedError: it is malformed, not on standardised parameters, or not an element of
            the group.
    """
    with asn1_errors(KeyUnsupportedError("a public key is malformed")):
        info = der.whole(public_key_info, der.SEQUENCE)
        algorithm, public_key = der.children(public_key_info, info)
        domain = _domain_of(der.encoding(public_key_info, algorithm))
        encoded = der.bit_string(public_key_info, public_key)
        if isinstance(domain, Curve):
            point = domain.decode(encoded)
            if point is not None:
                return EcKey(domain, point)
        elif domain is not None:
            value = der.integer(encoded, der.whole(encoded, der.INTEGER))
            if domain.contains(value):
                return DhKey(domain, value)
    raise KeyUnsupportedError(
        "a key is on other than standardised domain parameters or no element of its group"
    )


def _domain_of(algorithm: bytes) -> DomainParameters | None:
    is_short = len(algorithm) <= _MAX_REMEMBERED_BYTES
    return _find_and_remember(algorithm) if is_short else _find(algorithm)


def _find(data: bytes) -> DomainParameters | None:
    """RFC 5280, 4.1.1.2: AlgorithmIdentifier."""
    name, *rest = der.children(data, der.whole(data, der.SEQUENCE))
    oid = der.oid(data, name)
    if not rest:
        return None
    parameters = rest[0]
    if oid == _STANDARDISED:
        return STANDARDISED.get(der.integer(data, parameters))
    if oid in _ELLIPTIC:
        return named_curve(der.encoding(data, parameters))
    if oid not in _DIFFIE_HELLMAN:
        return None
    # What follows (a length; a cofactor, a seed) does not change the group.
    count = _DIFFIE_HELLMAN[oid]
    values = der.children(data, parameters, der.SEQUENCE)[:count]
    numbers = tuple(der.integer(data, value) for value in values)
    fitting = (group for group in DH_GROUPS if (group.p, group.g, group.q)[:count] == numbers)
    return next(fitting, None)


_find_and_remember = lru_cache(maxsize=64)(_find)
