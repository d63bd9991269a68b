"""`chinhchu card profiles`, and `card new` with a shipped profile and a kept CSCA."""

import json

import pytest

from api.cli import main
from devices.simulator.image import CardImage
from devices.simulator.shipped_profiles import shipped_profiles


def test_the_list(capsys):
    assert main(["card", "profiles", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == shipped_profiles()
    assert main(["card", "profiles"]) == 0
    assert "pace-cam" in capsys.readouterr().out


def test_a_shipped_profile_by_name(tmp_path, capsys):
    arguments = ["card", "new", "--profile", "pace-cam", "--out", str(tmp_path / "card"), "--json"]
    assert main(arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["pace"] == ["cam aes-128 parameter 13"]
    assert told["chip_authentication"] == ["aes-128 parameter 13"]
    card = CardImage.load(tmp_path / "card")
    assert {"EF.CardSecurity", "EF.CardAccess"} <= card.files.keys()
    assert len(card.ca_keys) == 1


def test_a_shipped_profile_can_be_printed(capsys):
    assert main(["card", "new", "--profile", "pace-dh", "--print-profile"]) == 0
    assert "parameter_id = 2" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["nothing", "../specimen", ""])
def test_an_unknown_name_is_refused(tmp_path, capsys, name):
    assert main(["card", "new", "--profile", name, "--out", str(tmp_path / "card")]) != 0
    assert "profile-invalid" in capsys.readouterr().err
    assert not (tmp_path / "card").exists()


def test_cards_share_a_kept_csca(tmp_path, capsys):
    for name in ("pace-3des", "vietnamese-2024"):
        arguments = ["card", "new", "--profile", name, "--out", str(tmp_path / name)]
        assert main([*arguments, "--pki", str(tmp_path / "pki"), "--json"]) == 0
    first, second = (CardImage.load(tmp_path / n) for n in ("pace-3des", "vietnamese-2024"))
    assert first.csca == second.csca
    assert "PRIVATE" not in capsys.readouterr().out


def test_a_csca_of_another_country_is_refused(tmp_path, capsys):
    pki = str(tmp_path / "pki")
    new = ["card", "new", "--pki", pki, "--profile"]
    assert main([*new, "vietnamese-2024", "--out", str(tmp_path / "a")]) == 0
    assert main([*new, "id-card-td2", "--out", str(tmp_path / "b")]) != 0
    assert "test-pki-unusable" in capsys.readouterr().err


def test_bac_alone_lists_no_pace(tmp_path, capsys):
    arguments = ["card", "new", "--profile", "passport-bac", "--out", str(tmp_path), "--json"]
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["pace"] == []
