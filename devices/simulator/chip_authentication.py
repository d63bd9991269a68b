"""The card's end of Chip Authentication version 1.

Source: ICAO Doc 9303-11 §6.2; BSI TR-03110-1 §3.4.
"""

from devices.simulator import tlv
from devices.simulator.agreement_keys import AgreementKeyPair
from devices.simulator.ciphers import Cipher
from devices.simulator.secure_messaging import SecureMessaging


def agree(cipher: Cipher, key: AgreementKeyPair, terminal_key: bytes) -> SecureMessaging:
    """Return the session that the terminal's ephemeral public key opens.

    Raises:
        ValueError: it is no public key of the group.

    Source: ICAO Doc 9303-11 §6.2.1, §9.7.4; the counter restarts at zero (§9.8.2).
    """
    domain = key.domain
    shared = domain.multiply(domain.decode(terminal_key), key.private_key)
    return SecureMessaging.from_secret(cipher, domain.shared_secret(shared))


class ChipAuthentication:
    """One run over GENERAL AUTHENTICATE: a single step, then `session`."""

    def __init__(self, cipher: Cipher, key: AgreementKeyPair) -> None:
        self._cipher = cipher
        self._key = key
        self.session: SecureMessaging | None = None
        """The session that a finished run opens; it replaces the one that carried the run."""

    def step(self, request: bytes, last: bool) -> bytes:
        """Answer GENERAL AUTHENTICATE with the terminal's ephemeral key in DO'80'.

        Raises:
            ValueError: the command is chained, or the key is none of the group.

        Source: ICAO Doc 9303-11 §6.2.4.2.
        """
        objects = tlv.dynamic_authentication_data(request)
        if not last:
            raise ValueError("a single step is not chained")
        self.session = agree(self._cipher, self._key, objects.get(0x80, b""))
        return tlv.encode(tlv.DYNAMIC_AUTHENTICATION_DATA)
