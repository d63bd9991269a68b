"""EF.COM: which data groups the chip holds; not signed, so nothing is decided by it.

Source: ICAO Doc 9303-10, 4.6.1.
"""

import re
from dataclasses import dataclass

from devices.emrtd.errors import FileMalformedError
from devices.emrtd.files import COM, DATA_GROUP_BY_TAG
from devices.tlv import Tlv, parse_tlv

_LDS_VERSION, _UNICODE_VERSION, _DATA_GROUP_LIST = 0x5F01, 0x5F36, 0x5C


@dataclass(frozen=True)
class Com:
    """What EF.COM says."""

    lds_version: str | None
    """`1.7`, `1.8`; None where the file leaves it out."""
    unicode_version: str | None
    """`4.0.0`; None where the file leaves it out."""
    data_groups: tuple[int, ...]
    """Numbers of the data groups, in the order of the file; at least one."""


def parse_com(data: bytes) -> Com:
    """Return the content of EF.COM.

    Raises:
        TlvMalformedError, FileMalformedError: the file is malformed, or lists no data group or an
            unknown one.
    """
    elements = parse_tlv(data, COM.tag).children()
    texts = {element.tag: element for element in elements}
    tags = texts[_DATA_GROUP_LIST].value if _DATA_GROUP_LIST in texts else b""
    if not tags or len(set(tags)) < len(tags) or not all(tag in DATA_GROUP_BY_TAG for tag in tags):
        raise FileMalformedError("EF.COM lists no data group, an unknown one, or one twice")
    return Com(
        lds_version=_version(texts.get(_LDS_VERSION), parts=2),
        unicode_version=_version(texts.get(_UNICODE_VERSION), parts=3),
        data_groups=tuple(DATA_GROUP_BY_TAG[tag] for tag in tags),
    )


def _version(element: Tlv | None, parts: int) -> str | None:
    """Return `0107` as `1.7`: two digits a part."""
    if element is None:
        return None
    if not re.fullmatch(rb"[0-9]+", element.value) or len(element.value) != 2 * parts:
        raise FileMalformedError("a version in EF.COM is malformed")
    digits = element.value.decode("ascii")
    return ".".join(str(int(digits[n : n + 2])) for n in range(0, 2 * parts, 2))
