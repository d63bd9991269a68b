"""What the card's files hold, read by the parsers that readers have."""

import io
from datetime import date

import pytest
from PIL import Image

from devices.emrtd.lds.atr_info import parse_atr_info
from devices.emrtd.lds.dg13 import parse_dg13
from devices.emrtd.lds.dir import parse_dir
from devices.emrtd.lds.displayed_images import parse_dg5, parse_dg7
from devices.emrtd.lds.document_details import parse_dg12
from devices.emrtd.lds.faces import parse_dg2
from devices.emrtd.lds.mrz import parse_mrz
from devices.emrtd.lds.personal_details import parse_dg11
from devices.emrtd.lds.persons_to_notify import parse_dg16
from devices.emrtd.lds.security_infos import pace_infos, parse_security_infos
from devices.simulator import tlv
from devices.simulator.errors import FileSizeError, PortraitUnusableError, ProfileInvalidError
from devices.simulator.personalise import personalise
from devices.simulator.profile import parse_profile


@pytest.fixture
def make(table, picture, pki):
    """Return a function that makes the files of a card with changed sections."""

    # An RSA key for each card would take most of the time.
    table["chip"]["active_authentication"] = "none"

    def make(*, portrait=picture, without_number=False, **sections):
        for name, changes in sections.items():
            table.setdefault(name, {}).update(changes)
        if without_number:
            del table["person"]["number"]
        return personalise(parse_profile(table), portrait=portrait, pki=pki).files

    return make


@pytest.mark.parametrize("record", ["iso19794-5", "iso39794-5"])
@pytest.mark.parametrize(
    ("picture_format", "pillow", "magic"),
    [
        ("jp2", "JPEG2000", "0000000c6a502020"),
        ("j2k", "JPEG2000", "ff4fff51"),
        ("jpeg", "JPEG", "ffd8ff"),
    ],
)
@pytest.mark.parametrize("size", [None, 9001, 20000])
def test_a_portrait_of_each_format_record_and_size(
    make, record, picture_format, pillow, magic, size
):
    files = make(
        files={"portrait_format": picture_format, "portrait_record": record},
        file_sizes={} if size is None else {"EF.DG2": size},
    )
    if size is not None:
        assert len(files["EF.DG2"]) == size
    (face,) = parse_dg2(files["EF.DG2"])
    assert face.data.startswith(bytes.fromhex(magic))
    with Image.open(io.BytesIO(face.data)) as picture:
        assert (picture.format, picture.size) == (pillow, (480, 640))
        picture.load()


def test_several_faces_and_trailing_padding(make):
    quirks = {"quirks": ["portrait-trailing-padding"]}
    files = make(files={"faces": 3}, chip=quirks, file_sizes={"EF.DG2": 21000})
    assert len(files["EF.DG2"]) == 21000
    faces = parse_dg2(files["EF.DG2"])
    assert len(faces) == 3
    assert files["EF.DG2"].endswith(bytes(64))
    for face in faces:
        Image.open(io.BytesIO(face.data)).load()


@pytest.mark.parametrize("name", ["EF.DG2", "EF.SOD", "EF.DG3"])
def test_an_impossible_size_is_refused(make, name):
    with pytest.raises(FileSizeError, match="more than 5"):
        make(file_sizes={name: 5})


@pytest.mark.parametrize("sizes", [{"EF.DG1": 95}, {"EF.DG2": "x"}, {"EF.DG2": 2 << 20}])
def test_a_size_out_of_range_is_refused(make, sizes):
    with pytest.raises(ProfileInvalidError, match="file_sizes"):
        make(file_sizes=sizes)


def test_the_further_data_groups(make):
    files = make(
        files={"data_groups": [5, 7, 11, 12, 16]}, file_sizes={"EF.DG7": 6000, "EF.DG3": 300}
    )
    (shown,) = parse_dg5(files["EF.DG5"])
    assert shown.media_type == "image/jpeg"
    (signature,) = parse_dg7(files["EF.DG7"])
    Image.open(io.BytesIO(signature.data)).load()
    assert (len(files["EF.DG7"]), len(files["EF.DG3"])) == (6000, 300)
    details = parse_dg11(files["EF.DG11"])
    assert (details.personal_number, details.date_of_birth) == ("001190123456", "19900520")
    assert parse_dg12(files["EF.DG12"]).issuing_authority == "TEST AUTHORITY"
    (person,) = parse_dg16(files["EF.DG16"])
    assert person.name is not None
    tags = dict(tlv.parse(dict(tlv.parse(files["EF.COM"]))[0x60]))[0x5C]
    assert tags.hex() == "61756365676b6c6d6e70"


def test_dg5_needs_a_picture(make):
    with pytest.raises(PortraitUnusableError, match="DG5"):
        make(portrait=None, files={"data_groups": [5]})


def test_a_file_can_be_left_out(make):
    files = make(files={"omit": ["EF.COM"]})
    assert "EF.COM" not in files


