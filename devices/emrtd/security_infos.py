"""SecurityInfos: which protocols a chip offers (EF.CardAccess, DG14).

Source: ICAO Doc 9303-11, 9.2.
"""

from dataclasses import dataclass
from enum import Enum

from asn1crypto import core

from devices.emrtd.asn1 import asn1_errors, load_asn1
from devices.emrtd.errors import FileMalformedError
from devices.emrtd.kdf import SessionCipher

_BSI = "0.4.0.127.0.7.2.2"
ID_PACE = f"{_BSI}.4."
ID_CA = f"{_BSI}.3."
ID_PK = f"{_BSI}.1."
ID_TA = f"{_BSI}.2"
ID_AA = "2.23.136.1.1.5"
MAX_INFOS = 64


class Mapping(Enum):
    """How PACE maps the nonce to a generator."""

    GENERIC = "GM"
    INTEGRATED = "IM"
    CHIP_AUTHENTICATION = "CAM"


# 9303-11, 9.2.2: the arc after id-PACE is key agreement and mapping, then the cipher.
_PACE_MAPPINGS = {
    1: ("DH", Mapping.GENERIC),
    2: ("ECDH", Mapping.GENERIC),
    3: ("DH", Mapping.INTEGRATED),
    4: ("ECDH", Mapping.INTEGRATED),
    6: ("ECDH", Mapping.CHIP_AUTHENTICATION),
}
_CIPHERS = {
    1: SessionCipher.TDES,
    2: SessionCipher.AES_128,
    3: SessionCipher.AES_192,
    4: SessionCipher.AES_256,
}
# 9303-11, 9.5.1: standardised domain parameters on elliptic curves.
CURVE_NAMES = {
    8: "secp192r1",
    9: "brainpoolP192r1",
    10: "secp224r1",
    11: "brainpoolP224r1",
    12: "secp256r1",
    13: "brainpoolP256r1",
    14: "brainpoolP320r1",
    15: "secp384r1",
    16: "brainpoolP384r1",
    17: "brainpoolP512r1",
    18: "secp521r1",
}


class _SecurityInfo(core.Sequence):  # type: ignore[misc]
    _fields = [  # noqa: RUF012 (asn1crypto's way)
        ("protocol", core.ObjectIdentifier),
        ("required_data", core.Any),
        ("optional_data", core.Any, {"optional": True}),
    ]


class _SecurityInfos(core.SetOf):  # type: ignore[misc]
    _child_spec = _SecurityInfo


@dataclass(frozen=True)
class SecurityInfo:
    """One protocol that the chip names."""

    oid: str
    version: int | None
    """The required data where it is an INTEGER."""
    parameter: int | None
    """The optional data where it is an INTEGER: domain parameters (PACE) or key id (CA)."""
    algorithm_oid: str | None
    """The optional data where it is an OID: the signature algorithm of Active Authentication."""


@dataclass(frozen=True)
class PaceInfo:
    """A PACE offer."""

    oid: str
    key_agreement: str
    """`DH` or `ECDH`."""
    mapping: Mapping
    cipher: SessionCipher
    parameter_id: int | None
    """Standardised domain parameters, or None if the info names none."""

    @property
    def label(self) -> str:
        """Name for people, as in the standard."""
        curve = CURVE_NAMES.get(self.parameter_id or 0, f"parameters {self.parameter_id}")
        mapping = self.mapping.value
        return f"PACE-{self.key_agreement}-{mapping}-{self.cipher.label} ({curve})"


def parse_security_infos(data: bytes) -> tuple[SecurityInfo, ...]:
    """Return the SecurityInfos of a DER SET OF SecurityInfo.

    Raises:
        FileMalformedError: it is none, is empty, or holds more than 64.
    """
    with asn1_errors(FileMalformedError("the security infos are malformed")):
        infos = load_asn1(_SecurityInfos, data)
        if not 1 <= len(infos) <= MAX_INFOS:
            raise FileMalformedError("the security infos are empty or too many")
        return tuple(_security_info(info) for info in infos)


def pace_infos(infos: tuple[SecurityInfo, ...]) -> tuple[PaceInfo, ...]:
    """Return the PACE offers among `infos`, in their order; unknown variants are left out."""
    offers = []
    for info in infos:
        if not info.oid.startswith(ID_PACE):
            continue
        arcs = info.oid.removeprefix(ID_PACE).split(".")
        if len(arcs) != 2:
            continue
        agreement = _PACE_MAPPINGS.get(int(arcs[0]))
        cipher = _CIPHERS.get(int(arcs[1]))
        if agreement and cipher:
            offers.append(PaceInfo(info.oid, *agreement, cipher, info.parameter))
    return tuple(offers)


def offers_chip_authentication(infos: tuple[SecurityInfo, ...]) -> bool:
    """Return whether the chip has keys for Chip Authentication."""
    return any(info.oid.startswith((ID_CA, ID_PK)) for info in infos)


def active_authentication_algorithm(infos: tuple[SecurityInfo, ...]) -> str | None:
    """Return the OID of the signature algorithm in ActiveAuthenticationInfo, or None."""
    return next((info.algorithm_oid for info in infos if info.oid == ID_AA), None)


def _security_info(info: _SecurityInfo) -> SecurityInfo:
    required = info["required_data"].parse()
    optional = info["optional_data"]
    value = None if isinstance(optional, core.Void) else optional.parse()
    return SecurityInfo(
        oid=str(info["protocol"].dotted),
        version=_integer(required),
        parameter=_integer(value),
        algorithm_oid=str(value.dotted) if isinstance(value, core.ObjectIdentifier) else None,
    )


def _integer(value: object) -> int | None:
    return int(value.native) if isinstance(value, core.Integer) else None
