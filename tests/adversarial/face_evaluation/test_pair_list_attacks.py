"""Pair lists that are malformed, contradict themselves, or reach for other files."""

import os

import numpy as np
import pytest

from biometrics.evaluation import pairs as pairs_module
from biometrics.evaluation.errors import PairListInvalidError
from biometrics.evaluation.faces import check_size
from biometrics.evaluation.pairs import load_pairs


@pytest.fixture
def folder(tmp_path):
    base = tmp_path / "set"
    base.mkdir()
    for name in ("a_1.jpg", "a_2.jpg", "b_1.jpg", "b_2.jpg", "c_1.jpg"):
        (base / name).write_bytes(b"not looked at")
    (tmp_path / "secret.jpg").write_bytes(b"outside")
    return base


def load(folder, text, **keywords):
    data = text if isinstance(text, bytes) else text.encode()
    (folder / "pairs.csv").write_bytes(data)
    return load_pairs(folder / "pairs.csv", **keywords)


GOOD = "mated,reference,probe\n1,a_1.jpg,a_2.jpg\n0,a_1.jpg,b_1.jpg\n"


def test_a_good_list(folder):
    found = load(folder, GOOD)
    assert len(found) == 2
    assert found.folds == ("",)
    assert found.people_are_known
    assert found.people_count == 2


@pytest.mark.parametrize("text", [GOOD.replace("\n", "\r\n"), "\ufeff" + GOOD, GOOD.rstrip("\n")])
def test_lists_as_spreadsheets_write_them(folder, text):
    assert len(load(folder, text)) == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "line 1: the header lacks mated, reference, probe"),
        ("mated,reference,probe\n", "lists no pair"),
        ("mated,reference\n1,a_1.jpg\n", "line 1: the header lacks probe"),
        ("mated,reference,probe,flod\n1,a_1.jpg,a_2.jpg,1\n", "unknown column 'flod'"),
        ("mated,mated,reference,probe\n1,1,a_1.jpg,a_2.jpg\n", "names a column twice"),
        ("mated,reference,probe,probe_person\n1,a_1.jpg,a_2.jpg,a\n", "or neither"),
        ("mated,reference,probe\n1,a_1.jpg\n", "line 2: 2 fields, but the header names 3"),
        ("mated,reference,probe\n1,a_1.jpg,a_2.jpg,x\n", "line 2: 4 fields"),
        (GOOD + "\n", "line 4: 0 fields"),
        (GOOD + "2,a_1.jpg,b_2.jpg\n", "line 4: mated must be 1"),
        (GOOD + "true,a_1.jpg,b_2.jpg\n", "line 4: mated must be 1"),
        (GOOD + ",a_1.jpg,b_2.jpg\n", "line 4: mated is empty"),
        (GOOD + "0,a_1.jpg,\n", "line 4: probe is empty"),
        (GOOD + "1,a_1.jpg,a_1.jpg\n", "line 4: a picture is compared with itself"),
        (GOOD + "1,a_1.jpg,missing.jpg\n", "line 4: the picture is missing"),
        (GOOD + "0,a_1.jpg," + "x" * 2000 + "\n", "line 4: probe is empty, too long"),
        (GOOD + "0,a_1.jpg,b\x07.jpg\n", "line 4: probe is empty, too long or not printable"),
        (GOOD + "0,a_1.jpg,b\x00.jpg\n", "line 4"),
        (GOOD + '0,a_1.jpg,"b_1.jpg\n', "unexpected end of data"),
        (GOOD + '0,a_1.jpg,"b_1"x.jpg\n', "line "),
        (GOOD.encode() + b"0,a_1.jpg,\xff\n", "not text in UTF-8"),
        ("mated,reference,probe\n1,a_1.jpg,a_2.jpg\n0,a_2.jpg,a_1.jpg\n", "join them to one"),
        (
            "mated,reference,probe,reference_person,probe_person\n1,a_1.jpg,a_2.jpg,a,b\n",
            "line 2: mated contradicts the two people",
        ),
        (
            "mated,reference,probe,reference_person,probe_person\n"
            "1,a_1.jpg,a_2.jpg,a,a\n0,a_2.jpg,b_1.jpg,x,b\n",
            "line 3: a picture shows another person",
        ),
    ],
)
def test_malformed_lists_are_refused_with_the_line(folder, text, reason):
    with pytest.raises(PairListInvalidError, match=reason) as caught:
        load(folder, text)
    assert caught.value.code == "pair-list-invalid"


@pytest.mark.parametrize(
    "name",
    [
        "../secret.jpg",
        "x/../../secret.jpg",
        "/etc/passwd",
        "C:secret.jpg",
        "C:/secret.jpg",
        "..\\secret.jpg",
        "//server/share/x.jpg",
    ],
)
def test_no_picture_is_named_outside_the_folder(folder, name):
    with pytest.raises(PairListInvalidError, match="line 4: pictures are named by paths below"):
        load(folder, GOOD + f"0,a_1.jpg,{name}\n")