@pytest.mark.parametrize("extended", [True, False])
def test_the_master_file_says_what_the_card_can_do(make, extended):
    files = make(
        chip={"extended_length": extended, "max_command_bytes": 1000, "max_response_bytes": 40000},
        files={"master_files": ["EF.ATR", "EF.DIR"]},
    )
    info = parse_atr_info(files["EF.ATR"])
    assert info.capabilities is not None
    assert info.capabilities.extended_length is extended
    sizes = (info.max_command_bytes, info.max_response_bytes)
    assert sizes == ((1000, 40000) if extended else (None, None))
    (application,) = parse_dir(files["EF.DIR"])
    assert application.identifier.hex().upper() == "A0000002471001"


DOCUMENT = {"issuer": "UTO", "nationality": "UTO", "number": "L898902C3"}


@pytest.mark.parametrize(
    ("document", "lines"),
    [
        # Doc 9303-4 appendix B.
        (
            DOCUMENT | {"format": "TD3", "optional_data": "ZE184226B"},
            "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
            "L898902C36UTO7408122F1204159ZE184226B<<<<<10",
        ),
        # Doc 9303-5 appendix B, with a number of thirteen characters: note j.
        (
            DOCUMENT | {"format": "TD1", "code": "I", "number": "D23145890734"},
            "I<UTOD23145890<7349<<<<<<<<<<<7408122F1204159UTO<<<<<<<<<<<6"
            "ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
        ),
        # Doc 9303-6 appendix B.
        (
            DOCUMENT | {"format": "TD2", "code": "I", "number": "D23145890"},
            "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<D231458907UTO7408122F1204159<<<<<<<6",
        ),
    ],
)
def test_the_specimens_of_doc_9303(make, document, lines):
    person = {
        "full_name": "Eriksson, Anna Maria",
        "date_of_birth": date(1974, 8, 12),
        "date_of_issue": date(2007, 4, 16),
        "date_of_expiry": date(2012, 4, 15),
    }
    files = make(without_number=True, person=person, document=document)
    assert files["EF.DG1"].decode("ascii").endswith(lines)
    parse_mrz(lines)
    assert "EF.DG13" not in files


@pytest.mark.parametrize(
    "document",
    [
        {"format": "TD3", "number": "1234567890"},
        {"format": "TD2", "number": "123456789", "optional_data": "12345678"},
        {"format": "TD1", "number": "1234567890123", "optional_data": "1" * 21},
        {"issuer": "vnm"},
        {"code": "1"},
    ],
)
def test_a_document_that_the_mrz_has_no_room_for_is_refused(make, document):
    with pytest.raises(ProfileInvalidError, match="document"):
        make(document=document)


def test_a_card_needs_a_number(make):
    with pytest.raises(ProfileInvalidError, match="must be given"):
        make(without_number=True)


def test_dg13_of_128_bytes(make):
    files = make(chip={"quirks": ["dg13-128-byte-strings"]})
    assert b"\x0c\x81\x80" in files["EF.DG13"]
    residence = parse_dg13(files["EF.DG13"]).place_of_residence
    assert residence is not None
    assert len(residence.encode()) == 128


def test_dg13_without_empty_fields(make):
    empty = {"father": "", "mother": "", "spouse": "", "identifying_marks": "", "old_number": ""}
    files = make(person=empty, chip={"quirks": ["dg13-absent-fields"]})
    assert parse_dg13(files["EF.DG13"]).identifying_marks is None
    # Fields 10, 13, 14 and 15 are not there at all.
    for number in (10, 13, 14, 15):
        assert bytes([0x02, 0x01, number]) not in files["EF.DG13"]


def test_surplus_bytes_follow_each_file(make):
    files = make(chip={"quirks": ["surplus-bytes-after-files"]})
    for content in files.values():
        assert content.endswith(bytes(16))
    assert files["EF.COM"].startswith(b"\x60")


def infos(dg14):
    return [
        tlv.encode(*part) for part in tlv.parse(dict(tlv.parse(dict(tlv.parse(dg14))[0x6E]))[0x31])
    ]


def test_dg14_out_of_order(make):
    unsorted = infos(make(chip={"quirks": ["dg14-unsorted"]})["EF.DG14"])
    assert unsorted != sorted(unsorted)
    assert len(unsorted) > 2


def test_dg14_disagrees_with_card_access(make):
    files = make(chip={"quirks": ["dg14-disagrees-with-card-access"]})
    offered = pace_infos(parse_security_infos(files["EF.CardAccess"]))
    announced = pace_infos(parse_security_infos(dict(tlv.parse(files["EF.DG14"]))[0x6E]))
    assert {info.oid for info in offered} < {info.oid for info in announced}


def test_dg15_with_a_modulus_that_lacks_its_00(make):
    plain = make(chip={"quirks": [], "active_authentication": "rsa-2048"})["EF.DG15"]
    odd = make(chip={"quirks": ["dg15-modulus-without-00"]})["EF.DG15"]
    assert b"\x02\x82\x01\x01\x00" in plain
    assert b"\x02\x82\x01\x00" in odd
    assert len(odd) == len(plain) - 1
