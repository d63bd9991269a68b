"""Statuses packed into bits, and where an assertion's status is to be found.

Source: draft-ietf-oauth-status-list-20: §4.1 and §4.2 (array), §6.2 (reference), §7.1 (values).
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from api.assertions.encoding import b64url_decode, b64url_encode
from api.assertions.errors import AssertionMalformedError
from api.assertions.status_errors import (
    StatusIndexOutOfRangeError,
    StatusListMalformedError,
    StatusListTooLargeError,
    StatusReferenceMalformedError,
    StatusValueUnknownError,
)

BITS = 2
"""What three statuses need."""
MAX_ARRAY_BYTES = 4 << 20
"""16 million entries of two bits: far above what one list of ours has (2^20)."""


class Status(IntEnum):
    """Status of one assertion (§7.1)."""

    VALID = 0
    INVALID = 1
    """Revoked, for good."""
    SUSPENDED = 2
    """Not valid for now."""


@dataclass(frozen=True)
class StatusReference:
    """Where an assertion's status is to be found."""

    idx: int
    """From 0."""
    uri: str
    """Of the list: the `sub` of its token, compared exactly."""

    def to_claim(self) -> dict[str, Any]:
        """Return the value of the claim `status`."""
        return {"status_list": {"idx": self.idx, "uri": self.uri}}

    @classmethod
    def from_payload(cls, payload: Mapping[str, Any]) -> "StatusReference | None":
        """Read the reference of an assertion's payload; None where it has no `status`.

        Raises:
            StatusReferenceMalformedError: `status` names no place in a status list.
        """
        if "status" not in payload:
            return None
        status = payload["status"]
        reference = status.get("status_list") if isinstance(status, Mapping) else None
        if isinstance(reference, Mapping):
            idx, uri = reference.get("idx"), reference.get("uri")
            if type(idx) is int and idx >= 0 and isinstance(uri, str) and uri:
                return cls(idx, uri)
        raise StatusReferenceMalformedError("the assertion names no place in a status list")


@dataclass(frozen=True)
class StatusArray:
    """Statuses packed into bytes, the lowest bits of a byte first (§4.1)."""

    packed: bytes = field(repr=False)
    bits: int = BITS
    """1, 2, 4 or 8 a status."""

    def __post_init__(self) -> None:
        if type(self.bits) is not int or self.bits not in (1, 2, 4, 8):
            raise StatusListMalformedError("a status has 1, 2, 4 or 8 bits")
        if not self.packed:
            raise StatusListMalformedError("the list holds no status")

    @classmethod
    def of_valid(cls, size: int, bits: int = BITS) -> "StatusArray":
        """Return an array of at least `size` statuses, all `VALID`."""
        return cls(bytes(-(-size * bits // 8)), bits)

    @property
    def size(self) -> int:
        """How many statuses it holds."""
        return len(self.packed) * 8 // self.bits

    def get(self, idx: int) -> int:
        """Return one status as its number.

        Raises:
            StatusIndexOutOfRangeError: the array does not reach so far.
        """
        byte, shift = self._place(idx)
        return self.packed[byte] >> shift & self._mask

    def set(self, idx: int, status: int) -> "StatusArray":
        """Return the array with one status changed.

        Raises:
            StatusIndexOutOfRangeError: the array does not reach so far.
            StatusValueUnknownError: the number does not fit into the bits.
        """
        return self.changed({idx: status})

    def changed(self, statuses: Mapping[int, int]) -> "StatusArray":
        """Return the array with some statuses changed, by index (raises what `set` raises)."""
        packed = bytearray(self.packed)
        for idx, status in statuses.items():
            if not 0 <= status <= self._mask:
                raise StatusValueUnknownError(f"{self.bits} bits hold no such status")
            byte, shift = self._place(idx)
            packed[byte] = packed[byte] & ~(self._mask << shift) | status << shift
        return StatusArray(bytes(packed), self.bits)

    def encode(self) -> dict[str, Any]:
        """Return the claim `status_list`: how many bits, and the array compressed (§4.2)."""
        return {"bits": self.bits, "lst": b64url_encode(zlib.compress(self.packed, 9))}

    @classmethod
    def decode(cls, claim: Any) -> "StatusArray":
        """Read the claim `status_list`, inflating no more than `MAX_ARRAY_BYTES`.

        Raises:
            StatusListMalformedError: it is none.
            StatusListTooLargeError: what it holds is larger.
        """
        if not isinstance(claim, Mapping) or not isinstance(claim.get("lst"), str):
            raise StatusListMalformedError("status_list must hold bits and lst")
        try:
            compressed = b64url_decode(claim["lst"])
        except AssertionMalformedError:
            raise StatusListMalformedError("lst is not base64url") from None
        return cls(_inflate(compressed), claim.get("bits", 0))

    @property
    def _mask(self) -> int:
        return (1 << self.bits) - 1

    def _place(self, idx: int) -> tuple[int, int]:
        """Return byte and shift of an index."""
        if not 0 <= idx < self.size:
            raise StatusIndexOutOfRangeError("the status list does not reach to this index")
        byte, place = divmod(idx, 8 // self.bits)
        return byte, place * self.bits


def _inflate(compressed: bytes) -> bytes:
    """Inflate one zlib stream, whole, with nothing behind it (RFC 1950), within bounds."""
    stream = zlib.decompressobj()
    try:
        packed = stream.decompress(compressed, MAX_ARRAY_BYTES + 1)
    except zlib.error:
        raise StatusListMalformedError("lst is not compressed by zlib") from None
    if len(packed) > MAX_ARRAY_BYTES:
        raise StatusListTooLargeError("the status list inflates to more than it may")
    if not stream.eof or stream.unused_data:
        raise StatusListMalformedError("lst is not one whole zlib stream")
    return packed
