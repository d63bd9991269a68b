"""The card under the real PC/SC service. libpcsclite keeps to one socket a process, so each runs in
a process of its own."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from devices.simulator.card import SimulatedCard
from devices.simulator.errors import VirtualReaderMissingError, VirtualReaderUnavailableError
from devices.simulator.image import CardImage
from devices.simulator.virtual_reader import VirtualReader
from devices.simulator.vpcd import VpcdSlot

SELECT_AND_READ = """
with VirtualReader(SimulatedCard(image)) as reader:
    context, card = connect(reader.name)
    assert send(card, "00A4020C02011C") == "9000"
    assert send(card, "00B0000000") == image.files["EF.CardAccess"].hex().upper() + "9000"
    assert send(card, "00A4040C07A0000002471001") == "9000"
    assert send(card, "00A4020C02011C") == "6982"
"""


def check(done):
    assert done.returncode == 0, done.stderr


def test_pyscard_selects_and_reads_through_pcscd(run):
    check(run(SELECT_AND_READ))


def test_a_second_reader_in_the_same_process(run):
    check(run(SELECT_AND_READ + SELECT_AND_READ))


def test_readers_of_several_processes_do_not_meet(run):
    with ThreadPoolExecutor(3) as pool:
        for done in pool.map(run, [SELECT_AND_READ] * 3):
            check(done)


def test_removal_and_insertion_are_seen(run):
    check(
        run("""
with VirtualReader(SimulatedCard(image)) as reader:
    context, card = connect(reader.name)
    assert is_present(context, reader.name)
    reader.remove()
    assert not is_present(context, reader.name)
    assert "removed" in send(card, "00A4020C02011C")
    reader.insert()
    _, card = connect(reader.name)
    assert send(card, "00A4020C02011C") == "9000"
""")
    )


def test_a_card_exchanged_at_once_is_powered_anew(run):
    check(
        run("""
with VirtualReader(SimulatedCard(image)) as reader:
    for _ in range(3):
        reader.insert(SimulatedCard(image))
        context, card = connect(reader.name)
        assert send(card, "00A4020C02011C") == "9000"
""")
    )


def test_a_torn_card_is_a_removed_card(run):
    check(
        run("""
with VirtualReader(SimulatedCard(image, [Fault("tear", at_apdu=2)])) as reader:
    context, card = connect(reader.name)
    assert send(card, "00A4020C02011C") == "9000"
    assert send(card, "00A4020C02011C") != "9000"
    wait_until(lambda: not is_present(context, reader.name))
""")
    )


def test_a_long_response_comes_whole(run):
    check(
        run("""
from dataclasses import replace
long_file = bytes(range(256)) * 200
image = replace(image, files=dict(image.files) | {"EF.CardAccess": long_file})
with VirtualReader(SimulatedCard(image)) as reader:
    context, card = connect(reader.name)
    assert send(card, "00B09C00000000") == long_file.hex().upper() + "9000"
""")
    )


def test_the_socket_is_fixed_by_the_first_call_of_a_process(run):
    """What the docstring warns of: a call before `with` leaves this process without the reader."""
    check(
        run(
            """
scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
with VirtualReader(SimulatedCard(image)) as reader:
    result, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    assert result != 0
""",
            PCSCLITE_CSOCK_NAME="/nonexistent/pcscd.comm",
        )
    )


def test_nothing_is_left_behind(run):
    check(
        run("""
import os, subprocess
with VirtualReader(SimulatedCard(image)) as reader:
    process = reader.pid
    path = Path(os.environ["PCSCLITE_CSOCK_NAME"])
    assert path.exists()
assert not path.exists()
assert not Path(f"/proc/{process}").exists()
""")
    )


def test_pcscd_ends_with_a_process_that_is_killed(run):
    done = run("""
import os, signal
reader = VirtualReader(SimulatedCard(image)).__enter__()
print(reader.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
""")
    process = Path("/proc") / done.stdout.strip()
    for _ in range(1000):
        try:
            if "Z" in (process / "stat").read_text().split()[2]:
                return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.05)
    pytest.fail("pcscd outlived the process that started it")


def test_the_command_line_lays_a_card_on_a_reader(run, card_folder):
    """`card run` on the driver of a reader whose own card was taken away."""
    check(
        run("""
import json, os, subprocess
COMMAND = '''
import argparse, sys
from api.cli import card
parser = argparse.ArgumentParser()
card.register(parser.add_subparsers())
args = parser.parse_args()
sys.exit(args.run(args))
'''
with VirtualReader(SimulatedCard(image)) as reader:
    reader.remove()
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "card", "run", sys.argv[1], "--port", str(reader.port),
         "--json"], stdout=subprocess.PIPE, text=True)
    events = [json.loads(process.stdout.readline())["event"] for _ in range(2)]
    assert events == ["inserted", "power-on"], events
    context, card = connect(reader.name)
    assert send(card, "00A4020C02011C") == "9000"
    process.terminate()
    assert process.wait(60) == 0
    wait_until(lambda: not is_present(context, reader.name))
""")
    )


def test_one_process_has_one_virtual_reader(card_folder):
    card = SimulatedCard(CardImage.load(card_folder))
    try:
        with VirtualReader(card), pytest.raises(VirtualReaderUnavailableError, match="already"):
            VirtualReader(card).__enter__()
    except VirtualReaderMissingError as error:
        pytest.skip(str(error))


def test_a_missing_package_is_named(card_folder, monkeypatch):
    monkeypatch.setattr("devices.simulator.pcscd._DRIVERS", ())
    monkeypatch.setattr("devices.simulator.pcscd._PCSCD_PLACES", ())
    monkeypatch.setenv("PATH", str(card_folder))
    with pytest.raises(VirtualReaderUnavailableError, match="apt-get install pcscd vsmartcard-"):
        VirtualReader(SimulatedCard(CardImage.load(card_folder))).__enter__()


def test_no_driver_listening_is_an_error(card_folder):
    with pytest.raises(VirtualReaderUnavailableError, match="No virtual reader listens"):
        VpcdSlot(SimulatedCard(CardImage.load(card_folder)), "127.0.0.1", 1)
