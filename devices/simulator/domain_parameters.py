"""The groups in which the card agrees on keys: elliptic curves and Diffie-Hellman groups.

Source: ICAO Doc 9303-11 §9.5.1, table 7 (standardised domain parameters).
"""

from typing import Any, Protocol

from devices.simulator import curves, dh_groups

Element = Any
"""A point of a curve, or an integer modulo a prime."""


class DomainParameters(Protocol):
    """A group of prime order, written additively."""

    public_key_tag: int

    @property
    def order(self) -> int:
        """Return the order of the group."""

    @property
    def field_prime(self) -> int:
        """Return the prime of the field below the group."""

    @property
    def generator(self) -> Element:
        """Return the standard generator."""

    def multiply(self, element: Element, scalar: int) -> Element:
        """Return scalar · element."""

    def add(self, one: Element, other: Element) -> Element:
        """Return the sum of two elements."""

    def encode(self, element: Element) -> bytes:
        """Return an element as a public key is sent."""

    def decode(self, data: bytes) -> Element:
        """Return the element of a public key; ValueError if it is not one of the group."""

    def shared_secret(self, element: Element) -> bytes:
        """Return the shared secret of an agreed element; ValueError for the neutral element."""

    def from_field(self, number: int) -> Element:
        """Return the element that integrated mapping assigns to a number below the prime."""


BY_PARAMETER_ID: dict[int, DomainParameters] = {
    **dh_groups.BY_PARAMETER_ID,
    **curves.BY_PARAMETER_ID,
}
"""Standardised domain parameters; 3–7 are reserved."""
