"""The card's end of PACE with Generic Mapping over elliptic curves.

Source: ICAO Doc 9303-11 §4.4.
"""

import hashlib
import hmac
from dataclasses import dataclass
from enum import IntEnum

from ecdsa import curves

from devices.simulator import tlv
from devices.simulator.bac import AuthenticationError
from devices.simulator.ciphers import KDF_MAC, KDF_PI, Aes, Cipher
from devices.simulator.curves import decode_point, encode_point, x_coordinate
from devices.simulator.object_identifiers import PACE_ECDH_GM_AES_CBC_CMAC_128, oid_contents
from devices.simulator.randomness import Randomness
from devices.simulator.secure_messaging import SecureMessaging

NONCE_BYTES = 16

CIPHER_BY_PROTOCOL: dict[bytes, Cipher] = {
    oid_contents(PACE_ECDH_GM_AES_CBC_CMAC_128): Aes(128),
}
"""The PACE protocols that the card can speak, by the contents of their object identifier."""


class Password(IntEnum):
    """Reference of a secret in MSE:SET AT.

    Source: ICAO Doc 9303-11 §4.4.4.1.
    """

    MRZ = 1
    CAN = 2


@dataclass(frozen=True)
class PaceSuite:
    """One protocol on one set of domain parameters."""

    protocol: bytes
    """Contents of the object identifier."""
    curve: curves.Curve

    @property
    def cipher(self) -> Cipher:
        """Return the cipher of the protocol."""
        return CIPHER_BY_PROTOCOL[self.protocol]


def password_secret(password: Password, can: str, mrz_information: str) -> bytes:
    """Return f(π) of a password.

    Source: ICAO Doc 9303-11 §9.7.3.
    """
    if password is Password.CAN:
        return can.encode("ascii")
    return hashlib.sha1(mrz_information.encode("ascii"), usedforsecurity=False).digest()


class Pace:
    """One run of the protocol: four steps in order, then `session`."""

    def __init__(self, suite: PaceSuite, secret: bytes, randomness: Randomness) -> None:
        self._suite = suite
        self._random = randomness
        self._k_pi = suite.cipher.derive(secret, KDF_PI)
        self._nonce = randomness.octets(NONCE_BYTES)
        self._steps = [self._give_nonce, self._map_nonce, self._agree, self._authenticate]
        self.session: SecureMessaging | None = None
        """The session that a finished run opens."""

    def step(self, request: bytes, last: bool) -> bytes:
        """Answer one GENERAL AUTHENTICATE: dynamic authentication data in and out.

        Args:
            request: contents of the command's data field.
            last: True if the command is the last of its chain.

        Raises:
            ValueError: the step or its data object is not the one that is due, or a key is bad.
            AuthenticationError: the terminal's token is wrong.

        Source: ICAO Doc 9303-11 §4.4.4.2.
        """
        if not self._steps or last != (len(self._steps) == 1):
            raise ValueError("not the step that is due")
        objects = tlv.dynamic_authentication_data(request)
        return tlv.encode(tlv.DYNAMIC_AUTHENTICATION_DATA, self._steps.pop(0)(objects))

    def _give_nonce(self, objects: dict[int, bytes]) -> bytes:
        if objects:
            raise ValueError("the first step carries no data")
        return tlv.encode(0x80, self._suite.cipher.encrypt_nonce(self._k_pi, self._nonce))

    def _map_nonce(self, objects: dict[int, bytes]) -> bytes:
        """Source: ICAO Doc 9303-11 §4.4.3.3.1 (G' = s·G + H)."""
        curve = self._suite.curve
        terminal = decode_point(curve, objects.get(0x81, b""))
        private = self._random.scalar(curve.order)
        shared = terminal * private
        self._generator = curve.generator * int.from_bytes(self._nonce, "big") + shared
        return tlv.encode(0x82, encode_point(curve.generator * private))

    def _agree(self, objects: dict[int, bytes]) -> bytes:
        """Source: ICAO Doc 9303-11 §4.4.1, step 3."""
        curve = self._suite.curve
        self._terminal_key = objects.get(0x83, b"")
        terminal = decode_point(curve, self._terminal_key)
        private = self._random.scalar(curve.order)
        self._own_key = encode_point(self._generator * private)
        # §4.4.1 step 3 (b): the two ephemeral keys must differ.
        if self._own_key == self._terminal_key:
            raise ValueError("the terminal returned the card's own key")
        self._secret = x_coordinate(curve, terminal * private)
        return tlv.encode(0x84, self._own_key)

    def _authenticate(self, objects: dict[int, bytes]) -> bytes:
        """Source: ICAO Doc 9303-11 §4.4.3.4 (authentication token)."""
        ks_mac = self._suite.cipher.derive(self._secret, KDF_MAC)
        if not hmac.compare_digest(objects.get(0x85, b""), self._token(ks_mac, self._own_key)):
            raise AuthenticationError
        self.session = SecureMessaging.from_secret(self._suite.cipher, self._secret)
        return tlv.encode(0x86, self._token(ks_mac, self._terminal_key))

    def _token(self, ks_mac: bytes, public_key: bytes) -> bytes:
        """Source: ICAO Doc 9303-11 §9.4.5 (public key data object)."""
        key_object = tlv.encode(
            0x7F49, tlv.encode(0x06, self._suite.protocol), tlv.encode(0x86, public_key)
        )
        return self._suite.cipher.token(ks_mac, key_object)
