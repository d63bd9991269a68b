"""`chinhchu card run` with faults and a link, on the driver of a reader under the real pcscd."""

import json
import shutil

import pytest

from api.cli import main
from api.cli.output import EXIT_FAULT

PLACE = """
import json, subprocess
def lay(reader, *options):
    process = subprocess.Popen(
        [sys.executable, "-m", "api.cli", "card", "run", sys.argv[1], "--port", str(reader.port),
         "--json", *options], stdout=subprocess.PIPE, text=True)
    return process
def events(process, count):
    return [json.loads(process.stdout.readline())["event"] for _ in range(count)]
"""


def check(done):
    assert done.returncode == 0, done.stderr


def test_a_torn_card_comes_back_and_the_link_is_slow(run):
    check(
        run(
            PLACE
            + """
with VirtualReader(SimulatedCard(image)) as reader:
    reader.remove()
    options = ["--fault", "tear=1@2", "--link", "106,command_ms=100"]
    with lay(reader, *options) as process:
        assert events(process, 2) == ["inserted", "power-on"]
        context, card = connect(reader.name)
        started = time.perf_counter()
        assert send(card, "00A4020C02011C") == "9000"
        assert time.perf_counter() - started > 0.1
        assert send(card, "00A4020C02011C") != "9000"
        told = events(process, 1)
        while told[-1] != "inserted":
            told += events(process, 1)
        assert ["torn", "removed", "inserted"] == told[-3:], told
        wait_until(lambda: is_present(context, reader.name))
        _, card = connect(reader.name)
        assert send(card, "00A4020C02011C") == "9000"
        process.terminate()
        assert process.wait(60) == 0
"""
        )
    )


def test_a_card_torn_for_good_ends_the_command(run):
    check(
        run(
            PLACE
            + """
with VirtualReader(SimulatedCard(image)) as reader:
    reader.remove()
    with lay(reader, "--fault", "tear@1,ins=A4") as process:
        assert events(process, 2) == ["inserted", "power-on"]
        context, card = connect(reader.name)
        assert send(card, "00A4020C02011C") != "9000"
        assert process.wait(60) == 4
"""
        )
    )


@pytest.mark.parametrize(
    "options", [["--fault", "fire@1"], ["--fault", "tear"], ["--link", "9600"], ["--link", "x"]]
)
def test_options_that_say_nothing(card_folder, capsys, options):
    assert main(["card", "run", str(card_folder), "--port", "1", *options]) == EXIT_FAULT
    assert "profile-invalid" in capsys.readouterr().err


def test_what_opens_a_card_is_shown_only_where_asked(card_folder, capsys):
    assert main(["card", "show", str(card_folder), "--json"]) == 0
    assert "190123456" not in capsys.readouterr().out
    assert main(["card", "show", str(card_folder), "--show", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["can"], shown["mrz_document_number"]) == ("123456", "190123456")
    assert (shown["date_of_birth"], shown["date_of_expiry"]) == ("900520", "300520")
    assert main(["card", "show", str(card_folder), "--show"]) == 0
    assert "190123456" in capsys.readouterr().out


def test_a_folder_may_have_any_name(card_folder, tmp_path, capsys):
    shutil.copytree(card_folder, tmp_path / "[/x]")
    assert main(["card", "show", str(tmp_path / "[/x]")]) == 0
    assert "EF.DG1" in capsys.readouterr().out


def test_the_quirks_are_listed(capsys):
    assert main(["card", "quirks", "--json"]) == 0
    assert "le-on-select-refused" in json.loads(capsys.readouterr().out)
    assert main(["card", "quirks"]) == 0
    assert "sfi-6a86" in capsys.readouterr().out


READ = """
import os
def read(*options):
    environment = os.environ | {"PCSCLITE_CSOCK_NAME": reader.socket_name}
    return subprocess.Popen(
        [sys.executable, "-m", "api.cli", "chip", "read", "--can", "123456", "--json", *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
"""


def test_a_reading_goes_on_when_the_torn_card_is_back(run):
    check(
        run(
            PLACE
            + READ
            + """
with VirtualReader(SimulatedCard(image)) as reader:
    reader.remove()
    with lay(reader, "--fault", "tear=1@10") as process:
        assert events(process, 2) == ["inserted", "power-on"]
        out, err = read().communicate(timeout=120)
        assert "place the same card again" in err, err
        assert json.loads(out).get("resumed") == 1, (out, err)
        process.terminate()
        assert process.wait(60) == 0
"""
        )
    )


def test_a_reading_goes_on_when_the_reader_is_plugged_in_again(run):
    check(
        run(
            PLACE
            + READ
            + """
torn = SimulatedCard(image, [Fault("tear", at_apdu=10)])
with VirtualReader(torn) as reader:
    reading = read()
    assert "place the same card again" in reading.stderr.readline()
    reader.unplug()
    time.sleep(1)
    reader.plug_in()
    out, err = reading.communicate(timeout=120)
    assert json.loads(out).get("resumed") == 1, (out, err)
"""
        )
    )
