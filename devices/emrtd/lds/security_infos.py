"""SecurityInfos: which protocols a chip offers (EF.CardAccess, EF.CardSecurity, DG14).

Source: ICAO Doc 9303-11, 9.2; BSI TR-03110-3, A.1.
"""

from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

from devices.emrtd.crypto import der
from devices.emrtd.crypto.asn1 import MAX_ASN1_BYTES, asn1_errors
from devices.emrtd.crypto.dh_groups import DhGroup
from devices.emrtd.crypto.domain_parameters import (
    STANDARDISED,
    AgreementKey,
    DomainParameters,
    parse_agreement_key,
    parse_domain_parameters,
)
from devices.emrtd.crypto.elliptic_curves import Curve
from devices.emrtd.crypto.kdf import SessionCipher
from devices.emrtd.errors import FileMalformedError, KeyUnsupportedError

_BSI = "0.4.0.127.0.7.2.2"
ID_PACE = f"{_BSI}.4."
ID_CA = f"{_BSI}.3."
ID_PK = f"{_BSI}.1."
ID_TA = f"{_BSI}.2"
ID_AA = "2.23.136.1.1.5"
MAX_INFOS = 64
PACE_VERSION = 2
_MAX_NUMBER = 255
# An offer is the same in all chips of a series; what holds a chip's own key is longer.
_MAX_REMEMBERED_BYTES = 48


class Mapping(Enum):
    """How PACE maps the nonce to a generator."""

    GENERIC = "GM"
    INTEGRATED = "IM"
    CHIP_AUTHENTICATION = "CAM"


# 9303-11, 9.2.3: the arc after id-PACE is key agreement and mapping, then the cipher.
_PACE_MAPPINGS = {
    1: ("DH", Mapping.GENERIC),
    2: ("ECDH", Mapping.GENERIC),
    3: ("DH", Mapping.INTEGRATED),
    4: ("ECDH", Mapping.INTEGRATED),
    6: ("ECDH", Mapping.CHIP_AUTHENTICATION),
}
# 9303-11, 9.2.5 to 9.2.7: the arc after id-CA and id-PK.
_KEY_AGREEMENTS = {1: "DH", 2: "ECDH"}
_KEYS = {f"{ID_PK}{arc}": agreement for arc, agreement in _KEY_AGREEMENTS.items()}
_CIPHERS = {
    1: SessionCipher.TDES,
    2: SessionCipher.AES_128,
    3: SessionCipher.AES_192,
    4: SessionCipher.AES_256,
}


@dataclass(frozen=True)
class SecurityInfo:
    """One protocol that the chip names."""

    oid: str
    version: int | None
    """The required data where it is an INTEGER of one byte."""
    parameter: int | None
    """The optional data where it is an INTEGER of one byte: domain parameters (PACE) or key id."""
    algorithm_oid: str | None
    """The optional data where it is an OID: the signature algorithm of Active Authentication."""
    required_data: bytes = field(repr=False)
    """The required data as DER."""


@dataclass(frozen=True)
class PaceInfo:
    """A PACE offer."""

    oid: str
    key_agreement: str
    """`DH` or `ECDH`."""
    mapping: Mapping
    cipher: SessionCipher
    parameter_id: int | None
    """Number of the domain parameters, or None if the info names none."""
    domain: DomainParameters | None
    """The standardised domain parameters that the number stands for, or that the chip describes;
    None where they are others."""

    @property
    def label(self) -> str:
        """Name for people, as in the standard."""
        domain = self.domain.name if self.domain else f"parameters {self.parameter_id}"
        mapping = self.mapping.value
        return f"PACE-{self.key_agreement}-{mapping}-{self.cipher.label} ({domain})"


@dataclass(frozen=True)
class ChipAuthenticationInfo:
    """An offer of Chip Authentication."""

    oid: str
    key_agreement: str
    """`DH` or `ECDH`."""
    cipher: SessionCipher
    version: int | None
    key_id: int | None
    """The key that it uses, where the chip has several."""


@dataclass(frozen=True)
class ChipAuthenticationPublicKeyInfo:
    """A static public key of the chip."""

    key_agreement: str
    """`DH` or `ECDH`."""
    key_id: int | None
    public_key_info: bytes = field(repr=False)
    """SubjectPublicKeyInfo as DER."""

    def public_key(self) -> AgreementKey:
        """Return the key.

        Raises:
            KeyUnsupportedError: it is malformed or not on standardised domain parameters.
        """
        return parse_agreement_key(self.public_key_info)


def parse_security_infos(data: bytes) -> tuple[SecurityInfo, ...]:
    """Return the SecurityInfos of a DER SET OF SecurityInfo.

    Raises:
        FileMalformedError: it is none, is empty, or holds more than 64.
    """
    with asn1_errors(FileMalformedError("the security infos are malformed")):
        if len(data) > MAX_ASN1_BYTES:
            raise FileMalformedError("the security infos are too long")
        infos = der.children(data, der.whole(data, der.SET))
        if not 1 <= len(infos) <= MAX_INFOS:
            raise FileMalformedError("the security infos are empty or too many")
        return tuple([_security_info(der.encoding(data, info)) for info in infos])


