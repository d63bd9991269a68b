"""models/quality.toml, and every way in which it could be wrong."""

import math
import re

import pytest

from biometrics.quality import RequirementsInvalidError, load_requirements
from biometrics.quality.measures import MEASURES
from biometrics.quality.requirements import (
    MAX_BYTES,
    SIGNS,
    Sign,
    parse_requirements,
    requirements_path,
)

PROJECT = requirements_path().read_text(encoding="utf-8")


def test_the_projects_requirements_load_and_name_their_digest():
    requirements = load_requirements()
    assert set(requirements.signs) == set(SIGNS)
    assert re.fullmatch("[0-9a-f]{64}", requirements.sha256)


@pytest.mark.parametrize("entry", load_requirements().requirements, ids=lambda r: r.reason)
def test_each_requirement_measures_something_and_tells_what_to_do_in_two_languages(entry):
    assert entry.measure in MEASURES
    assert entry.en.isascii()
    assert not entry.vi.isascii()
    assert entry.data


def test_the_portrait_is_never_judged_more_strictly_than_the_probe():
    for entry in load_requirements().requirements:
        if entry.reference is None:
            continue
        if entry.refused == "below":
            assert entry.reference <= entry.probe
        else:
            assert entry.reference >= entry.probe


def test_what_hides_a_reason_is_a_reason_told_before_it():
    told = []
    for entry in load_requirements().requirements:
        assert not entry.hidden_by or entry.hidden_by in told
        told.append(entry.reason)


def test_reasons_are_unique():
    reasons = [entry.reason for entry in load_requirements().requirements]
    assert len(reasons) == len(set(reasons))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda t: t.replace("schema = 1", "schema = 2"), "schema"),
        (lambda t: t.replace("schema = 1", "schema = 1\nextra = 1"), "extra"),
        (lambda t: t.replace("[signs.eyes-closed", "[signs.winks"), "need the signs"),
        (lambda t: t.replace('refused = "above"', 'refused = "sideways"'), "refused"),
        (lambda t: t.replace("probe = 0.4\n", "probe = nan\n"), "probe"),
        (lambda t: t.replace("probe = 0.4\n", "probe = inf\n"), "probe"),
        (lambda t: t.replace("probe = 0.4\n", ""), "probe"),
        (lambda t: t.replace('"quality-too-dark"', '"Too dark!"'), "reason"),
        (lambda t: re.sub('vi = "[^"]*"', 'vi = ""', t), "vi"),
        (lambda t: re.sub('data = "[^"]*"', "", t), "data"),
        (lambda t: t.split("[[requirements]]")[0], "requirements"),
        (lambda t: t + "[", "not TOML"),
        (lambda t: "", "schema"),
    ],
)
def test_a_damaged_file_is_refused_by_place(change, complaint):
    with pytest.raises(RequirementsInvalidError, match=complaint):
        parse_requirements(change(PROJECT).encode())


def test_bytes_that_are_no_text_are_refused():
    with pytest.raises(RequirementsInvalidError, match="not TOML"):
        parse_requirements(b"\xff\xfe\x00")


def test_a_missing_and_an_endless_file_are_refused(tmp_path):
    with pytest.raises(RequirementsInvalidError, match="cannot read"):
        load_requirements(tmp_path / "none.toml")
    long = tmp_path / "long.toml"
    long.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(RequirementsInvalidError, match="larger than"):
        load_requirements(long)


def test_a_sign_sums_up_by_hand_and_refuses_what_is_not_measured():
    sign = Sign(offset=1.0, weights={"a": 2.0, "b": -3.0}, meaning="m", data="d")
    assert math.isclose(sign.sum_up({"a": 0.5, "b": 2.0, "c": 9.0}), -4.0)
    with pytest.raises(RequirementsInvalidError, match="not measured"):
        sign.sum_up({"a": 0.5})
