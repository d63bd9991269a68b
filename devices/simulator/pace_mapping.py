"""The mappings of PACE: from the nonce to the generator of the key agreement.

Source: ICAO Doc 9303-11 §4.4.3.3.
"""

from typing import Protocol

from devices.simulator.ciphers import Cipher
from devices.simulator.domain_parameters import DomainParameters, Element
from devices.simulator.randomness import Randomness

# §4.4.3.3.2: the constants for blocks of 128 and of 256 bits.
_C0_C1 = {
    16: (
        bytes.fromhex("a668892a7c41e3ca739f40b057d85904"),
        bytes.fromhex("a4e136ac725f738b01c1f60217c188ad"),
    ),
    32: (
        bytes.fromhex("d463d65234124ef7897054986dca0a174e28df758cbaa03f240616414d5a1676"),
        bytes.fromhex("54bd7255f0aaf831bec3423fcf39d69b6cbf066677d0faae5aadd99df8e53517"),
    ),
}


def nonce_bytes(cipher: Cipher) -> int:
    """Return the length of the nonce s: whole blocks, at least as long as the key.

    Source: ICAO Doc 9303-11 §4.4.3.3.
    """
    return -(-cipher.key_bytes // 16) * 16


class NonceMapping(Protocol):
    """One mapping of one run."""

    def map(self, nonce: bytes, terminal_data: bytes) -> bytes:
        """Map the nonce: take the terminal's mapping data, return the card's.

        Raises:
            ValueError: the terminal's data is no valid mapping data.
        """

    @property
    def generator(self) -> Element:
        """Return the mapped generator."""


class GenericMapping:
    """Ĝ = s·G + H, where H comes from an anonymous key agreement.

    Source: ICAO Doc 9303-11 §4.4.3.3.1.
    """

    def __init__(self, domain: DomainParameters, randomness: Randomness) -> None:
        self._domain = domain
        self._random = randomness
        self.generator: Element = None
        self.private_key = 0
        """SK_Map,IC of this run, which Chip Authentication Mapping proves to be the chip's."""

    def map(self, nonce: bytes, terminal_data: bytes) -> bytes:
        """Return the card's ephemeral public key of the mapping."""
        domain = self._domain
        terminal = domain.decode(terminal_data)
        self.private_key = self._random.scalar(domain.order)
        shared = domain.multiply(terminal, self.private_key)
        own = domain.multiply(domain.generator, int.from_bytes(nonce, "big"))
        self.generator = domain.add(own, shared)
        return domain.encode(domain.multiply(domain.generator, self.private_key))


class IntegratedMapping:
    """Ĝ = f(R_p(s, t)), computed from both nonces.

    Source: ICAO Doc 9303-11 §4.4.3.3.2.
    """

    def __init__(self, domain: DomainParameters, cipher: Cipher) -> None:
        self._domain = domain
        self._cipher = cipher
        self.generator: Element = None

    def map(self, nonce: bytes, terminal_data: bytes) -> bytes:
        """Return no data (§4.4.5.2.2); the terminal's is the nonce t, as long as the key."""
        if len(terminal_data) != self._cipher.key_bytes:
            raise ValueError("the terminal's nonce has not the length of the key")
        number = pseudo_random(self._cipher, nonce, terminal_data, self._domain.field_prime)
        self.generator = self._domain.from_field(number)
        return b""


def pseudo_random(cipher: Cipher, s: bytes, t: bytes, prime: int) -> int:
    """Return R_p(s, t), a number below the prime.

    Args:
        cipher: block cipher of the protocol.
        s: nonce of the card, 16 or 32 bytes.
        t: nonce of the terminal, as long as the key.
        prime: p.

    Source: ICAO Doc 9303-11 §4.4.3.3.2, figure 2.
    """
    c0, c1 = _C0_C1[len(s)]
    key, output = cipher.encrypt_nonce(t, s), b""
    # The smallest n with n·l ≥ log2 p + 64.
    while len(output) * 8 < prime.bit_length() + 64:
        key = key[: cipher.key_bytes]
        output += cipher.encrypt_nonce(key, c1)
        key = cipher.encrypt_nonce(key, c0)
    return int.from_bytes(output, "big") % prime