def pace_infos(infos: tuple[SecurityInfo, ...]) -> tuple[PaceInfo, ...]:
    """Return the PACE offers among `infos`, in their order; unknown variants are left out."""
    offers = []
    for info in infos:
        mapping, cipher = _arcs(info.oid, ID_PACE)
        agreement = _PACE_MAPPINGS.get(mapping)
        # 9303-11, 9.2.1: version SHALL be 2. CAM is not defined for 3DES.
        if agreement is None or cipher not in _CIPHERS or info.version != PACE_VERSION:
            continue
        if agreement[1] is Mapping.CHIP_AUTHENTICATION and _CIPHERS[cipher] is SessionCipher.TDES:
            continue
        domain = _domain(infos, f"{ID_PACE}{mapping}", info.parameter)
        kind = Curve if agreement[0] == "ECDH" else DhGroup
        fitting = domain if isinstance(domain, kind) else None
        offers.append(PaceInfo(info.oid, *agreement, _CIPHERS[cipher], info.parameter, fitting))
    return tuple(offers)


def chip_authentication_infos(
    infos: tuple[SecurityInfo, ...],
) -> tuple[ChipAuthenticationInfo, ...]:
    """Return the offers of Chip Authentication, in their order; unknown variants are left out."""
    offers = []
    for info in infos:
        agreement, cipher = _arcs(info.oid, ID_CA)
        if agreement in _KEY_AGREEMENTS and cipher in _CIPHERS:
            offers.append(
                ChipAuthenticationInfo(
                    info.oid,
                    _KEY_AGREEMENTS[agreement],
                    _CIPHERS[cipher],
                    info.version,
                    info.parameter,
                )
            )
    return tuple(offers)


def chip_authentication_public_keys(
    infos: tuple[SecurityInfo, ...],
) -> tuple[ChipAuthenticationPublicKeyInfo, ...]:
    """Return the static public keys of the chip, in their order."""
    return tuple(
        ChipAuthenticationPublicKeyInfo(agreement, info.parameter, info.required_data)
        for info in infos
        if (agreement := _KEYS.get(info.oid)) is not None
    )


def offers_chip_authentication(infos: tuple[SecurityInfo, ...]) -> bool:
    """Return whether the chip has keys for Chip Authentication."""
    return any(info.oid.startswith((ID_CA, ID_PK)) for info in infos)


def offers_terminal_authentication(infos: tuple[SecurityInfo, ...]) -> bool:
    """Return whether the chip keeps data groups behind Terminal Authentication."""
    return any(info.oid == ID_TA for info in infos)


def active_authentication_algorithm(infos: tuple[SecurityInfo, ...]) -> str | None:
    """Return the OID of the signature algorithm in ActiveAuthenticationInfo, or None."""
    return next((info.algorithm_oid for info in infos if info.oid == ID_AA), None)


def _arcs(oid: str, prefix: str) -> tuple[int, int]:
    """Return the two arcs after a prefix, or zeros, which no protocol has."""
    if not oid.startswith(prefix):
        return 0, 0
    arcs = oid[len(prefix) :].split(".")
    if len(arcs) != 2 or any(len(arc) > 2 for arc in arcs):
        return 0, 0
    return int(arcs[0]), int(arcs[1])


def _domain(
    infos: tuple[SecurityInfo, ...], protocol: str, parameter_id: int | None
) -> DomainParameters | None:
    """Return the domain parameters of a PACE offer: by number, or from PACEDomainParameterInfo.

    Source: ICAO Doc 9303-11, 9.2.2 and 9.5.
    """
    if parameter_id is not None and parameter_id in STANDARDISED:
        return STANDARDISED[parameter_id]
    for info in infos:
        if info.oid == protocol and info.parameter == parameter_id:
            try:
                return parse_domain_parameters(info.required_data)
            except KeyUnsupportedError:
                return None
    return None


def _security_info(info: bytes) -> SecurityInfo:
    is_short = len(info) <= _MAX_REMEMBERED_BYTES
    return _parse_and_remember(info) if is_short else _parse(info)


def _parse(info: bytes) -> SecurityInfo:
    protocol, required, *optional = der.children(info, der.whole(info, der.SEQUENCE))
    if len(optional) > 1:
        raise ValueError("a security info has more than three parts")
    value = optional[0] if optional else None
    is_oid = value is not None and value[0] == der.OBJECT_IDENTIFIER
    return SecurityInfo(
        oid=der.oid(info, protocol),
        version=_integer(info, required),
        parameter=_integer(info, value),
        algorithm_oid=der.oid(info, value) if value is not None and is_oid else None,
        required_data=der.encoding(info, required),
    )


_parse_and_remember = lru_cache(maxsize=256)(_parse)


def _integer(data: bytes, element: der.Element | None) -> int | None:
    if element is None or element[0] != der.INTEGER:
        return None
    number = der.integer(data, element)
    return number if 0 <= number <= _MAX_NUMBER else None
