"""Password Authenticated Connection Establishment with the CAN or the MRZ.

Generic, Integrated and Chip Authentication Mapping, over elliptic curves and Diffie-Hellman groups.

Source: ICAO Doc 9303-11, 4.4 and appendices G, H and I.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from asn1crypto import core

from devices.apdu import (
    AUTHENTICATION_BLOCKED,
    EXTENDED_LE_MAX,
    OK,
    REFERENCED_DATA_NOT_FOUND,
    SECURITY_STATUS_NOT_SATISFIED,
    SHORT_LE_MAX,
    WRONG_DATA,
    CommandApdu,
    StatusWord,
)
from devices.emrtd.chip_authentication_mapping import decrypt_authentication_data
from devices.emrtd.crypto.block_ciphers import compute_mac, decrypt_cbc, macs_equal
from devices.emrtd.crypto.dh_agreement import DhAgreement
from devices.emrtd.crypto.ecdh_agreement import EcdhAgreement
from devices.emrtd.crypto.elliptic_curves import Curve
from devices.emrtd.crypto.kdf import KeyPurpose, derive_key
from devices.emrtd.crypto.key_agreement import (
    ElementInvalidError,
    KeyAgreement,
    RandomScalar,
    random_scalar,
)
from devices.emrtd.errors import (
    AccessFailedError,
    AccessUnsupportedError,
    PasswordBlockedError,
    PasswordLastTryError,
    PasswordWrongError,
)
from devices.emrtd.evidence import CamRecord
from devices.emrtd.lds.mrz import Can, MrzKey, Password
from devices.emrtd.lds.security_infos import Mapping, PaceInfo
from devices.emrtd.terminal.pace_mapping import integrated_nonce_bytes, pseudo_random_number
from devices.emrtd.terminal.secure_messaging import SecureMessaging
from devices.errors import TlvMalformedError
from devices.tlv import encode_tlv, parse_tlv
from devices.transport import CHAINING_CLASS, Channel

_DYNAMIC_AUTHENTICATION_DATA = 0x7C
_PUBLIC_KEY = 0x7F49
_REFERENCES = {Can.pace_reference, MrzKey.pace_reference}
_MIN_NONCE_BYTES, _MAX_NONCE_BYTES = 16, 64
_BLOCKED = (AUTHENTICATION_BLOCKED, StatusWord(0x6984))
_WRONG_TOKEN = (SECURITY_STATUS_NOT_SATISFIED, StatusWord(0x6988))
# How cards answer that refuse DO'84': wrong data, wrong P1-P2 or Lc for it, no such reference.
_PARAMETERS_REFUSED = (
    WRONG_DATA,
    StatusWord(0x6A86),
    StatusWord(0x6A87),
    REFERENCED_DATA_NOT_FOUND,
)

RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True)
class PaceSession:
    """What one run of PACE left."""

    messaging: SecureMessaging
    cam: CamRecord | None
    """What the chip sent for PACE-CAM, unproven; None for the other mappings."""


def open_pace(
    channel: Channel,
    info: PaceInfo,
    password: Password,
    *,
    allow_last_try: bool = False,
    scalar: RandomScalar = random_scalar,
    random_bytes: RandomBytes = secrets.token_bytes,
) -> PaceSession:
    """Run PACE once and return the session.

    Args:
        channel: unprotected channel to the card.
        info: an offer of EF.CardAccess.
        password: CAN or MRZ.
        allow_last_try: send the password although the card says that one try is left.
        scalar: source of the ephemeral private keys.
        random_bytes: source of the terminal's nonce of the integrated mapping.

    Raises:
        PasswordWrongError: the card does not accept the password; it is not tried again.
        PasswordBlockedError: the card takes no more tries.
        PasswordLastTryError: one try is left; it was not used.
        AccessUnsupportedError: this software does not run the offer, or the card does not know
            this kind of password.
        AccessFailedError: the card refuses a step or its answer is malformed or not authentic.
    """
    if password.pace_reference not in _REFERENCES:
        raise AccessUnsupportedError(
            "PACE: PIN and PUK are not supported, only what is printed on the card: CAN and MRZ"
        )
    agreement = agreement_of(info)
    if agreement is None:
        raise AccessUnsupportedError(f"PACE: this software does not run {info.label}")
    _select_protocol(channel, info, password, allow_last_try=allow_last_try)
    run = _Run(channel, info, agreement, scalar, random_bytes)
    try:
        return run.run(derive_key(password.pace_secret(), KeyPurpose.PACE, info.cipher))
    except ElementInvalidError as error:
        raise AccessFailedError(f"PACE: the card's public value is {error}") from None


def agreement_of(info: PaceInfo) -> KeyAgreement | None:
    """Return the key agreement of an offer, or None if this software does not run the offer."""
    if info.domain is None:
        return None
    agreement: KeyAgreement = (
        EcdhAgreement(info.domain) if isinstance(info.domain, Curve) else DhAgreement(info.domain)
    )
    is_mapped = info.mapping is not Mapping.INTEGRATED or agreement.can_map_integrated
    return agreement if is_mapped else None


class _Run:
    """One run of the four steps after MSE:Set AT."""

    def __init__(
        self,
        channel: Channel,
        info: PaceInfo,
        agreement: KeyAgreement,
        scalar: RandomScalar,
        random_bytes: RandomBytes,
    ) -> None:
        self._channel = channel
        self._info = info
        self._cipher = info.cipher
        self._agreement = agreement
        self._scalar = scalar
        self._random_bytes = random_bytes
        self._mapping_key = b""
        """The card's public key of the mapping; empty for the integrated mapping."""

    def run(self, password_key: bytes) -> PaceSession:
        nonce = self._decrypt_nonce(password_key, self._exchange(b"", 0x80)[0x80])
        is_integrated = self._info.mapping is Mapping.INTEGRATED
        generator = (self._map_integrated if is_integrated else self._map_generic)(nonce)

        private, own_public = self._agreement.generate(generator, self._scalar)
        received = self._exchange(encode_tlv(0x83, own_public), 0x84)[0x84]
        secret = private.agree(self._accept(received, own_public))
        ks_enc = derive_key(secret, KeyPurpose.ENCRYPTION, self._cipher)
        ks_mac = derive_key(secret, KeyPurpose.MAC, self._cipher)

        token = encode_tlv(0x85, self._token(ks_mac, received))
        answer = self._exchange(token, 0x86, is_last=True)
        if not macs_equal(answer[0x86], self._token(ks_mac, own_public)):
            raise AccessFailedError(
                "PACE: the card's authentication token is wrong", password_was_tried=True
            )
        messaging = SecureMessaging(self._cipher, ks_enc, ks_mac, bytes(self._cipher.block_bytes))
        return PaceSession(messaging, self._cam_record(ks_enc, answer.get(0x8A)))

    def _decrypt_nonce(self, key: bytes, encrypted: bytes) -> bytes:
        # 9303-11, 4.4.3.2: any whole number of blocks; the integrated mapping fixes it.
        is_whole = len(encrypted) % self._cipher.block_bytes == 0
        if not is_whole or not _MIN_NONCE_BYTES <= len(encrypted) <= _MAX_NONCE_BYTES:
            raise AccessFailedError("PACE: the card's nonce has a wrong length")
        return decrypt_cbc(self._cipher, key, bytes(self._cipher.block_bytes), encrypted)

    def _map_generic(self, nonce: bytes) -> bytes:
        """9303-11, 4.4.3.3.1: the generator s·G + H, H from an anonymous key agreement."""
        agreement = self._agreement
        private, own_public = agreement.generate(agreement.generator, self._scalar)
        self._mapping_key = self._accept(
            self._exchange(encode_tlv(0x81, own_public), 0x82)[0x82], own_public
        )
        shared = private.multiply(self._mapping_key)
        return agreement.map_generic(int.from_bytes(nonce, "big"), shared)

    def _map_integrated(self, nonce: bytes) -> bytes:
        """9303-11, 4.4.3.3.2: a generator from both nonces; DO'82' is absent or empty."""
        if len(nonce) != integrated_nonce_bytes(self._cipher):
            raise AccessFailedError("PACE: the card's nonce has a wrong length")
        terminal_nonce = self._random_bytes(self._cipher.key_bytes)
        self._exchange(encode_tlv(0x81, terminal_nonce))
        number = pseudo_random_number(self._cipher, nonce, terminal_nonce, self._agreement.modulus)
        return self._agreement.map_integrated(number)

    def _accept(self, received: bytes, own_public: bytes) -> bytes:
        element = self._agreement.accept(received)
        # 9303-11, 4.4.1: the terminal shall check that the two public keys differ.
        if element == own_public:
            raise AccessFailedError("PACE: the card returned the reader's own key")
        return element

    def _token(self, ks_mac: bytes, public: bytes) -> bytes:
        """9303-11, 4.4.3.4: MAC over the other side's public key object, without parameters."""
        oid = core.ObjectIdentifier(self._info.oid).dump()
        data = encode_tlv(_PUBLIC_KEY, oid + encode_tlv(self._agreement.public_key_tag, public))
        return compute_mac(self._cipher, ks_mac, data)

    def _cam_record(self, ks_enc: bytes, encrypted: bytes | None) -> CamRecord | None:
        if self._info.mapping is not Mapping.CHIP_AUTHENTICATION:
            return None
        data = decrypt_authentication_data(self._cipher, ks_enc, encrypted)
        return CamRecord(self._mapping_key, data)

    def _exchange(
        self, data: bytes, wanted: int | None = None, *, is_last: bool = False
    ) -> dict[int, bytes]:
        """One GENERAL AUTHENTICATE (9303-11, 4.4.4.2); return the data objects of the answer."""
        # A public value of 2048 bits does not fit a short answer.
        bits = self._agreement.modulus.bit_length()
        is_long = wanted in (0x82, 0x84) and bits // 8 > SHORT_LE_MAX - 8
        command = CommandApdu(
            0x00 if is_last else CHAINING_CLASS,
            0x86,
            0x00,
            0x00,
            encode_tlv(_DYNAMIC_AUTHENTICATION_DATA, data),
            le=EXTENDED_LE_MAX if is_long else SHORT_LE_MAX,
        )
        response = self._channel.send(command)
        if response.status != OK:
            _refuse_password(response.status, is_tried=is_last)
            raise AccessFailedError(
                f"PACE: the card stopped (status {response.status})"
                + ("; a wrong CAN or MRZ may be the reason" if is_last else ""),
                password_was_tried=is_last,
            )
        try:
            children = parse_tlv(response.data, _DYNAMIC_AUTHENTICATION_DATA).children()
        except TlvMalformedError:
            children = ()
        objects = {child.tag: child.value for child in children}
        if len(objects) != len(children) or (wanted is not None and wanted not in objects):
            raise AccessFailedError(
                "PACE: the card's answer is malformed", password_was_tried=is_last
            )
        return objects


