"""Every published specimen file parses, says what it is known to say, and is kept as read.

Data: `chip/` of the test data, whose SOURCES.md names origin and licence of each file.
"""

import io
from pathlib import Path

import pytest
from PIL import Image

from devices.emrtd.errors import TerminalAuthenticationRequiredError
from devices.emrtd.lds import Dg11, Dg12, parse_dg2, parse_dg5, parse_dg7, parse_file
from devices.emrtd.lds.face_records import parse_19794_faces

FILES = {
    "EF.COM": ("bsi2008/EF_COM.bin", "loes2006/ef011E.bin"),
    "EF.SOD": ("bsi2008/EF_SOD.bin", "loes2006/ef011D.bin"),
    "EF.DG1": ("bsi2008/Datagroup1.bin", "loes2006/ef0101.bin"),
    "EF.DG2": (
        "bsi2008/Datagroup2.bin",
        "loes2006/ef0102.bin",
        "dg2_iso39794/dg2_silver_all_fields.bin",
        "dg2_iso39794/dg2_silver_mandatory_fields.bin",
    ),
    "EF.DG5": ("bsi2008_extra_tsemrtd/EF_DG5.bin",),
    "EF.DG7": ("bsi2008_extra_tsemrtd/EF_DG7.bin",),
    "EF.DG11": ("bsi2008_extra_tsemrtd/EF_DG11.bin",),
    "EF.DG12": ("bsi2008_extra_tsemrtd/EF_DG12.bin",),
    "EF.DG14": ("bsi2008/Datagroup14.bin",),
    "EF.DG15": ("bsi2008/Datagroup15.bin", "loes2006/ef010F.bin"),
    "EF.CardSecurity": ("efcardsecurity/efcardsecurity.dump",),
}


@pytest.mark.parametrize(
    ("name", "path"), [(name, path) for name, paths in FILES.items() for path in paths]
)
def test_each_file_parses_and_is_kept_as_read(test_data: Path, name: str, path: str) -> None:
    data = (test_data / "chip" / path).read_bytes()
    parsed = parse_file(name, data)
    assert parsed.raw == data
    assert parsed.content


@pytest.mark.parametrize(("name", "file"), [("EF.DG3", "3"), ("EF.DG4", "4")])
def test_fingers_and_irises_are_refused(test_data: Path, name: str, file: str) -> None:
    data = (test_data / f"chip/bsi2008/Datagroup{file}.bin").read_bytes()
    with pytest.raises(TerminalAuthenticationRequiredError):
        parse_file(name, data)


@pytest.mark.parametrize("path", FILES["EF.DG2"])
def test_a_face_is_as_large_as_its_decoder_finds_it(test_data: Path, path: str) -> None:
    (face,) = parse_dg2((test_data / "chip" / path).read_bytes())
    with Image.open(io.BytesIO(face.data)) as image:
        assert image.size == (face.width_px, face.height_px)
        assert Image.MIME[image.format or ""] == face.media_type


def test_a_record_may_say_another_size_than_its_picture_has(test_data: Path) -> None:
    (face,) = parse_dg2((test_data / "chip/bsi2008/Datagroup2.bin").read_bytes())
    assert (face.width_px, face.height_px) == (413, 531)
    assert (face.record_width_px, face.record_height_px) == (0x151, 0x1C1)
    assert face.image_type == "full-frontal"


def test_what_the_silver_set_says_of_its_face(test_data: Path) -> None:
    folder = test_data / "chip/dg2_iso39794"
    (full,) = parse_dg2((folder / "dg2_silver_all_fields.bin").read_bytes())
    assert (full.record_format, full.image_type) == ("ISO/IEC 39794-5", "mrtd")
    assert (full.colour_space, full.source) == ("rgb-24", "photograph-digital-camera")
    assert (full.record_width_px, full.record_height_px) == (572, 731)
    assert full.feature_points == 1
    (least,) = parse_dg2((folder / "dg2_silver_mandatory_fields.bin").read_bytes())
    assert (least.image_type, least.colour_space, least.source) == (None, None, None)
    assert full.data == least.data == (folder / "silver.jp2").read_bytes()


def test_iso_19794_face_is_the_published_picture(test_data: Path) -> None:
    folder = test_data / "chip/iso19794"
    (face,) = parse_19794_faces((folder / "ISO19794_Test1_Data.bin").read_bytes())
    assert face.data == (folder / "ISO19794_Test1_Face.jpg").read_bytes()
    assert (face.image_type, face.width_px, face.record_width_px) == ("token-frontal", 148, 148)


def test_displayed_portrait_and_signature(test_data: Path) -> None:
    folder = test_data / "chip/bsi2008_extra_tsemrtd"
    (portrait,) = parse_dg5((folder / "EF_DG5.bin").read_bytes())
    (signature,) = parse_dg7((folder / "EF_DG7.bin").read_bytes())
    for image, size in ((portrait, (413, 531)), (signature, (550, 142))):
        assert (image.media_type, image.width_px, image.height_px) == ("image/jp2", *size)


def test_details_of_person_and_document(test_data: Path) -> None:
    folder = test_data / "chip/bsi2008_extra_tsemrtd"
    person = parse_file("EF.DG11", (folder / "EF_DG11.bin").read_bytes()).content
    assert isinstance(person, Dg11)
    assert (person.full_name, person.other_names) == ("Doe John", ("William",))
    assert (person.date_of_birth, person.place_of_birth) == ("19700101", ("TEST", "TEST"))
    assert person.other_travel_documents == ("123", "123")
    document = parse_file("EF.DG12", (folder / "EF_DG12.bin").read_bytes()).content
    assert isinstance(document, Dg12)
    assert (document.issuing_authority, document.date_of_issue) == ("TEST", "20240101")
    assert document.personalisation_time == "20240101123059"
