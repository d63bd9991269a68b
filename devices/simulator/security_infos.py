"""SecurityInfos: EF.CardAccess, EF.CardSecurity and DG14; the public key of DG15.

Source: ICAO Doc 9303-11 §9.2.
"""

from collections.abc import Iterable, Sequence

from asn1crypto import core

from devices.simulator import tlv
from devices.simulator.agreement_keys import AgreementKeyPair, ParametersForm
from devices.simulator.keys import Digest, EcKeyPair, RsaKeyPair
from devices.simulator.object_identifiers import (
    ACTIVE_AUTHENTICATION,
    ECDSA_PLAIN,
    PK_DH,
    PK_ECDH,
    TERMINAL_AUTHENTICATION,
    oid,
)
from devices.simulator.protocols import ChipAuthenticationKey, PaceOffer, agreement_of

_SEQUENCE, _SET = 0x30, 0x31
# BSI TR-03111 §5.2.1.1.
_PLAIN_ARC: dict[Digest, int] = {"sha1": 1, "sha224": 2, "sha256": 3, "sha384": 4, "sha512": 5}


def encode_security_infos(infos: Iterable[bytes], *, sort: bool = True) -> bytes:
    """Return the SET OF SecurityInfo; X.690 §11.6 wants its members sorted."""
    return tlv.encode(_SET, *(sorted(infos) if sort else infos))


def pace_infos(offers: Iterable[PaceOffer]) -> list[bytes]:
    """Return a PACEInfo for each offer.

    Source: ICAO Doc 9303-11 §9.2.1.
    """
    return [_info(offer.protocol, _integer(2), _integer(offer.parameter_id)) for offer in offers]


def terminal_authentication_info() -> bytes:
    """Return the announcement of Terminal Authentication.

    Source: ICAO Doc 9303-11 §9.2.8.
    """
    return _info(TERMINAL_AUTHENTICATION, _integer(1))


def chip_authentication_infos(keys: Iterable[ChipAuthenticationKey]) -> list[bytes]:
    """Return a ChipAuthenticationInfo for each protocol of each key.

    Source: ICAO Doc 9303-11 §9.2.5.
    """
    return [
        _info(key.protocol(cipher), _integer(1), *_key_id(key))
        for key in keys
        for cipher in key.ciphers
    ]


def chip_authentication_public_key_infos(
    keys: Sequence[ChipAuthenticationKey],
    key_pairs: Sequence[AgreementKeyPair],
    form: ParametersForm,
) -> list[bytes]:
    """Return a ChipAuthenticationPublicKeyInfo for each key.

    Source: ICAO Doc 9303-11 §9.2.6.
    """
    return [
        _info(
            PK_ECDH if agreement_of(key.parameter_id) == "ecdh" else PK_DH,
            pair.public_key_info(form),
            *_key_id(key),
        )
        for key, pair in zip(keys, key_pairs, strict=True)
    ]


def active_authentication_infos(
    aa_key: EcKeyPair | RsaKeyPair | None, digest: Digest
) -> list[bytes]:
    """Return the ActiveAuthenticationInfo, which only ECDSA keys have.

    Source: ICAO Doc 9303-11 §9.2.4.
    """
    if not isinstance(aa_key, EcKeyPair):
        return []
    algorithm = oid(f"{ECDSA_PLAIN}.{_PLAIN_ARC[digest]}")
    return [_info(ACTIVE_AUTHENTICATION, _integer(1), algorithm)]


def build_dg14(security_infos: bytes) -> bytes:
    """Return DG14.

    Source: ICAO Doc 9303-10 §4.7.14.
    """
    return tlv.encode(0x6E, security_infos)


def build_dg15(public_key_info: bytes) -> bytes:
    """Return DG15.

    Source: ICAO Doc 9303-10 §4.7.15.
    """
    return tlv.encode(0x6F, public_key_info)


def _key_id(key: ChipAuthenticationKey) -> list[bytes]:
    return [] if key.key_id is None else [_integer(key.key_id)]


def _info(protocol: str, *fields: bytes) -> bytes:
    return tlv.encode(_SEQUENCE, oid(protocol), *fields)


def _integer(value: int) -> bytes:
    return bytes(core.Integer(value).dump())
