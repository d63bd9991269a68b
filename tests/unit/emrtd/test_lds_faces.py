"""DG2 in both record formats: several faces, what the record says of them, lengths that lie."""

import io

import pytest
from PIL import Image

from devices.emrtd.errors import FileMalformedError
from devices.emrtd.lds import FaceImage, parse_dg2
from devices.errors import DeviceError
from devices.tlv import encode_tlv


def _picture(width: int, form: str = "JPEG", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, 2 * width), (90, 80, 70)).save(buffer, form, **options)
    return buffer.getvalue()


FIRST, SECOND = _picture(20), _picture(30, "JPEG2000")


def _face(image: bytes, *, points: int = 0, length: int | None = None) -> bytes:
    header = points.to_bytes(2, "big") + bytes(14) + bytes(8 * points)
    size = (31).to_bytes(2, "big") + (41).to_bytes(2, "big")
    information = b"\x01\x00" + size + b"\x01\x02" + (0x0102).to_bytes(2, "big") + bytes(2)
    block = header + information + image
    return (length or len(block) + 4).to_bytes(4, "big") + block


def _record(*faces: bytes, count: int | None = None, length: int | None = None) -> bytes:
    body = b"".join(faces)
    size = (length or 14 + len(body)).to_bytes(4, "big")
    number = (len(faces) if count is None else count).to_bytes(2, "big")
    return b"FAC\x00010\x00" + size + number + body


def _dg2(*blocks: bytes, tag: int = 0x5F2E) -> bytes:
    count = encode_tlv(0x02, bytes([len(blocks)]))
    header = encode_tlv(0xA1, bytes.fromhex("8002010187020101880200 08"))
    templates = (encode_tlv(0x7F60, header + encode_tlv(tag, block)) for block in blocks)
    return encode_tlv(0x75, encode_tlv(0x7F61, count + b"".join(templates)))


def _block(*images: bytes, information: bytes = b"", more: bytes = b"") -> bytes:
    """Return a face image data block of ISO/IEC 39794-5."""
    representations = b""
    for number, image in enumerate(images):
        data = encode_tlv(0x80, image) + encode_tlv(0xA1, b"\xa0\x03\x80\x01\x02" + information)
        nested = encode_tlv(0xA1, encode_tlv(0xA0, encode_tlv(0xA0, data)))
        representations += encode_tlv(0x30, encode_tlv(0x80, bytes([number])) + nested + more)
    version = bytes.fromhex("a0078001038102 07e3")
    return encode_tlv(0xA1, encode_tlv(0x65, version + encode_tlv(0xA1, representations)))


def test_what_a_19794_record_says_of_its_face() -> None:
    (face,) = parse_dg2(_dg2(_record(_face(FIRST, points=3))))
    assert face == FaceImage(
        data=FIRST,
        media_type="image/jpeg",
        width_px=20,
        height_px=40,
        record_format="ISO/IEC 19794-5",
        record_width_px=31,
        record_height_px=41,
        image_type="full-frontal",
        colour_space="rgb-24",
        source="photograph-digital-camera",
        device_type=0x0102,
        feature_points=3,
    )


def test_several_faces_in_one_record_and_in_several_templates() -> None:
    both = _record(_face(FIRST), _face(SECOND, points=2))
    faces = parse_dg2(_dg2(both, _record(_face(SECOND))))
    assert [face.data for face in faces] == [FIRST, SECOND, SECOND]
    assert [face.media_type for face in faces] == ["image/jpeg", "image/jp2", "image/jp2"]


@pytest.mark.parametrize("length", [1, 200, 70_000, 0xFFFFFFFF])
def test_the_length_of_the_only_face_and_of_the_record_are_not_believed(length: int) -> None:
    record = _record(_face(FIRST, length=length), length=length)
    assert parse_dg2(_dg2(record + bytes(30)))[0].data == FIRST


@pytest.mark.parametrize("length", [1, 60, 70_000, 0xFFFFFFFF])
def test_the_length_of_one_of_several_faces_must_fit(length: int) -> None:
    with pytest.raises(FileMalformedError):
        parse_dg2(_dg2(_record(_face(FIRST, length=length), _face(SECOND))))


def test_representations_of_a_39794_block() -> None:
    size = encode_tlv(0xA7, bytes.fromhex("8002022281020333"))
    colour = encode_tlv(0xA9, b"\x80\x01\x05")
    kind = encode_tlv(0xA1, b"\xa1\x03\x80\x01\x01")
    landmarks = encode_tlv(0xA9, encode_tlv(0x30, b"\x80\x00") * 4)
    unknown = encode_tlv(0xBE, b"\x01\x02\x03")
    block = _block(FIRST, SECOND, information=kind + size + colour + unknown, more=landmarks)
    for tag in (0x7F2E, 0x5F2E):
        faces = parse_dg2(_dg2(block, tag=tag))
        assert [face.data for face in faces] == [FIRST, SECOND]
        assert {face.record_format for face in faces} == {"ISO/IEC 39794-5"}
        assert (faces[0].record_width_px, faces[0].record_height_px) == (0x222, 0x333)
        assert (faces[0].image_type, faces[0].colour_space) == ("general-purpose", "grey-8")
        assert (faces[0].feature_points, faces[0].source) == (4, None)


def test_padding_inside_the_record_is_not_part_of_the_picture() -> None:
    for padding in (bytes(64), b"\xff" * 64, b"\xa5" * 64):
        faces = parse_dg2(_dg2(_record(_face(SECOND + padding), _face(FIRST + padding))))
        assert [face.data for face in faces] == [SECOND, FIRST]


@pytest.mark.parametrize(
    "data",
    [
        _dg2(),
        _dg2(b""),
        _dg2(_record(count=0)),
        _dg2(_record(_face(FIRST), count=17)),
        _dg2(_record(_face(FIRST), count=2)),
        _dg2(_record(_face(FIRST)[:4] + b"\xff\xff" + _face(FIRST)[6:])),
        _dg2(_record(_face(b""))),
        _dg2(_record(_face(b"GIF89a"))),
        _dg2(*[_record(_face(FIRST))] * 17),
        _dg2(_block()),
        _dg2(_block(*[FIRST] * 17)),
        _dg2(_block(b"no picture")),
        encode_tlv(0x75, encode_tlv(0x7F61, encode_tlv(0x7F60, encode_tlv(0xA1, b"")))),
        encode_tlv(0x75, b""),
        encode_tlv(0x63, b""),
    ],
)
def test_malformed(data: bytes) -> None:
    with pytest.raises(DeviceError):
        parse_dg2(data)
