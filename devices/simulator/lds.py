"""The logical data structure: names and identifiers of files, EF.COM, DG1, DG3.

Source: ICAO Doc 9303-10.
"""

import secrets
from dataclasses import dataclass

from devices.simulator import tlv

APPLICATION = bytes.fromhex("A0000002471001")
MASTER_FILE = 0x3F00

_DATA_GROUP_TAGS = bytes.fromhex("61 75 63 76 65 66 67 68 69 6A 6B 6C 6D 6E 6F 70")


@dataclass(frozen=True)
class ElementaryFile:
    """Where a file lives."""

    fid: int
    sfi: int


MASTER_FILES = {
    "EF.CardAccess": ElementaryFile(0x011C, 0x1C),
    "EF.CardSecurity": ElementaryFile(0x011D, 0x1D),
    "EF.ATR": ElementaryFile(0x2F01, 0x01),
    "EF.DIR": ElementaryFile(0x2F00, 0x1E),
}
"""Files below the master file; EF.ATR is EF.ATR/INFO.

Source: ICAO Doc 9303-10 §3.11.
"""

APPLICATION_FILES = {
    "EF.COM": ElementaryFile(0x011E, 0x1E),
    "EF.SOD": ElementaryFile(0x011D, 0x1D),
} | {f"EF.DG{n}": ElementaryFile(0x0100 + n, n) for n in range(1, 17)}
"""Files of the eMRTD application.

Source: ICAO Doc 9303-10 §3.11, table 34.
"""


def data_group_name(number: int) -> str:
    """Return the file name of a data group."""
    return f"EF.DG{number}"


def build_com(data_groups: list[int]) -> bytes:
    """Return EF.COM: LDS 1.7, Unicode 4.0.0, and the tags of the data groups.

    Source: ICAO Doc 9303-10 §4.6.1.
    """
    tags = bytes(_DATA_GROUP_TAGS[number - 1] for number in data_groups)
    return tlv.encode(
        0x60, tlv.encode(0x5F01, b"0107"), tlv.encode(0x5F36, b"040000"), tlv.encode(0x5C, tags)
    )


def build_dg1(mrz: str) -> bytes:
    """Return DG1.

    Source: ICAO Doc 9303-10 §4.7.1.
    """
    return tlv.encode(0x61, tlv.encode(0x5F1F, mrz.encode("ascii")))


def build_dg3(random_bytes: int = 16) -> bytes:
    """Return DG3 without a fingerprint: random data makes its hash say nothing.

    Source: ICAO Doc 9303-10 §4.7.3.1 (zero instances).
    """
    random = tlv.encode(0x53, secrets.token_bytes(random_bytes))
    group = tlv.encode(0x7F61, tlv.encode(0x02, b"\x00"), random)
    return tlv.encode(0x63, group)
