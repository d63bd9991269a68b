"""Passive Authentication: the data groups that were read are the ones that the issuer signed.

Source: ICAO Doc 9303-11, 5.1; 9303-12, 8.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from devices.emrtd.errors import AuthenticationRefusedError
from devices.emrtd.lds.sod import VerifiedSod

_SEALED = object()


@dataclass(frozen=True)
class VerifiedDataGroups:
    """Data groups whose bytes the signed hashes cover; only `verify_data_groups` makes them."""

    files: Mapping[int, bytes] = field(repr=False)
    """Number to file as read."""
    _seal: object = field(repr=False)

    def __post_init__(self) -> None:
        if self._seal is not _SEALED:
            raise TypeError("VerifiedDataGroups come from verify_data_groups only")

    @property
    def numbers(self) -> tuple[int, ...]:
        """Numbers of the verified data groups, ascending."""
        return tuple(sorted(self.files))


def verify_data_groups(sod: VerifiedSod, files: Mapping[int, bytes]) -> VerifiedDataGroups:
    """Verify the hash of every data group that was read; one that differs spoils all.

    Args:
        sod: the verified document security object.
        files: number to file as read.

    Raises:
        AuthenticationRefusedError: `dg-missing` (none, or no DG1), `dg-not-in-sod` or
            `dg-hash-mismatch`.
    """
    if 1 not in files:
        raise AuthenticationRefusedError("dg-missing", "DG1 was not read, so nothing is proven")
    for number, data in files.items():
        if number not in sod.sod.hashes:
            raise AuthenticationRefusedError(
                "dg-not-in-sod", f"DG{number} was read but the issuer did not sign it"
            )
        if not sod.covers(number, data):
            raise AuthenticationRefusedError(
                "dg-hash-mismatch", f"DG{number} differs from what the issuer signed"
            )
    return VerifiedDataGroups(dict(files), _SEALED)
