"""The card's end of PACE: Generic, Integrated and Chip Authentication Mapping.

Source: ICAO Doc 9303-11 §4.4.
"""

import hashlib
import hmac
from enum import IntEnum

from devices.simulator import tlv
from devices.simulator.bac import AuthenticationError
from devices.simulator.ciphers import KDF_ENC, KDF_MAC, KDF_PI, pad
from devices.simulator.domain_parameters import BY_PARAMETER_ID
from devices.simulator.object_identifiers import oid_contents
from devices.simulator.pace_mapping import (
    GenericMapping,
    IntegratedMapping,
    NonceMapping,
    nonce_bytes,
)
from devices.simulator.protocols import CIPHERS, PaceOffer
from devices.simulator.randomness import Randomness
from devices.simulator.secure_messaging import SecureMessaging


class Password(IntEnum):
    """Reference of a secret in MSE:SET AT.

    Source: ICAO Doc 9303-11 §4.4.4.1.
    """

    MRZ = 1
    CAN = 2


def password_secret(password: Password, can: str, mrz_information: str) -> bytes:
    """Return f(π) of a password.

    Source: ICAO Doc 9303-11 §9.7.3.
    """
    if password is Password.CAN:
        return can.encode("ascii")
    return hashlib.sha1(mrz_information.encode("ascii"), usedforsecurity=False).digest()


class Pace:
    """One run of the protocol: four steps in order, then `session`."""

    def __init__(
        self,
        offer: PaceOffer,
        secret: bytes,
        randomness: Randomness,
        static_key: int | None = None,
    ) -> None:
        """Begin a run.

        Args:
            offer: protocol and domain parameters.
            secret: f(π) of the password.
            randomness: source of nonce and ephemeral keys.
            static_key: SK_IC on the same domain parameters, for Chip Authentication Mapping.
        """
        self._protocol = oid_contents(offer.protocol)
        self._cipher = CIPHERS[offer.cipher]
        self._domain = BY_PARAMETER_ID[offer.parameter_id]
        self._random = randomness
        self._static_key = static_key
        self._k_pi = self._cipher.derive(secret, KDF_PI)
        self._nonce = randomness.octets(nonce_bytes(self._cipher))
        self._mapping: NonceMapping
        if offer.mapping == "im":
            self._mapping = IntegratedMapping(self._domain, self._cipher)
        else:
            self._mapping = GenericMapping(self._domain, randomness)
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

        Source: ICAO Doc 9303-11 §4.4.4.2, §4.4.5.
        """
        if not self._steps or last != (len(self._steps) == 1):
            raise ValueError("not the step that is due")
        objects = tlv.dynamic_authentication_data(request)
        return tlv.encode(tlv.DYNAMIC_AUTHENTICATION_DATA, self._steps.pop(0)(objects))

    def _give_nonce(self, objects: dict[int, bytes]) -> bytes:
        if objects:
            raise ValueError("the first step carries no data")
        return tlv.encode(0x80, self._cipher.encrypt_nonce(self._k_pi, self._nonce))

    def _map_nonce(self, objects: dict[int, bytes]) -> bytes:
        """Source: ICAO Doc 9303-11 §4.4.5.2 (mapping data)."""
        return tlv.encode(0x82, self._mapping.map(self._nonce, objects.get(0x81, b"")))

    def _agree(self, objects: dict[int, bytes]) -> bytes:
        """Source: ICAO Doc 9303-11 §4.4.1, step 3."""
        self._terminal_key = objects.get(0x83, b"")
        terminal = self._domain.decode(self._terminal_key)
        private = self._random.scalar(self._domain.order)
        own = self._domain.multiply(self._mapping.generator, private)
        # §4.4.1 step 3 (b): the two ephemeral keys must differ.
        if own == terminal:
            raise ValueError("the terminal returned the card's own key")
        self._own_key = self._domain.encode(own)
        self._secret = self._domain.shared_secret(self._domain.multiply(terminal, private))
        return tlv.encode(0x84, self._own_key)

    def _authenticate(self, objects: dict[int, bytes]) -> bytes:
        """Source: ICAO Doc 9303-11 §4.4.3.4 (authentication token)."""
        ks_mac = self._cipher.derive(self._secret, KDF_MAC)
        if not hmac.compare_digest(objects.get(0x85, b""), self._token(ks_mac, self._own_key)):
            raise AuthenticationError
        self.session = SecureMessaging.from_secret(self._cipher, self._secret)
        answer = tlv.encode(0x86, self._token(ks_mac, self._terminal_key))
        if self._static_key is not None:
            answer += tlv.encode(0x8A, self._chip_authentication_data(self._static_key))
        return answer

    def _chip_authentication_data(self, static_key: int) -> bytes:
        """Source: ICAO Doc 9303-11 §4.4.3.5 (CA_IC = SK_IC^-1 · SK_Map,IC), §4.4.5.6."""
        assert isinstance(self._mapping, GenericMapping)
        order = self._domain.order
        data = pow(static_key, -1, order) * self._mapping.private_key % order
        encoded = data.to_bytes((order.bit_length() + 7) // 8, "big")
        ks_enc = self._cipher.derive(self._secret, KDF_ENC)
        # §4.4.3.5.4: CBC with IV = E(KS_Enc, -1), which is secure messaging's form of an IV.
        size = self._cipher.block_bytes
        return self._cipher.encrypt(ks_enc, b"\xff" * size, pad(encoded, size))

    def _token(self, ks_mac: bytes, public_key: bytes) -> bytes:
        """Source: ICAO Doc 9303-11 §9.4.5 (public key data object)."""
        key_object = tlv.encode(
            0x7F49,
            tlv.encode(0x06, self._protocol),
            tlv.encode(self._domain.public_key_tag, public_key),
        )
        return self._cipher.token(ks_mac, key_object)
