"""Standardised domain parameters, by number and by value, and public keys on them.

Explicit parameters are compared with the standardised ones value by value; others are refused,
since a forger could choose them.

Source: ICAO Doc 9303-11, 9.5; RFC 3279, 2.3.3; PKCS #3, 9; RFC 5480.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from asn1crypto import core

from devices.emrtd.asn1 import asn1_errors, load_asn1
from devices.emrtd.dh_groups import DH_GROUPS, DhGroup
from devices.emrtd.elliptic_curves import BY_NAME, Curve
from devices.emrtd.errors import KeyUnsupportedError
from devices.emrtd.public_keys import EcKey, named_curve

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
_MAX_PARAMETER_ID = 31


@dataclass(frozen=True)
class DhKey:
    """A public key in a known Diffie-Hellman group."""

    group: DhGroup
    value: int = field(repr=False)


AgreementKey: TypeAlias = EcKey | DhKey


class AlgorithmIdentifier(core.Sequence):  # type: ignore[misc]
    """An AlgorithmIdentifier whose parameters stay as they are."""

    _fields = [  # noqa: RUF012 (asn1crypto's way)
        ("algorithm", core.ObjectIdentifier),
        ("parameters", core.Any, {"optional": True}),
    ]


class _PublicKeyInfo(core.Sequence):  # type: ignore[misc]
    _fields = [  # noqa: RUF012
        ("algorithm", AlgorithmIdentifier),
        ("public_key", core.OctetBitString),
    ]


class _Integers(core.SequenceOf):  # type: ignore[misc]
    _child_spec = core.Any


def parse_domain_parameters(algorithm: bytes) -> DomainParameters | None:
    """Return the standardised parameters that a DER AlgorithmIdentifier names or describes.

    Returns:
        None if they are others, or of a kind that is not known.

    Raises:
        KeyUnsupportedError: it is malformed.
    """
    with asn1_errors(KeyUnsupportedError("domain parameters are malformed")):
        return _domain_of(load_asn1(AlgorithmIdentifier, algorithm))


def parse_agreement_key(public_key_info: bytes) -> AgreementKey:
    """Return the key of a DER SubjectPublicKeyInfo that is meant for key agreement.

    Raises:
        KeyUnsupportedError: it is malformed, not on standardised parameters, or not an element of
            the group.
    """
    with asn1_errors(KeyUnsupportedError("a public key is malformed")):
        info = load_asn1(_PublicKeyInfo, public_key_info)
        domain = _domain_of(info["algorithm"])
        encoded = bytes(info["public_key"])
        if isinstance(domain, Curve):
            point = domain.decode(encoded)
            if point is not None:
                return EcKey(domain, point)
        elif domain is not None:
            value = int(load_asn1(core.Integer, encoded).native)
            if domain.contains(value):
                return DhKey(domain, value)
    raise KeyUnsupportedError(
        "a key is on other than standardised domain parameters or no element of its group"
    )


def _domain_of(algorithm: AlgorithmIdentifier) -> DomainParameters | None:
    oid = str(algorithm["algorithm"].dotted)
    parameters = algorithm["parameters"].dump()
    if oid == _STANDARDISED:
        return STANDARDISED.get(int(load_asn1(core.Integer, parameters).native))
    if oid in _ELLIPTIC:
        return named_curve(parameters)
    if oid in _DIFFIE_HELLMAN:
        # What follows (q; or a length, a cofactor, a seed) does not change the group of p and g.
        count = _DIFFIE_HELLMAN[oid]
        numbers = [
            number.parse(core.Integer).native for number in load_asn1(_Integers, parameters)[:count]
        ]
        fitting = ((group.p, group.g, group.q)[:count] for group in DH_GROUPS)
        return next(
            (
                group
                for group, values in zip(DH_GROUPS, fitting, strict=True)
                if list(values) == numbers
            ),
            None,
        )
    return None
