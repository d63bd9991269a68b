"""Diffie-Hellman in a subgroup of prime order.

The cryptographic library deprecates Diffie-Hellman over finite fields, takes 35 ms to accept a
mapped generator and refuses parameters without q; so exponentiation is Python's `pow`, with blinded
exponents. Its time depends on its operands: see `scalar_multiplication` for what that allows.

Source: ICAO Doc 9303-11, 4.4.1 and 4.4.3.3; PKCS #3, 8; NIST SP 800-56A, 5.6.2.3.1.
"""

import secrets

from devices.emrtd.crypto.dh_groups import DhGroup
from devices.emrtd.crypto.key_agreement import (
    ElementInvalidError,
    KeyAgreement,
    PrivateKey,
    RandomScalar,
    random_scalar,
)

_BLINDING_BITS = 64


class DhAgreement(KeyAgreement):
    """Key agreement over a Diffie-Hellman group."""

    public_key_tag = 0x84
    can_map_integrated = True

    def __init__(self, group: DhGroup) -> None:
        """Take the group."""
        self._group = group
        super().__init__(self._encode(group.g), group.q, group.p)

    def private_key(self, scalar: int) -> PrivateKey:
        """Return the private key of a secret exponent."""
        return _DhPrivateKey(self._group, scalar)

    def generate(
        self, generator: bytes, scalar: RandomScalar = random_scalar
    ) -> tuple[PrivateKey, bytes]:
        """Return a fresh private key and its public value, which has no leading zero byte.

        Cards differ in whether the authentication token covers such a byte.
        """
        while True:
            private, public = super().generate(generator, scalar)
            if public[0]:
                return private, public

    def accept(self, encoded: bytes) -> bytes:
        """Return the value that a card sent, with or without its leading zero bytes."""
        value = int.from_bytes(encoded, "big")
        # A value outside the subgroup would tell the private key modulo a small factor.
        if len(encoded) > self._group.modulus_bytes or not self._group.contains(value):
            raise ElementInvalidError("not in the subgroup")
        return self._encode(value)

    def map_generic(self, nonce: int, shared: bytes) -> bytes:
        """Return g^s · h."""
        group = self._group
        mapped_nonce = _power(group, group.g, nonce)
        return self._generator(mapped_nonce * int.from_bytes(shared, "big") % group.p)

    def map_integrated(self, number: int) -> bytes:
        """Return the number raised to the cofactor (p-1)/q."""
        group = self._group
        return self._generator(pow(number, (group.p - 1) // group.q, group.p))

    def _generator(self, value: int) -> bytes:
        if value <= 1:
            raise ElementInvalidError("the mapping gives no generator")
        return self._encode(value)

    def _encode(self, value: int) -> bytes:
        return value.to_bytes(self._group.modulus_bytes, "big")


class _DhPrivateKey(PrivateKey):
    def __init__(self, group: DhGroup, exponent: int) -> None:
        self._group = group
        self._exponent = exponent

    def multiply(self, element: bytes) -> bytes:
        power = _power(self._group, int.from_bytes(element, "big"), self._exponent)
        return power.to_bytes(self._group.modulus_bytes, "big")

    def agree(self, element: bytes) -> bytes:
        # PKCS #3, 8.3: the agreed key has the length of p.
        return self.multiply(element)


def _power(group: DhGroup, base: int, exponent: int) -> int:
    """Return base^exponent for a base of order q."""
    blinding = secrets.randbits(_BLINDING_BITS) | 1 << _BLINDING_BITS
    return pow(base, exponent + blinding * group.q, group.p)
