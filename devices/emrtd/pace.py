"""Password Authenticated Connection Establishment with the CAN or the MRZ.

Generic Mapping over elliptic curves. Another mapping is one more function in `_MAPPINGS`.

Source: ICAO Doc 9303-11, 4.4 and appendix G.1.
"""

import secrets
from collections.abc import Callable

from asn1crypto import core
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from devices.apdu import OK, SHORT_LE_MAX, WRONG_DATA, CommandApdu, ResponseApdu
from devices.emrtd.block_ciphers import compute_mac, decrypt_cbc, macs_equal
from devices.emrtd.elliptic_curves import BY_NAME, Curve
from devices.emrtd.errors import AccessFailedError, PasswordWrongError
from devices.emrtd.kdf import KeyPurpose, SessionCipher, derive_key
from devices.emrtd.mrz import Password
from devices.emrtd.secure_messaging import SecureMessaging
from devices.emrtd.security_infos import CURVE_NAMES, Mapping, PaceInfo
from devices.errors import TlvMalformedError
from devices.tlv import encode_tlv, parse_tlv
from devices.transport import CHAINING_CLASS, Channel

_DYNAMIC_AUTHENTICATION_DATA = 0x7C
_PUBLIC_KEY = 0x7F49

RandomScalar = Callable[[int], int]
"""From a group order n to a secret scalar in 1…n-2."""


def random_scalar(order: int) -> int:
    """Return a secret scalar k with both k and k+1 in the group."""
    return secrets.randbelow(order - 2) + 1


def is_supported(info: PaceInfo) -> bool:
    """Return whether this software can run the offer."""
    curve = _curve_of(info)
    return (
        info.key_agreement == "ECDH"
        and info.mapping in _MAPPINGS
        and curve is not None
        and curve.library_curve is not None
    )


def open_pace(
    channel: Channel,
    info: PaceInfo,
    password: Password,
    scalar: RandomScalar = random_scalar,
) -> SecureMessaging:
    """Run PACE once and return the session.

    Args:
        channel: unprotected channel to the card.
        info: an offer of EF.CardAccess that `is_supported`.
        password: CAN or MRZ.
        scalar: source of the ephemeral private keys.

    Raises:
        PasswordWrongError: the card does not accept the password; it is not tried again.
        AccessFailedError: the card refuses a step or its answer is malformed or not authentic.
    """
    curve = _curve_of(info)
    if curve is None or not is_supported(info):
        raise AccessFailedError(f"PACE: this software does not run {info.label}")
    key = derive_key(password.pace_secret(), KeyPurpose.PACE, info.cipher)
    _select_protocol(channel, info, password)
    nonce = _decrypt_nonce(info.cipher, key, _exchange(channel, b"", 0x80))
    generator = _MAPPINGS[info.mapping](channel, curve, nonce, scalar)

    private = scalar(curve.n)
    own_public = _multiply(curve, private, generator)
    card_public = _point(curve, _exchange(channel, encode_tlv(0x83, own_public), 0x84))
    # 9303-11, 4.4.1: the terminal shall check that the two public keys differ.
    if curve.encode(card_public) == own_public:
        raise AccessFailedError("PACE: the card returned the reader's own key")
    secret = _ecdh_x(curve, private, card_public)
    ks_enc = derive_key(secret, KeyPurpose.ENCRYPTION, info.cipher)
    ks_mac = derive_key(secret, KeyPurpose.MAC, info.cipher)
    own_token = _token(info, ks_mac, curve.encode(card_public))
    card_token = _authenticate(channel, own_token)
    if not macs_equal(card_token, _token(info, ks_mac, own_public)):
        raise AccessFailedError("PACE: the card's authentication token is wrong")
    return SecureMessaging(info.cipher, ks_enc, ks_mac, bytes(info.cipher.block_bytes))


def _curve_of(info: PaceInfo) -> Curve | None:
    return BY_NAME.get(CURVE_NAMES.get(info.parameter_id or 0, ""))


def _select_protocol(channel: Channel, info: PaceInfo, password: Password) -> None:
    """MSE:Set AT (9303-11, 4.4.4.1)."""
    oid = core.ObjectIdentifier(info.oid).contents
    data = encode_tlv(0x80, oid) + encode_tlv(0x83, bytes([password.pace_reference]))
    # DO'84' is optional with one set of parameters, yet some cards want it and some refuse it.
    parameters = encode_tlv(0x84, bytes([info.parameter_id or 0]))
    response = channel.send(CommandApdu(0x00, 0x22, 0xC1, 0xA4, data + parameters))
    if response.status == WRONG_DATA:
        response = channel.send(CommandApdu(0x00, 0x22, 0xC1, 0xA4, data))
    tries_left = response.status.tries_left
    if response.status != OK and not tries_left:
        _refuse_password(response)
        raise AccessFailedError(f"PACE: the card refuses the protocol (status {response.status})")