def _select_protocol(
    channel: Channel, info: PaceInfo, password: Password, *, allow_last_try: bool
) -> None:
    """MSE:Set AT (9303-11, 4.4.4.1)."""
    oid = core.ObjectIdentifier(info.oid).contents
    data = encode_tlv(0x80, oid) + encode_tlv(0x83, bytes([password.pace_reference]))
    status = OK
    if info.parameter_id is not None:
        # DO'84' is optional with one set of parameters, yet some cards want it, some refuse it.
        parameters = encode_tlv(0x84, bytes([info.parameter_id]))
        status = channel.send(CommandApdu(0x00, 0x22, 0xC1, 0xA4, data + parameters)).status
    if info.parameter_id is None or status in _PARAMETERS_REFUSED:
        status = channel.send(CommandApdu(0x00, 0x22, 0xC1, 0xA4, data)).status
    if status.tries_left == 1 and not allow_last_try:
        raise PasswordLastTryError(
            "the card says that one try of this password is left, so it was not used: check the "
            "CAN or MRZ character by character, then allow the last try"
        )
    # 63Cx tells the tries that are left; the protocol is selected all the same.
    if status == OK or status.tries_left:
        return
    _refuse_password(status, is_tried=False)
    if status == REFERENCED_DATA_NOT_FOUND:
        raise AccessUnsupportedError(
            f"PACE: the card does not know the {password.kind} as a password (status {status})"
        )
    raise AccessFailedError(f"PACE: the card refuses the protocol (status {status})")


def _refuse_password(status: StatusWord, *, is_tried: bool) -> None:
    """Raise if the status says that the password is wrong or blocked."""
    if status.tries_left == 0 or status in _BLOCKED:
        raise PasswordBlockedError(
            "the card takes no more tries of this password: its issuer must unblock it", 0
        )
    if status.sw1 == 0x63 or (is_tried and status in _WRONG_TOKEN):
        raise PasswordWrongError(
            "the card does not accept this password: check the CAN or MRZ before trying again",
            status.tries_left,
        )
