"""Cards at rest: saved, loaded, cloned, damaged."""

import json
from dataclasses import replace

import pytest

from devices.simulator.agreement_keys import AgreementKeyPair
from devices.simulator.errors import CardImageInvalidError
from devices.simulator.image import CardImage
from devices.simulator.keys import load_key
from devices.simulator.personalise import personalise
from devices.simulator.profile import parse_profile


def test_a_saved_card_is_loaded_as_it_was(image, tmp_path):
    image.save(tmp_path / "card")
    assert CardImage.load(tmp_path / "card") == image


def test_the_trust_folder_holds_the_csca_alone(image, tmp_path):
    image.save(tmp_path)
    assert [path.name for path in (tmp_path / "trust").iterdir()] == ["csca.pem"]


def test_a_new_card_replaces_the_old_one_whole(image, tmp_path):
    image.save(tmp_path)
    files = {name: content for name, content in image.files.items() if name != "EF.DG2"}
    without = replace(image, files=files, aa_key=None)
    without.save(tmp_path)
    assert CardImage.load(tmp_path) == without


def test_a_folder_with_other_things_is_left_alone(image, tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(CardImageInvalidError, match="not empty"):
        image.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_file_is_no_folder(image, tmp_path):
    (tmp_path / "card").write_text("")
    with pytest.raises(CardImageInvalidError):
        image.save(tmp_path / "card")
    with pytest.raises(CardImageInvalidError):
        CardImage.load(tmp_path / "card")


def test_a_clone_has_the_files_but_not_the_keys(image):
    clone = image.cloned()
    assert clone.files == image.files
    mine, theirs = load_key(image.aa_key), load_key(clone.aa_key)
    assert type(mine) is type(theirs)
    assert mine.public_key_info() != theirs.public_key_info()
    (mine,), (theirs,) = (map(AgreementKeyPair.load, card.ca_keys) for card in (image, clone))
    assert mine.parameter_id == theirs.parameter_id
    assert mine.public_key_info() != theirs.public_key_info()


def test_nothing_secret_is_printable(image):
    text = repr(image)
    assert "123456" not in text
    assert "NGUYEN" not in text


@pytest.mark.parametrize(
    "path", ["card.json", "files/EF.SOD.bin", "files/EF.CardAccess.bin", "trust/csca.pem"]
)
def test_a_missing_part_is_noticed(image, tmp_path, path):
    image.save(tmp_path)
    (tmp_path / path).unlink()
    with pytest.raises(CardImageInvalidError):
        CardImage.load(tmp_path)


@pytest.mark.parametrize("path", ["card.json", "keys/aa.der", "keys/ca-1.der", "trust/csca.pem"])
@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"[" * 100_000, b"{}", b"\x30\x03\x02\x01"])
def test_a_damaged_part_is_noticed(image, tmp_path, path, content):
    image.save(tmp_path)
    (tmp_path / path).write_bytes(content)
    with pytest.raises(CardImageInvalidError):
        CardImage.load(tmp_path)


@pytest.mark.parametrize(
    "change", [{"format": 1}, {"can": 5}, {"access": "pace"}, {"quirks": ["x"]}, {"more": 1}]
)
def test_a_description_out_of_shape_is_noticed(image, tmp_path, change):
    image.save(tmp_path)
    description = json.loads((tmp_path / "card.json").read_text())
    (tmp_path / "card.json").write_text(json.dumps(description | change))
    with pytest.raises(CardImageInvalidError):
        CardImage.load(tmp_path)


def test_a_mapping_that_bac_alone_leaves_unused_asks_for_no_key(table, pki, tmp_path):
    table["chip"] |= {"access": ["bac"], "pace": [{"mapping": "cam"}], "chip_authentication": False}
    image = personalise(parse_profile(table), pki=pki)
    image.save(tmp_path)
    assert CardImage.load(tmp_path) == image


@pytest.mark.parametrize(
    "change", [{"pace": [{"mapping": "cam"}]}, {"chip_authentication": [{}, {}]}]
)
def test_keys_that_do_not_fit_the_protocols_are_noticed(image, tmp_path, change):
    image.save(tmp_path)
    description = json.loads((tmp_path / "card.json").read_text())
    (tmp_path / "card.json").write_text(json.dumps(description | change))
    with pytest.raises(CardImageInvalidError):
        CardImage.load(tmp_path)