def test_no_link_leads_outside_the_folder(folder):
    try:
        (folder / "link.jpg").symlink_to(folder.parent / "secret.jpg")
    except OSError:
        pytest.skip("this system makes no symbolic links")
    with pytest.raises(PairListInvalidError, match="line 4: the picture lies outside"):
        load(folder, GOOD + "0,a_1.jpg,link.jpg\n")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_no_picture(folder):
    os.mkfifo(folder / "pipe.jpg")
    with pytest.raises(PairListInvalidError, match="line 4: the picture is missing"):
        load(folder, GOOD + "0,a_1.jpg,pipe.jpg\n")


def test_a_missing_list_is_named_without_its_folder(tmp_path):
    with pytest.raises(PairListInvalidError, match="cannot read the pair list nowhere") as caught:
        load_pairs(tmp_path / "nowhere.csv")
    assert str(tmp_path) not in str(caught.value)


def test_pictures_may_lie_in_one_sub_folder(folder):
    (folder / "sub").mkdir()
    for path in folder.glob("*.jpg"):
        path.rename(folder / "sub" / path.name)
    assert load(folder, GOOD).paths[0].parent.name == "sub"
    assert load(folder, GOOD, pictures=folder / "sub").paths[0].parent.name == "sub"
    with pytest.raises(PairListInvalidError, match="folder of the pictures"):
        load(folder, GOOD, pictures=folder / "elsewhere")


def test_too_much_is_refused_before_it_is_kept(folder, monkeypatch):
    monkeypatch.setattr(pairs_module, "MAX_PAIRS", 1)
    with pytest.raises(PairListInvalidError, match="line 3: more than 1 pairs"):
        load(folder, GOOD)
    monkeypatch.undo()
    monkeypatch.setattr(pairs_module, "MAX_PICTURES", 2)
    with pytest.raises(PairListInvalidError, match="line 3: more than 2 pictures"):
        load(folder, GOOD)
    monkeypatch.undo()
    monkeypatch.setattr(pairs_module, "MAX_LIST_BYTES", 10)
    with pytest.raises(PairListInvalidError, match="larger than"):
        load(folder, GOOD)


def test_a_million_rows_take_seconds(folder):
    rows = ["0,a_1.jpg,b_1.jpg", "1,a_1.jpg,a_2.jpg", "0,a_2.jpg,c_1.jpg"] * 333_333
    found = load(folder, "mated,reference,probe\n" + "\n".join(rows))
    assert len(found) == 999_999
    assert len(found.paths) == 4


def test_people_whom_the_list_does_not_tell_apart_are_not_crossed(folder):
    # By their names these would be one person, so the names are not believed.
    text = "mated,reference,probe\n0,a_1.jpg,a_2.jpg\n1,b_1.jpg,c_1.jpg\n"
    found = load(folder, text)
    assert not found.people_are_known
    assert found.people_count == 3
    check_size(found, all_pairs=False)
    with pytest.raises(PairListInvalidError, match="add the columns reference_person"):
        check_size(found, all_pairs=True)


def test_columns_say_who_is_who(folder):
    text = (
        "probe_person,reference_person,probe,reference,mated,fold\n"
        "ann,ann,a_1.jpg,b_1.jpg,1,x\nbob,ann,c_1.jpg,a_1.jpg,0,y\n"
    )
    found = load(folder, text)
    assert found.people_are_known
    np.testing.assert_array_equal(found.people[found.reference], found.people[found.reference[0]])


def test_too_many_cross_pairs_are_refused_before_work(folder, monkeypatch):
    monkeypatch.setattr("biometrics.evaluation.faces.MAX_PAIRS", 2)
    with pytest.raises(PairListInvalidError, match="make 3 cross pairs, more than 2"):
        check_size(load(folder, GOOD), all_pairs=True)


@pytest.mark.parametrize("folds", [["3"], ["1", "x"], []])
def test_a_fold_that_is_not_there(folder, folds):
    found = load(folder, "fold," + GOOD.replace("\n1", "\n1,1").replace("\n0", "\n2,0"))
    assert found.folds == ("1", "2")
    with pytest.raises(PairListInvalidError, match="it has: 1, 2"):
        found.select(folds)


def test_errors_name_no_picture(folder):
    with pytest.raises(PairListInvalidError) as caught:
        load(folder, GOOD + "0,a_1.jpg,Nguyen_Van_A_0001.jpg\n")
    assert "Nguyen" not in str(caught.value)
    assert "Nguyen" not in repr(load(folder, GOOD))
