"""Photographs of cards, read by the real models."""

import argparse
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from api.cli import chip
from api.errors import InputUnusableError
from devices.card_scan import CardContradictoryError, CardUnseenError, scan_card_photo
from devices.emrtd.lds.mrz import Can, check_digit, parse_mrz
from devices.mrz_scan import MrzAmbiguousError, MrzMissingError, MrzScanner, MrzUnsureError
from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.profile import load_profile
from tests.fixtures.card_photos import (
    Conditions,
    invent_mrz,
    photograph,
    print_back,
    print_front,
    random_conditions,
)
from tests.system.scan.count_scans import proven

pytestmark = pytest.mark.usefixtures("ocr_b")

ID_NUMBER = "001190123456"
QR = f"{ID_NUMBER}|012345678|Nguyễn Thị Mẫu Đơn|20051990|Nữ|Số 1, phường Mẫu Vật|15072024"
SPECIMEN = Path(__file__).parents[3] / "devices/simulator/specimen.toml"


def _specimen_mrz(id_number: str = ID_NUMBER) -> str:
    line1 = f"IDVNM{id_number[-9:]}{check_digit(id_number[-9:])}{id_number}<<"
    line1 += check_digit(id_number)
    line2 = f"900520{check_digit('900520')}F300520{check_digit('300520')}VNM<<<<<<<<<<<"
    line2 += check_digit(line1[5:30] + line2[0:7] + line2[8:15] + line2[18:29])
    return f"{line1}\n{line2}\n{'NGUYEN<<THI<MAU<DON'.ljust(30, '<')}"


@pytest.mark.parametrize("roll_deg", [0, 37, 90, 170, 180, 270])
def test_a_citizen_card_at_any_angle(scanner: MrzScanner, roll_deg: int) -> None:
    rng = np.random.default_rng(roll_deg)
    view = Conditions(roll_deg=roll_deg, tilt_deg=12, tilt_axis_deg=40, blur_px=0.5, clutter=6)
    photo = photograph(rng, print_back(rng, _specimen_mrz()), view)
    scan = scan_card_photo(photo, mrz=scanner)
    assert scan.mrz is not None
    assert proven(scan.mrz) == proven(parse_mrz(_specimen_mrz()))
    assert scan.mrz.document_code == "ID"
    assert scan.mrz.name == ""
    assert scan.passwords == (Can("123456"), parse_mrz(_specimen_mrz()).key)
    assert [error.code for error in scan.lacks] == ["qr-missing"]
    assert "123456" not in repr(scan)


def test_photos_from_good_to_poor_are_read_right_or_not_at_all(scanner: MrzScanner) -> None:
    outcomes = []
    for seed in range(12):
        rng = np.random.default_rng(5000 + seed)
        mrz = invent_mrz(rng)
        view = replace(random_conditions(rng), width=int(rng.choice([1024, 1600])))
        try:
            scan = scan_card_photo(photograph(rng, print_back(rng, mrz), view), mrz=scanner)
        except (MrzUnsureError, CardUnseenError):
            outcomes.append("refused")
            continue
        assert scan.mrz is not None
        assert proven(scan.mrz) == proven(parse_mrz(mrz))
        outcomes.append("exact")
    assert outcomes.count("exact") >= 9, outcomes


@pytest.mark.parametrize(
    ("kind", "issuer", "seed"), [("TD2", "D", 6), ("TD3", "UTO", 6), ("TD1", "FRA", 7)]
)
def test_other_documents(scanner: MrzScanner, kind: str, issuer: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mrz = invent_mrz(rng, kind, issuer)
    photo = photograph(rng, print_back(rng, mrz, kind), Conditions(roll_deg=184, blur_px=0.4))
    scan = scan_card_photo(photo, mrz=scanner)
    assert scan.mrz is not None
    assert proven(scan.mrz) == proven(parse_mrz(mrz))
    assert [password.kind for password in scan.passwords] == ["MRZ"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda mrz: mrz.replace("900520", "900521", 1),  # a wrong check digit
        lambda mrz: mrz.replace("IDVNM1901", "IDVNM1902", 1),
        lambda mrz: mrz.translate(str.maketrans("0123456789", "5678901234")),
        lambda mrz: mrz.replace("IDVNM", "IDQQQ").replace("VNM<", "QQQ<"),  # no such state
    ],
)
def test_what_does_not_fit_together_is_refused(scanner: MrzScanner, spoil: Any) -> None:
    rng = np.random.default_rng(7)
    photo = photograph(rng, print_back(rng, spoil(_specimen_mrz())), Conditions())
    with pytest.raises(MrzUnsureError) as refused:
        scan_card_photo(photo, mrz=scanner)
    assert refused.value.retryable
    assert "190123456" not in str(refused.value)


