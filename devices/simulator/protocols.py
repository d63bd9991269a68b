"""The protocol variants that a card can be personalised with, and their object identifiers.

Source: ICAO Doc 9303-11 §4.4.3 (PACE), §6.2.3 (Chip Authentication), §9.2.3, §9.2.5.
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, Strict
from pydantic.dataclasses import dataclass as validated_dataclass

from devices.simulator.ciphers import Aes, Cipher, TripleDes
from devices.simulator.domain_parameters import BY_PARAMETER_ID
from devices.simulator.object_identifiers import CHIP_AUTHENTICATION, PACE, oid_contents

CipherName = Literal["3des", "aes-128", "aes-192", "aes-256"]
Mapping = Literal["gm", "im", "cam"]
"""Generic, Integrated and Chip Authentication Mapping."""

CIPHERS: dict[CipherName, Cipher] = {
    "3des": TripleDes(),
    "aes-128": Aes(128),
    "aes-192": Aes(192),
    "aes-256": Aes(256),
}

_CIPHER_ARC: dict[CipherName, int] = {"3des": 1, "aes-128": 2, "aes-192": 3, "aes-256": 4}
_PACE_ARC = {
    ("dh", "gm"): 1,
    ("ecdh", "gm"): 2,
    ("dh", "im"): 3,
    ("ecdh", "im"): 4,
    ("ecdh", "cam"): 6,
}
_CHIP_AUTHENTICATION_ARC = {"dh": 1, "ecdh": 2}

_FIRST_CURVE_ID = 8
_CLOSED = ConfigDict(extra="forbid", hide_input_in_errors=True)


def _standardised(parameter_id: int) -> int:
    if parameter_id not in BY_PARAMETER_ID:
        raise ValueError("must be 0–2 (DH) or 8–18 (ECDH)")
    return parameter_id


ParameterId = Annotated[int, Strict(), AfterValidator(_standardised)]
KeyId = Annotated[int, Strict(), Field(ge=0, le=255)]


def agreement_of(parameter_id: int) -> Literal["dh", "ecdh"]:
    """Return the kind of key agreement that standardised domain parameters are for."""
    return "ecdh" if parameter_id >= _FIRST_CURVE_ID else "dh"


@validated_dataclass(frozen=True, config=_CLOSED)
class PaceOffer:
    """One PaceInfo: a protocol on standardised domain parameters."""

    mapping: Mapping = "gm"
    parameter_id: ParameterId = 13
    cipher: CipherName = "aes-128"

    def __post_init__(self) -> None:
        if (agreement_of(self.parameter_id), self.mapping) not in _PACE_ARC:
            raise ValueError("chip authentication mapping needs a curve")
        # §4.4.3.2, table 3: CAM is defined for AES only.
        if self.mapping == "cam" and self.cipher == "3des":
            raise ValueError("chip authentication mapping needs AES")
        # Appendix B: the point encoding is defined for primes that are 3 modulo 4.
        prime = BY_PARAMETER_ID[self.parameter_id].field_prime
        if self.mapping == "im" and agreement_of(self.parameter_id) == "ecdh" and prime % 4 != 3:
            raise ValueError("integrated mapping is not defined on this curve")

    @property
    def protocol(self) -> str:
        """Return the object identifier of the protocol, dotted."""
        arc = _PACE_ARC[agreement_of(self.parameter_id), self.mapping]
        return f"{PACE}.{arc}.{_CIPHER_ARC[self.cipher]}"


@validated_dataclass(frozen=True, config=_CLOSED)
class ChipAuthenticationKey:
    """One static key of the chip, and the protocols that it serves."""

    parameter_id: ParameterId = 13
    ciphers: tuple[CipherName, ...] = ("aes-128",)
    """Ciphers of Chip Authentication; none for a key that only PACE with CAM uses."""
    key_id: KeyId | None = None
    """Identifier that SecurityInfos and MSE:SET carry; None leaves it out."""

    def __post_init__(self) -> None:
        if len(set(self.ciphers)) != len(self.ciphers):
            raise ValueError("must not name a cipher twice")

    def protocol(self, cipher: CipherName) -> str:
        """Return the object identifier of the protocol with a cipher, dotted."""
        arc = _CHIP_AUTHENTICATION_ARC[agreement_of(self.parameter_id)]
        return f"{CHIP_AUTHENTICATION}.{arc}.{_CIPHER_ARC[cipher]}"

    def cipher_of(self, protocol: bytes) -> CipherName | None:
        """Return the cipher of a protocol that the key serves, by the contents of its OID."""
        names = {oid_contents(self.protocol(name)): name for name in self.ciphers}
        return names.get(protocol)


@dataclass(frozen=True)
class ChipAuthenticationPublicKey:
    """What the SecurityInfos say of a static key."""

    key: ChipAuthenticationKey
    public_key_info: bytes = field(repr=False)
    """SubjectPublicKeyInfo, DER."""
