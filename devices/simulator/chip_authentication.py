"""The card's end of Chip Authentication version 1 over elliptic curves.

Source: ICAO Doc 9303-11 §6.2; BSI TR-03110-1 §3.4.
"""

from devices.simulator import tlv
from devices.simulator.ciphers import Aes, Cipher
from devices.simulator.curves import decode_point, x_coordinate
from devices.simulator.keys import EcKeyPair
from devices.simulator.object_identifiers import CA_ECDH_AES_CBC_CMAC_128, oid_contents
from devices.simulator.secure_messaging import SecureMessaging

CIPHER_BY_PROTOCOL: dict[bytes, Cipher] = {oid_contents(CA_ECDH_AES_CBC_CMAC_128): Aes(128)}
"""The protocols that the card can speak, by the contents of their object identifier."""


class ChipAuthentication:
    """One run of the protocol: a single step, then `session`."""

    def __init__(self, cipher: Cipher, key: EcKeyPair) -> None:
        self._cipher = cipher
        self._key = key
        self.session: SecureMessaging | None = None
        """The session that a finished run opens; it replaces the one that carried the run."""

    def step(self, request: bytes, last: bool) -> bytes:
        """Answer GENERAL AUTHENTICATE with the terminal's ephemeral key in DO'80'.

        Raises:
            ValueError: the command is chained, or the key is not a point of the curve.

        Source: ICAO Doc 9303-11 §6.2.4.2, §9.7.2; the counter restarts at zero (§9.8.2).
        """
        objects = tlv.dynamic_authentication_data(request)
        if not last:
            raise ValueError("a single step is not chained")
        curve = self._key.curve
        shared = decode_point(curve, objects.get(0x80, b"")) * self._key.scalar
        self.session = SecureMessaging.from_secret(self._cipher, x_coordinate(curve, shared))
        return tlv.encode(tlv.DYNAMIC_AUTHENTICATION_DATA)
