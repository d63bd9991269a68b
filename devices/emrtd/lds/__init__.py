"""Data groups of the logical data structure and its common data.

One module a data group or kind of content; parsers take the file as read and never change it,
since hashes are over the raw bytes. `registry.parse_file` finds the parser by the file's name.

Source: ICAO Doc 9303-10, 4.6 and 4.7.
"""

from devices.emrtd.lds.com import Com, parse_com
from devices.emrtd.lds.data_groups import parse_dg1, parse_dg3, parse_dg4, parse_dg14, parse_dg15
from devices.emrtd.lds.displayed_images import parse_dg5, parse_dg7
from devices.emrtd.lds.document_details import Dg12, parse_dg12
from devices.emrtd.lds.faces import FaceImage, parse_dg2
from devices.emrtd.lds.images import EncodedImage
from devices.emrtd.lds.personal_details import Dg11, parse_dg11
from devices.emrtd.lds.persons_to_notify import PersonToNotify, parse_dg16
from devices.emrtd.lds.registry import PARSERS, ParsedFile, parse_file

__all__ = [
    "PARSERS",
    "Com",
    "Dg11",
    "Dg12",
    "EncodedImage",
    "FaceImage",
    "ParsedFile",
    "PersonToNotify",
    "parse_com",
    "parse_dg1",
    "parse_dg2",
    "parse_dg3",
    "parse_dg4",
    "parse_dg5",
    "parse_dg7",
    "parse_dg11",
    "parse_dg12",
    "parse_dg14",
    "parse_dg15",
    "parse_dg16",
    "parse_file",
]