def test_out_of_focus_is_refused_not_guessed(scanner: MrzScanner) -> None:
    rng = np.random.default_rng(8)
    view = Conditions(width=800, blur_px=4.5, noise=12)
    with pytest.raises((MrzUnsureError, CardUnseenError)):
        scan_card_photo(photograph(rng, print_back(rng, _specimen_mrz()), view), mrz=scanner)


@pytest.mark.parametrize("roll_deg", [0, 45, 90, 200])
def test_the_front_with_its_code(scanner: MrzScanner, roll_deg: int) -> None:
    rng = np.random.default_rng(roll_deg)
    view = Conditions(roll_deg=roll_deg, tilt_deg=15, blur_px=0.7, noise=4, clutter=5)
    scan = scan_card_photo(photograph(rng, print_front(rng, QR), view), mrz=scanner)
    assert scan.qr is not None
    assert scan.id_number == ID_NUMBER
    assert scan.passwords == (Can("123456"),)


def test_both_sides_in_one_picture_must_agree(scanner: MrzScanner) -> None:
    rng = np.random.default_rng(9)
    back = photograph(rng, print_back(rng, _specimen_mrz()), Conditions(width=1200))
    front = photograph(rng, print_front(rng, QR), Conditions(width=1200))
    other = photograph(rng, print_front(rng, QR.replace("123456|", "123457|")), Conditions())
    scan = scan_card_photo(_beside(back, front), mrz=scanner)
    assert scan.qr is not None
    assert scan.mrz is not None
    assert scan.lacks == ()
    with pytest.raises(CardContradictoryError):
        scan_card_photo(_beside(back, other), mrz=scanner)


def test_two_cards_in_one_picture_are_not_chosen_between(scanner: MrzScanner) -> None:
    rng = np.random.default_rng(10)
    one = photograph(rng, print_back(rng, _specimen_mrz()), Conditions(width=1200))
    other = photograph(rng, print_back(rng, _specimen_mrz("079085000001")), Conditions(width=1200))
    with pytest.raises(MrzAmbiguousError):
        scan_card_photo(_beside(one, other), mrz=scanner)


def test_no_card(scanner: MrzScanner) -> None:
    rng = np.random.default_rng(11)
    noise = Image.fromarray(rng.integers(0, 255, (480, 640, 3), np.uint8))
    for picture in (noise, Image.new("L", (64, 4000)), Image.new("L", (4000, 64), 255)):
        stored = io.BytesIO()
        picture.save(stored, "PNG")
        with pytest.raises(CardUnseenError):
            scan_card_photo(stored.getvalue(), mrz=scanner)
        with pytest.raises(MrzMissingError):
            scanner.scan(np.asarray(picture.convert("L"), np.uint8))


def test_the_commands(
    scanner: MrzScanner, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(12)
    photo = tmp_path / "back.jpg"
    photo.write_bytes(photograph(rng, print_back(rng, _specimen_mrz()), Conditions(blur_px=0.5)))
    assert _run("scan", str(photo), "--json") == 0
    printed = capsys.readouterr().out
    assert json.loads(printed)["passwords"] == ["CAN", "MRZ"]
    assert "123456" not in printed
    assert _run("scan", str(photo)) == 0
    assert "123456" not in capsys.readouterr().out
    assert _run("scan", str(photo), "--json", "--show") == 0
    assert json.loads(capsys.readouterr().out)["unverified"]["id_number"] == ID_NUMBER

    portrait = io.BytesIO()
    Image.effect_noise((360, 480), 60).convert("RGB").save(portrait, "PNG")
    card: CardImage = personalise(load_profile(SPECIMEN), portrait=portrait.getvalue())
    card.save(tmp_path / "card")
    assert _run("read", "--card", str(tmp_path / "card"), "--photo", str(photo), "--json") == 0
    assert json.loads(capsys.readouterr().out)["access"].startswith("PACE")
    by_bac = ("--policy", "bac_only", "--photo", str(photo), "--json")
    assert _run("read", "--card", str(tmp_path / "card"), *by_bac) == 0
    assert json.loads(capsys.readouterr().out)["access"] == "BAC"


def test_bac_needs_the_side_with_the_mrz(tmp_path: Path) -> None:
    front = tmp_path / "front.jpg"
    rng = np.random.default_rng(3)
    front.write_bytes(photograph(rng, print_front(rng, QR), Conditions()))
    with pytest.raises(InputUnusableError, match="the side of the card that has it"):
        _run("read", "--card", str(tmp_path), "--policy", "bac_only", "--photo", str(front))


def _beside(left: bytes, right: bytes) -> bytes:
    pictures = [Image.open(io.BytesIO(data)).resize((1200, 900)) for data in (left, right)]
    both = Image.new("RGB", (1200, 1800))
    both.paste(pictures[0], (0, 0))
    both.paste(pictures[1], (0, 900))
    stored = io.BytesIO()
    both.save(stored, "JPEG", quality=92)
    return stored.getvalue()


def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    chip.register(parser.add_subparsers(required=True))
    args = parser.parse_args(["chip", *arguments])
    return int(args.run(args))
