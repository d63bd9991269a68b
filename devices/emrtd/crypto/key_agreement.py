"""Key agreement as PACE needs it: one abstraction over elliptic curves and Diffie-Hellman groups.

Elements of the group are handled in their encoding: 04 || x || y for a point, the big-endian number
with the length of p for a Diffie-Hellman value. Only `KeyAgreement.accept` makes an element out of
bytes that a card sent.

Source: ICAO Doc 9303-11, 4.4.1, 4.4.3.3 and 9.4.4; BSI TR-03111, 4.3; NIST SP 800-56A, 5.6.2.3.
"""

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable

RandomScalar = Callable[[int], int]
"""From a group order n to a secret scalar in 1…n-1."""


def random_scalar(order: int) -> int:
    """Return a secret scalar in 1…order-1."""
    return secrets.randbelow(order - 1) + 1


class ElementInvalidError(ValueError):
    """What should be an element of the group is none; `KeyAgreement`'s callers give it a name."""


class PrivateKey(ABC):
    """An ephemeral private key."""

    @abstractmethod
    def multiply(self, element: bytes) -> bytes:
        """Return the element taken as often as this key says: k·P, or y^k."""

    @abstractmethod
    def agree(self, element: bytes) -> bytes:
        """Return the shared secret that session keys are derived from: x, or y^k."""


class KeyAgreement(ABC):
    """A group with its encoding, its keys and the mappings of PACE."""

    public_key_tag: int
    """Tag of the public value in a public key data object (9303-11, 9.4.5)."""

    def __init__(self, generator: bytes, order: int, modulus: int) -> None:
        """Take the standardised generator, its order, and the prime that numbers are reduced by."""
        self.generator = generator
        self.order = order
        self.modulus = modulus

    @abstractmethod
    def private_key(self, scalar: int) -> PrivateKey:
        """Return the private key of a secret scalar in 1…order-1."""

    @abstractmethod
    def accept(self, encoded: bytes) -> bytes:
        """Return the element that a card sent, checked to lie in the group.

        Raises:
            ElementInvalidError: it is malformed, outside the group, or the neutral element.
        """

    @abstractmethod
    def map_generic(self, nonce: int, shared: bytes) -> bytes:
        """Return the mapped generator s·G + H, or g^s · h (9303-11, 4.4.3.3.1).

        Raises:
            ElementInvalidError: it is the neutral element.
        """

    @property
    @abstractmethod
    def can_map_integrated(self) -> bool:
        """Whether the integrated mapping is defined on this group."""

    @abstractmethod
    def map_integrated(self, number: int) -> bytes:
        """Return the mapped generator of a number below the modulus (9303-11, 4.4.3.3.2).

        Raises:
            ElementInvalidError: it is the neutral element.
        """

    def generate(
        self, generator: bytes, scalar: RandomScalar = random_scalar
    ) -> tuple[PrivateKey, bytes]:
        """Return a fresh private key and its public value."""
        private = self.private_key(scalar(self.order))
        return private, private.multiply(generator)