def _exchange(channel: Channel, data: bytes, expected_tag: int, *, last: bool = False) -> bytes:
    """One GENERAL AUTHENTICATE; return the value of the expected data object."""
    command = CommandApdu(
        0x00 if last else CHAINING_CLASS,
        0x86,
        0x00,
        0x00,
        encode_tlv(_DYNAMIC_AUTHENTICATION_DATA, data),
        le=SHORT_LE_MAX,
    )
    response = channel.send(command)
    if response.status != OK:
        if last:
            _refuse_password(response)
        raise AccessFailedError(f"PACE: the card stopped (status {response.status})")
    try:
        answer = parse_tlv(response.data, _DYNAMIC_AUTHENTICATION_DATA)
        return answer.child(expected_tag).value
    except TlvMalformedError:
        raise AccessFailedError("PACE: the card's answer is malformed") from None


def _refuse_password(response: ResponseApdu) -> None:
    """Raise if the status says that the password is wrong or blocked."""
    if response.status.sw1 == 0x63 or response.status in (0x6982, 0x6983, 0x6984, 0x6988):
        raise PasswordWrongError(
            "the card does not accept this password: check the CAN or MRZ before trying again",
            response.status.tries_left,
        )


def _decrypt_nonce(cipher: SessionCipher, key: bytes, encrypted: bytes) -> int:
    if len(encrypted) != 16:
        raise AccessFailedError("PACE: the card's nonce has a wrong length")
    plain = decrypt_cbc(cipher, key, bytes(cipher.block_bytes), encrypted)
    return int.from_bytes(plain, "big")


def _map_generic(
    channel: Channel, curve: Curve, nonce: int, scalar: RandomScalar
) -> tuple[int, int]:
    """Return the generator s·G + H, H from an anonymous key agreement (9303-11, 4.4.3.3.2)."""
    private = scalar(curve.n)
    own_public = _multiply(curve, private, curve.base)
    card_public = _point(curve, _exchange(channel, encode_tlv(0x81, own_public), 0x82))
    shared = curve.decode(_multiply(curve, private, card_public))
    mapped_nonce = curve.decode(_multiply(curve, nonce, curve.base)) if nonce % curve.n else None
    generator = curve.add(mapped_nonce, shared)
    if generator is None:
        raise AccessFailedError("PACE: the mapping gives no generator")
    return generator


_UNCOMPRESSED = (Encoding.X962, PublicFormat.UncompressedPoint)
_MAPPINGS: dict[Mapping, Callable[[Channel, Curve, int, RandomScalar], tuple[int, int]]] = {
    Mapping.GENERIC: _map_generic
}


def _multiply(curve: Curve, secret: int, point: tuple[int, int]) -> bytes:
    """Return the encoding of secret·point with the library's constant-time multiplication alone.

    ECDH gives the x of secret·point and of (secret+1)·point; of the two y that fit the first,
    only one leads to the second by adding the point once more.
    """
    if point == curve.base:
        return _own_key(curve, secret).public_key().public_bytes(*_UNCOMPRESSED)
    x = int.from_bytes(_ecdh_x(curve, secret, point), "big")
    next_x = int.from_bytes(_ecdh_x(curve, secret + 1, point), "big")
    size = curve.field_bytes
    compressed = b"\x02" + x.to_bytes(size, "big")

    public = ec.EllipticCurvePublicKey.from_encoded_point(_library(curve), compressed)
    y = public.public_numbers().y
    for candidate in ((x, y), (x, curve.p - y)):
        following = curve.add(candidate, point)
        if following is not None and following[0] == next_x:
            return curve.encode(candidate)
    raise AccessFailedError("PACE: the key agreement gives no point")


def _ecdh_x(curve: Curve, secret: int, point: tuple[int, int]) -> bytes:
    public = ec.EllipticCurvePublicNumbers(*point, _library(curve)).public_key()
    return _own_key(curve, secret).exchange(ec.ECDH(), public)


def _own_key(curve: Curve, secret: int) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(secret % curve.n, _library(curve))


def _library(curve: Curve) -> ec.EllipticCurve:
    assert curve.library_curve is not None, "is_supported() said so"
    return curve.library_curve


def _point(curve: Curve, encoded: bytes) -> tuple[int, int]:
    # 9303-11, 4.4.1 and BSI TR-03111, 4.3.2.2: a point off the curve would leak the secret.
    point = curve.decode(encoded)
    if point is None:
        raise AccessFailedError("PACE: the card's public key is not a point of the curve")
    return point


def _token(info: PaceInfo, ks_mac: bytes, public: bytes) -> bytes:
    """9303-11, 4.4.3.4: MAC over the other side's public key object, without its parameters."""
    oid = core.ObjectIdentifier(info.oid).dump()
    data = encode_tlv(_PUBLIC_KEY, oid + encode_tlv(0x86, public))
    return compute_mac(info.cipher, ks_mac, data)


def _authenticate(channel: Channel, token: bytes) -> bytes:
    return _exchange(channel, encode_tlv(0x85, token), 0x86, last=True)
