"""`chinhchu card`: what it makes, says and refuses."""

import argparse
import json

import pytest

from api.cli import card as card_commands
from api.errors import InputUnusableError
from devices.simulator.errors import (
    CardImageInvalidError,
    PortraitUnusableError,
    ProfileInvalidError,
    VirtualReaderUnavailableError,
)
from devices.simulator.image import CardImage
from devices.simulator.profile import SPECIMEN


@pytest.fixture
def chinhchu():
    parser = argparse.ArgumentParser(prog="chinhchu")
    card_commands.register(parser.add_subparsers(required=True))

    def run(*words):
        args = parser.parse_args(["card", *map(str, words)])
        return args.run(args)

    return run


@pytest.fixture
def picture_file(picture, tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(picture)
    return path


def test_the_specimen_with_a_portrait(chinhchu, picture_file, tmp_path, capsys):
    out = tmp_path / "card"
    assert chinhchu("new", "--portrait", picture_file, "--out", out, "--json") == 0
    described = json.loads(capsys.readouterr().out)
    image = CardImage.load(out)
    assert described["files"] == {name: len(content) for name, content in image.files.items()}
    assert "EF.DG2" in described["files"]
    assert described["trust"] == str(out / "trust")


def test_the_specimen_without_a_portrait_is_refused(chinhchu, tmp_path):
    with pytest.raises(InputUnusableError, match="--portrait"):
        chinhchu("new", "--out", tmp_path / "card")
    assert not (tmp_path / "card").exists()


def test_a_profile_without_portrait_makes_a_card_without_dg2(chinhchu, tmp_path, capsys):
    assert chinhchu("new", SPECIMEN, "--out", tmp_path / "card") == 0
    assert "no DG2" in capsys.readouterr().out
    assert "EF.DG2" not in CardImage.load(tmp_path / "card").files


def test_a_profile_names_its_portrait(chinhchu, picture_file, tmp_path):
    profile = tmp_path / "mine.toml"
    text = SPECIMEN.read_text("utf-8")
    profile.write_text(text.replace("[chip]", f'portrait = "{picture_file.name}"\n[chip]'), "utf-8")
    assert chinhchu("new", profile, "--out", tmp_path / "card") == 0
    assert "EF.DG2" in CardImage.load(tmp_path / "card").files


def test_the_printed_profile_is_the_shipped_one(chinhchu, capsys):
    assert chinhchu("new", "--print-profile") == 0
    assert capsys.readouterr().out == SPECIMEN.read_text("utf-8")


def test_show_says_nothing_personal(chinhchu, image, tmp_path, capsys):
    image.save(tmp_path / "card")
    assert chinhchu("show", tmp_path / "card") == 0
    assert chinhchu("show", tmp_path / "card", "--json") == 0
    printed = capsys.readouterr().out
    assert "rsa-2048" in printed
    for secret in ("123456", "NGUYEN", "NGUYỄN", "900520"):
        assert secret not in printed


def test_bad_input_is_refused(chinhchu, tmp_path, picture_file):
    (tmp_path / "bad.toml").write_text("[person]\n")
    (tmp_path / "picture.jpg").write_text("no picture")
    out = tmp_path / "out"
    with pytest.raises(ProfileInvalidError):
        chinhchu("new", tmp_path / "bad.toml", "--out", out)
    with pytest.raises(PortraitUnusableError):
        chinhchu("new", "--portrait", tmp_path / "picture.jpg", "--out", out)
    with pytest.raises(InputUnusableError):
        chinhchu("new", "--portrait", tmp_path / "absent.jpg", "--out", out)
    with pytest.raises(CardImageInvalidError):
        chinhchu("new", "--portrait", picture_file, "--out", tmp_path)
    with pytest.raises(CardImageInvalidError):
        chinhchu("show", out)
    assert not out.exists()


def test_a_profile_whose_portrait_is_absent(chinhchu, tmp_path):
    profile = tmp_path / "mine.toml"
    text = SPECIMEN.read_text("utf-8")
    profile.write_text(text.replace("[chip]", 'portrait = "absent.png"\n[chip]'), "utf-8")
    with pytest.raises(PortraitUnusableError, match=r"absent\.png"):
        chinhchu("new", profile, "--out", tmp_path / "card")


@pytest.mark.parametrize("port", [1, 70000, -1])
def test_run_without_a_virtual_reader(chinhchu, image, tmp_path, port):
    image.save(tmp_path / "card")
    with pytest.raises(VirtualReaderUnavailableError):
        chinhchu("run", tmp_path / "card", "--port", port)


@pytest.mark.parametrize("words", [["new"], ["run"], ["show"], []])
def test_every_command_has_help(chinhchu, words, capsys):
    with pytest.raises(SystemExit) as done:
        chinhchu(*words, "--help")
    assert done.value.code == 0
    assert "usage: chinhchu card" in capsys.readouterr().out
