"""Static keys of the chip for Chip Authentication and PACE with Chip Authentication Mapping.

Source: ICAO Doc 9303-11 §6.2, §9.5, §9.6.
"""

import secrets
from dataclasses import dataclass, field
from typing import Literal

import ecdsa
from asn1crypto import core

from devices.simulator import tlv
from devices.simulator.curves import BY_PARAMETER_ID as CURVES
from devices.simulator.dh_groups import BY_PARAMETER_ID as DH_GROUPS
from devices.simulator.dh_groups import DhGroup
from devices.simulator.domain_parameters import BY_PARAMETER_ID, DomainParameters
from devices.simulator.object_identifiers import (
    DH_KEY_AGREEMENT,
    DH_PUBLIC_NUMBER,
    STANDARDISED_DOMAIN_PARAMETERS,
    oid,
)

ParametersForm = Literal["explicit", "named", "standardised", "pkcs3"]
"""How a SubjectPublicKeyInfo writes domain parameters.

- `explicit`: written out (§9.5.2), which Chip Authentication demands; dhpublicnumber for DH.
- `named`: the curve's object identifier; DH groups have none and are written out.
- `standardised`: the number of table 12 (§9.5.1).
- `pkcs3`: dhKeyAgreement for DH, as table 13 says; curves are written out.
"""

_SEQUENCE, _OCTET_STRING, _BIT_STRING = 0x30, 0x04, 0x03


@dataclass(frozen=True)
class AgreementKeyPair:
    """A static key pair on standardised domain parameters."""

    parameter_id: int
    private_key: int = field(repr=False)

    @property
    def domain(self) -> DomainParameters:
        """Return the group of the key."""
        return BY_PARAMETER_ID[self.parameter_id]

    @classmethod
    def generate(cls, parameter_id: int) -> "AgreementKeyPair":
        """Return a fresh key pair."""
        order = BY_PARAMETER_ID[parameter_id].order
        return cls(parameter_id, 1 + secrets.randbelow(order - 1))

    def public_key_info(self, form: ParametersForm = "explicit") -> bytes:
        """Return the SubjectPublicKeyInfo as DER."""
        domain = self.domain
        public_key = domain.multiply(domain.generator, self.private_key)
        group = DH_GROUPS.get(self.parameter_id)
        if form == "standardised":
            algorithm = oid(STANDARDISED_DOMAIN_PARAMETERS) + _integer(self.parameter_id)
            encoded = _integer(public_key) if group else domain.encode(public_key)
            return _subject_public_key_info(algorithm, encoded)
        if group is not None:
            return _subject_public_key_info(_dh_algorithm(group, form), _integer(public_key))
        curve = CURVES[self.parameter_id].curve
        key = ecdsa.VerifyingKey.from_public_point(public_key, curve)
        written = "named_curve" if form == "named" else "explicit"
        return bytes(key.to_der(curve_parameters_encoding=written))

    def private_key_info(self) -> bytes:
        """Return the private key as PKCS #8 DER, its domain parameters by number."""
        algorithm = oid(STANDARDISED_DOMAIN_PARAMETERS) + _integer(self.parameter_id)
        return tlv.encode(
            _SEQUENCE,
            _integer(0),
            tlv.encode(_SEQUENCE, algorithm),
            tlv.encode(_OCTET_STRING, _integer(self.private_key)),
        )

    @classmethod
    def load(cls, private_key_info: bytes) -> "AgreementKeyPair":
        """Return the key pair that `private_key_info` wrote.

        Raises:
            ValueError: it is no such key.
        """
        try:
            ((_, contents),) = tlv.parse(private_key_info)
            _, (_, algorithm), (_, wrapped) = tlv.parse(contents)
            identifier, number = (tlv.encode(tag, value) for tag, value in tlv.parse(algorithm))
            parameter_id = core.Integer.load(number, strict=True).native
            private_key = core.Integer.load(wrapped, strict=True).native
        except (ValueError, TypeError):
            raise ValueError("not a private key of Chip Authentication") from None
        if identifier != oid(STANDARDISED_DOMAIN_PARAMETERS) or parameter_id not in BY_PARAMETER_ID:
            raise ValueError("not on standardised domain parameters")
        if not 0 < private_key < BY_PARAMETER_ID[parameter_id].order:
            raise ValueError("not a private key of its group")
        return cls(parameter_id, private_key)


def _dh_algorithm(group: DhGroup, form: ParametersForm) -> bytes:
    p, g, q = (_integer(n) for n in (group.field_prime, group.generator, group.order))
    if form == "pkcs3":
        # PKCS #3 §9: prime, base; the private value's length is left out.
        return oid(DH_KEY_AGREEMENT) + tlv.encode(_SEQUENCE, p, g)
    # RFC 3279 §2.3.3: p, g, q.
    return oid(DH_PUBLIC_NUMBER) + tlv.encode(_SEQUENCE, p, g, q)


def _subject_public_key_info(algorithm: bytes, public_key: bytes) -> bytes:
    return tlv.encode(
        _SEQUENCE,
        tlv.encode(_SEQUENCE, algorithm),
        tlv.encode(_BIT_STRING, b"\x00", public_key),
    )


def _integer(value: int) -> bytes:
    return bytes(core.Integer(value).dump())
