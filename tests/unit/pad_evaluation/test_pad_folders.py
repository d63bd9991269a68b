"""Which presentations a folder holds, and of which species."""

import json
import os
import random

import pytest

from biometrics.challenge import choose_challenge
from biometrics.pad_evaluation.errors import PadDataInvalidError
from biometrics.pad_evaluation.folders import find_items, read_notes

CHALLENGE = choose_challenge(random.Random(1))


@pytest.fixture
def root(tmp_path):
    def put(*names):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"picture")
        return tmp_path

    return put


def found(folder):
    return [(item.species, item.item, len(item.paths)) for item in find_items(folder)]


def test_pictures_and_folders_of_frames_are_presentations(root):
    folder = root("real/a.jpg", "print/01/0.jpg", "print/01/1.jpg", "print/b.png")
    assert found(folder) == [
        ("bona-fide", "real/a.jpg", 1),
        ("print", "print/01", 2),
        ("print", "print/b.png", 1),
    ]


@pytest.mark.parametrize("name", ["bona-fide", "real", "live", "Bona_Fide", "LIVE"])
def test_living_people_have_several_names(root, name):
    assert found(root(f"{name}/x.jpg"))[0][0] == "bona-fide"


def test_species_below_spoof_are_species(root):
    folder = root("spoof/Bent Print/a.jpg", "spoof/tablet/seq/0.jpg", "live/x.jpg")
    assert [species for species, _, _ in found(folder)] == ["bent-print", "bona-fide", "tablet"]


def test_numbered_folders_below_spoof_are_captures(root):
    folder = root("spoof/001/0.jpg", "spoof/002/0.jpg")
    assert found(folder) == [("spoof", "spoof/001", 1), ("spoof", "spoof/002", 1)]


def test_a_person_s_folder_among_living_people_is_a_capture_not_a_species(root):
    assert found(root("live/anna/0.jpg", "live/anna/1.jpg")) == [("bona-fide", "live/anna", 2)]


def test_data_sets_beside_each_other_keep_their_species_apart(root):
    folder = root("one/real/a.jpg", "one/spoof/b.jpg", "two/real/c.jpg", "two/spoof/d.jpg")
    assert [species for species, _, _ in found(folder)] == [
        "bona-fide",
        "bona-fide",
        "one-spoof",
        "two-spoof",
    ]


def test_hidden_folders_and_other_files_are_left_alone(root):
    assert found(root("real/a.jpg", "real/.b/c.jpg", ".git/x.jpg", "real/notes.txt")) == [
        ("bona-fide", "real/a.jpg", 1)
    ]


def test_a_folder_without_presentations_is_refused(root):
    with pytest.raises(PadDataInvalidError, match="no presentation"):
        find_items(root("notes.txt"))


def test_a_missing_folder_and_a_file_are_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for name in ("missing", "file"):
        with pytest.raises(PadDataInvalidError):
            find_items(tmp_path / name)


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_a_link_to_its_own_parent_ends(root):
    folder = root("set/real/a.jpg", "set/spoof/b.jpg")
    (folder / "set" / "again").symlink_to(folder / "set")
    assert len(found(folder)) < 20


def noted(root, text):
    folder = root("real/1/0.jpg", "real/1/1.jpg")
    (folder / "real/1/capture.json").write_text(text)
    return read_notes(find_items(folder)[0])


def test_notes_tell_challenge_times_and_simulation(root):
    record = {"challenge": CHALLENGE.to_dict(), "t_ms": [0, 83.5], "simulated": True}
    notes = noted(root, json.dumps(record))
    assert notes.challenge == CHALLENGE
    assert notes.times_ms == (0.0, 83.5)
    assert notes.simulated


def test_without_notes_there_is_no_challenge(root):
    notes = read_notes(find_items(root("real/1/0.jpg"))[0])
    assert notes.challenge is None
    assert not notes.simulated


def test_the_mark_of_rendered_frames_is_heeded(root):
    folder = root("real/1/0.jpg", "real/1/simulated.json")
    assert read_notes(find_items(folder)[0]).simulated


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"t_ms": [0]}',
        '{"t_ms": [0, true]}',
        '{"t_ms": [0, "1"]}',
        '{"t_ms": 1}',
        '{"t_ms": [0, 1], "challenge": {"version": 2}}',
        '{"t_ms": [0, 1], "challenge": 7}',
        "[" * 100_000,
    ],
)
def test_malformed_notes_are_refused(root, text):
    with pytest.raises(PadDataInvalidError):
        noted(root, text)
