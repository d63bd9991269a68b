"""Chip Authentication driven by the verifier: the terminal carries messages and holds no key.

The verifier makes an ephemeral key pair, derives the session keys from the chip's static key in
DG14 by itself, and seals one command with them. Only the chip that holds the private key to DG14
can answer it with a right MAC, and that is what the verifier checks.

Source: ICAO Doc 9303-11, 6.2; BSI TR-03110-1, 3.4.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from devices.apdu import OK, CommandApdu, ResponseApdu
from devices.emrtd.crypto.dh_agreement import DhAgreement
from devices.emrtd.crypto.domain_parameters import AgreementKey
from devices.emrtd.crypto.ecdh_agreement import EcdhAgreement
from devices.emrtd.crypto.kdf import KeyPurpose, SessionCipher, derive_key
from devices.emrtd.crypto.key_agreement import KeyAgreement, RandomScalar, random_scalar
from devices.emrtd.crypto.message_protection import SecureMessaging
from devices.emrtd.crypto.public_keys import EcKey
from devices.emrtd.errors import (
    AuthenticationRefusedError,
    ChallengeMalformedError,
    ChipAuthenticationUnsupportedError,
    KeyUnsupportedError,
)
from devices.emrtd.evidence import ChipAuthenticationRecord, ChipAuthenticationRequest
from devices.emrtd.files import DATA_GROUPS
from devices.emrtd.lds import parse_dg14
from devices.emrtd.lds.security_infos import (
    ID_CA,
    ChipAuthenticationInfo,
    SecurityInfo,
    chip_authentication_infos,
    chip_authentication_public_keys,
)
from devices.errors import DeviceError

PROOF_BYTES = 32
"""How much of DG14 the sealed command asks for, at most."""

_VERSION = 1
_IMPLIED_ARCS = {"DH": "1.1", "ECDH": "2.1"}
_MAX_SCALAR_BYTES = 256
_MAX_OID = 64


@dataclass(frozen=True)
class ChipAuthenticationChallenge:
    """What the verifier keeps to itself until it has the chip's answer."""

    oid: str
    """Object identifier of the protocol variant."""
    key_id: int | None
    """The chip's key that is meant, where DG14 numbers them."""
    private_key: int = field(repr=False)
    """The ephemeral private key: whoever has it can make up an answer."""
    dg14_sha256: str
    """Digest of the DG14 that the challenge was made for, hexadecimal."""
    short_identifiers: bool
    """Whether the sealed command reads by short file identifier; else it selects the file."""

    def request(self, dg14: bytes) -> ChipAuthenticationRequest:
        """Return what the terminal has to carry to the chip; the same each time.

        Raises:
            AuthenticationRefusedError: `ca-key-mismatch`: this is another DG14.
            DeviceError: DG14 is malformed or its key is not supported.
        """
        return _Run(self, dg14).request

    def to_dict(self) -> dict[str, Any]:
        """Return the challenge for a file or a database, as secret as the challenge itself."""
        return {
            "oid": self.oid,
            "key_id": self.key_id,
            "private_key": f"{self.private_key:x}",
            "dg14_sha256": self.dg14_sha256,
            "short_identifiers": self.short_identifiers,
        }

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Return what `to_dict` wrote.

        Raises:
            ChallengeMalformedError: it is something else.
        """
        malformed = ChallengeMalformedError("a challenge for Chip Authentication is malformed")
        try:
            challenge = cls(
                oid=values["oid"],
                key_id=values["key_id"],
                private_key=int(values["private_key"][: 2 * _MAX_SCALAR_BYTES], 16),
                dg14_sha256=values["dg14_sha256"],
                short_identifiers=values["short_identifiers"],
            )
            is_whole = challenge.to_dict() == values and len(challenge.oid) <= _MAX_OID
        except (KeyError, TypeError, ValueError):
            raise malformed from None
        key_id, digest = challenge.key_id, challenge.dg14_sha256
        is_typed = (
            isinstance(challenge.oid, str)
            and isinstance(digest, str)
            and isinstance(challenge.short_identifiers, bool)
            and (key_id is None or (type(key_id) is int and 0 <= key_id <= 255))
            and challenge.private_key > 0
        )
        if not is_whole or not is_typed:
            raise malformed
        return challenge


def challenge_chip(
    dg14: bytes, *, short_identifiers: bool = True, scalar: RandomScalar = random_scalar
) -> ChipAuthenticationChallenge:
    """Return a fresh challenge for the strongest variant that the chip and this software know.

    Args:
        dg14: DG14 as the terminal read it; nothing in it has to be proven yet.
        short_identifiers: whether the chip reads files by short identifier.
        scalar: makes the ephemeral private key.

    Raises:
        ChipAuthenticationUnsupportedError: DG14 offers no variant that this software runs.
        DeviceError: DG14 is malformed.
    """
    info, key_id, key = _strongest(parse_dg14(dg14))
    agreement, _ = _agreement(key)
    while True:
        private_key = scalar(agreement.order)
        public_key = agreement.private_key(private_key).multiply(agreement.generator)
        # Cards differ in whether they take a number with a leading zero byte.
        if public_key[0]:
            break
    digest = hashlib.sha256(dg14).hexdigest()
    return ChipAuthenticationChallenge(info.oid, key_id, private_key, digest, short_identifiers)


def runs_chip_authentication(infos: tuple[SecurityInfo, ...]) -> bool:
    """Return whether the chip offers a variant that this software runs."""
    return next(_variants(infos), None) is not None


def verify_chip_authentication(
    challenge: ChipAuthenticationChallenge, dg14: bytes, record: ChipAuthenticationRecord
) -> None:
    """Verify the chip's answer to the sealed command; return nothing if it is right.

    Args:
        challenge: what the verifier kept.
        dg14: the file as read, itself covered by Passive Authentication.
        record: what the terminal says that it carried to the chip, and the answer.

    Raises:
        AuthenticationRefusedError: `ca-key-mismatch` (another DG14 than the challenge's),
            `ca-challenge-mismatch` (another challenge was carried), `ca-answer-missing`,
            `ca-answer-invalid` (its MAC is wrong, or it has none) or `ca-data-mismatch` (it is not
            the beginning of DG14).
        DeviceError: DG14 is malformed or its key is not supported.
    """
    run = _Run(challenge, dg14)
    if record.request != run.request:
        raise _refusal("ca-challenge-mismatch", "the chip was given another challenge")
    if record.answer is None:
        raise _refusal("ca-answer-missing", "the chip did not answer the challenge")
    try:
        response = run.messaging.unwrap(ResponseApdu.parse(record.answer))
    except DeviceError:
        raise _refusal(
            "ca-answer-invalid", "the chip does not hold the private key of the document"
        ) from None
    if response.status != OK or response.data != run.expected:
        raise _refusal("ca-data-mismatch", "the chip answered with something else than its DG14")


class _Run:
    """What follows from a challenge and DG14: session keys, sealed command, expected answer.

    Source: ICAO Doc 9303-11, 6.2.1 and 9.8.2: the counter of the new session starts at zero.
    """

    def __init__(self, challenge: ChipAuthenticationChallenge, dg14: bytes) -> None:
        if hashlib.sha256(dg14).hexdigest() != challenge.dg14_sha256:
            raise _refusal("ca-key-mismatch", "the challenge was made for another DG14")
        matching = (
            (info, key)
            for info, key_id, key in _variants(parse_dg14(dg14))
            if (info.oid, key_id) == (challenge.oid, challenge.key_id)
        )
        info, key = next(matching, (None, None))
        if info is None or key is None:
            raise ChallengeMalformedError("a challenge for Chip Authentication names no key")
        agreement, static_key = _agreement(key)
        if challenge.private_key >= agreement.order:
            raise ChallengeMalformedError("a challenge for Chip Authentication is malformed")
        private_key = agreement.private_key(challenge.private_key)
        secret = private_key.agree(static_key)
        self.messaging = SecureMessaging(
            info.cipher,
            derive_key(secret, KeyPurpose.ENCRYPTION, info.cipher),
            derive_key(secret, KeyPurpose.MAC, info.cipher),
            bytes(info.cipher.block_bytes),
        )
        command, self.expected = _proof(dg14, short_identifiers=challenge.short_identifiers)
        self.request = ChipAuthenticationRequest(
            oid=challenge.oid,
            key_id=challenge.key_id,
            public_key=private_key.multiply(agreement.generator),
            command=self.messaging.wrap(command).to_bytes(),
        )


def _proof(dg14: bytes, *, short_identifiers: bool) -> tuple[CommandApdu, bytes]:
    """Return the command that the chip has to answer, and the data of the right answer."""
    file = DATA_GROUPS[14]
    if not short_identifiers:
        # 9303-10, 3.6.2: SELECT by file identifier has no response data.
        return CommandApdu(0x00, 0xA4, 0x02, 0x0C, file.fid.to_bytes(2, "big")), b""
    expected = dg14[:PROOF_BYTES]
    return CommandApdu(0x00, 0xB0, 0x80 | file.sfi, 0x00, le=len(expected)), expected


def _strongest(
    infos: tuple[SecurityInfo, ...],
) -> tuple[ChipAuthenticationInfo, int | None, AgreementKey]:
    def strength(variant: tuple[ChipAuthenticationInfo, int | None, AgreementKey]) -> Any:
        info, _, key = variant
        is_aes = info.cipher is not SessionCipher.TDES
        return is_aes, info.cipher.key_bytes, isinstance(key, EcKey), _agreement(key)[0].order

    variants = list(_variants(infos))
    if not variants:
        raise ChipAuthenticationUnsupportedError(
            "the chip offers Chip Authentication in no form that this software runs"
        )
    return max(variants, key=strength)


def _variants(
    infos: tuple[SecurityInfo, ...],
) -> Iterator[tuple[ChipAuthenticationInfo, int | None, AgreementKey]]:
    """Yield each offer with the key that it goes with, and that key's number.

    Source: ICAO Doc 9303-11, 9.2.5 and 9.2.6.
    """
    offers = chip_authentication_infos(infos)
    for static_key in chip_authentication_public_keys(infos):
        agreement, key_id = static_key.key_agreement, static_key.key_id
        try:
            key = static_key.public_key()
        except KeyUnsupportedError:
            continue
        for info in offers or (_implied(agreement, key_id),):
            # Version 2 comes after Terminal Authentication only.
            if info.version != _VERSION or info.key_agreement != agreement:
                continue
            if info.key_id is None or key_id is None or info.key_id == key_id:
                yield info, key_id, key


def _implied(agreement: str, key_id: int | None) -> ChipAuthenticationInfo:
    """BSI TR-03110-1, A.1.1.2: without an info, the key is for 3DES."""
    oid = f"{ID_CA}{_IMPLIED_ARCS[agreement]}"
    return ChipAuthenticationInfo(oid, agreement, SessionCipher.TDES, _VERSION, key_id)


def _agreement(key: AgreementKey) -> tuple[KeyAgreement, bytes]:
    """Return the group of the chip's static key, and the key as an element of it."""
    if isinstance(key, EcKey):
        return EcdhAgreement(key.curve), key.curve.encode(key.point)
    return DhAgreement(key.group), key.value.to_bytes(key.group.modulus_bytes, "big")


def _refusal(reason: str, message: str) -> AuthenticationRefusedError:
    return AuthenticationRefusedError(reason, message)
