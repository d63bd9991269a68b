"""Face image data blocks of ISO/IEC 39794-5:2019: ASN.1 in DER, every field with a context tag.

FaceImageDataBlock [APPLICATION 5] { version [0], representationBlocks [1] SEQUENCE OF {
representationId [0], imageRepresentation [1] { base [0] { imageRepresentation2DBlock [0] {
representationData2D [0] OCTET STRING, imageInformation2DBlock [1], captureDevice2DBlock [2] } } },
…, captureDeviceBlock [7], identityMetadataBlock [8], landmarkBlocks [9] } }

Extensions that are not known are passed over.

Source: ISO/IEC 39794-5:2019, annex A.1; ISO/IEC 39794-1:2019, annex A.
"""

from devices.emrtd.errors import FileMalformedError
from devices.emrtd.lds.face_image import MAX_FACES, SOURCES, FaceImage
from devices.emrtd.lds.images import parse_image
from devices.tlv import Tlv, find_tlv, parse_tlvs

_DATA_BLOCK = 0x65
_CONTEXT_PRIMITIVE, _CONTEXT_CONSTRUCTED = 0x80, 0xA0
_IMAGE_KINDS = {0: "mrtd", 1: "general-purpose"}
_COLOUR_SPACES = {
    1: "other",
    2: "rgb-24",
    3: "rgb-48",
    4: "yuv-422",
    5: "grey-8",
    6: "grey-16",
}


def parse_39794_faces(block: bytes) -> list[FaceImage]:
    """Return the images of a biometric data block.

    Raises:
        TlvMalformedError, FileMalformedError: it is malformed, has more than 16 representations,
            or an image is in no format that Doc 9303 allows.
    """
    elements = parse_tlvs(block)
    # Doc 9303-10, 4.7.2: DO'A1' in DO'7F2E'; some issuers leave it out.
    if elements and elements[0].tag == _constructed(1):
        elements = elements[0].children()
    representations = find_tlv(elements, _DATA_BLOCK).child(_constructed(1)).children()
    if not 1 <= len(representations) <= MAX_FACES:
        raise FileMalformedError("a face block of DG2 holds no representation or too many")
    return [_parse_representation(representation) for representation in representations]


def _parse_representation(representation: Tlv) -> FaceImage:
    parts = representation.children()
    image_block = find_tlv(parts, _constructed(1)).child(_constructed(0)).child(_constructed(0))
    fields = image_block.children()
    image = parse_image(find_tlv(fields, _primitive(0)).value)
    information = _optional(fields, 1)
    size = _optional(information, 7)
    return FaceImage(
        **vars(image),
        record_format="ISO/IEC 39794-5",
        record_width_px=_number(size, 0),
        record_height_px=_number(size, 1),
        image_type=_IMAGE_KINDS.get(_code(information, 1)),
        colour_space=_COLOUR_SPACES.get(_code(information, 9)),
        source=SOURCES.get(_code(_optional(fields, 2), 1)),
        device_type=None,
        feature_points=len(_optional(parts, 9)),
    )


def _primitive(number: int) -> int:
    return _CONTEXT_PRIMITIVE | number


def _constructed(number: int) -> int:
    return _CONTEXT_CONSTRUCTED | number


def _optional(elements: tuple[Tlv, ...], number: int) -> tuple[Tlv, ...]:
    """Return the parts of the optional field `number`; none if it is absent."""
    found = next((e for e in elements if e.tag == _constructed(number)), None)
    return () if found is None else found.children()


def _number(elements: tuple[Tlv, ...], number: int) -> int | None:
    """Return the INTEGER or ENUMERATED in field `number`, or None."""
    found = next((e.value for e in elements if e.tag == _primitive(number)), b"")
    return int.from_bytes(found, "big") if 1 <= len(found) <= 4 else None


def _code(elements: tuple[Tlv, ...], number: int) -> int:
    """Return the code in field `number`, or -1.

    39794-1: a CHOICE of code [0] and extension [1], which holds a code to fall back on in [0].
    """
    choice = _optional(elements, number)
    for candidates in (choice, _optional(choice, 1)):
        code = _number(candidates, 0)
        if code is not None:
            return code
    return -1
