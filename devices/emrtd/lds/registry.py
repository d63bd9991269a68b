"""Which parser a file of the chip has, so that each can be decoded as soon as it is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from devices.emrtd.errors import FileMalformedError, FileUnsupportedError
from devices.emrtd.evidence import MAX_FILE_BYTES
from devices.emrtd.lds.atr_info import parse_atr_info
from devices.emrtd.lds.card_security import parse_card_security
from devices.emrtd.lds.com import parse_com
from devices.emrtd.lds.data_groups import parse_dg1, parse_dg3, parse_dg4, parse_dg14, parse_dg15
from devices.emrtd.lds.dg13 import parse_dg13
from devices.emrtd.lds.dir import parse_dir
from devices.emrtd.lds.displayed_images import parse_dg5, parse_dg7
from devices.emrtd.lds.document_details import parse_dg12
from devices.emrtd.lds.faces import parse_dg2
from devices.emrtd.lds.personal_details import parse_dg11
from devices.emrtd.lds.persons_to_notify import parse_dg16
from devices.emrtd.lds.security_infos import parse_security_infos
from devices.emrtd.lds.sod import parse_sod

PARSERS: Mapping[str, Callable[[bytes], object]] = MappingProxyType(
    {
        "EF.CardAccess": parse_security_infos,
        "EF.CardSecurity": parse_card_security,
        "EF.ATR/INFO": parse_atr_info,
        "EF.DIR": parse_dir,
        "EF.COM": parse_com,
        "EF.SOD": parse_sod,
        "EF.DG1": parse_dg1,
        "EF.DG2": parse_dg2,
        "EF.DG3": parse_dg3,
        "EF.DG4": parse_dg4,
        "EF.DG5": parse_dg5,
        "EF.DG7": parse_dg7,
        "EF.DG11": parse_dg11,
        "EF.DG12": parse_dg12,
        "EF.DG13": parse_dg13,
        "EF.DG14": parse_dg14,
        "EF.DG15": parse_dg15,
        "EF.DG16": parse_dg16,
    }
)
"""File name to parser; what it returns is the parser's own type."""


@dataclass(frozen=True)
class ParsedFile:
    """A file of the chip: what was read, and what it says."""

    name: str
    """The standard's name: `EF.DG1`."""
    raw: bytes = field(repr=False)
    """The file as read; hashes are over these bytes."""
    content: object = field(repr=False)
    """What the file's parser returns."""


def parse_file(name: str, data: bytes) -> ParsedFile:
    """Parse the file `name` as read.

    Raises:
        FileUnsupportedError: this software does not know the content of such a file (DG6 and DG8
            to DG10 among them).
        FileMalformedError: it is longer than 1 MiB.
        DeviceError: what its parser raises.
    """
    parser = PARSERS.get(name)
    if parser is None:
        raise FileUnsupportedError(f"{name[:20]} is not a file that this software parses")
    if len(data) > MAX_FILE_BYTES:
        raise FileMalformedError(f"{name} is larger than any chip's file")
    return ParsedFile(name, data, parser(data))
