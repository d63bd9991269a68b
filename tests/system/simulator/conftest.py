"""Scripts that use a card through the real PC/SC service, each in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from devices.simulator.errors import VirtualReaderMissingError
from devices.simulator.personalise import personalise
from devices.simulator.profile import SPECIMEN, load_profile
from devices.simulator.virtual_reader import VirtualReader

PRELUDE = """
import sys, time
from pathlib import Path
from smartcard import scard
from devices.simulator.card import SimulatedCard
from devices.simulator.faults import Fault
from devices.simulator.image import CardImage
from devices.simulator.virtual_reader import VirtualReader

image = CardImage.load(Path(sys.argv[1]))

def connect(name):
    result, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    assert result == 0, scard.SCardGetErrorMessage(result)
    wait_until(lambda: is_present(context, name))
    protocols = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
    result, card, protocol = scard.SCardConnect(
        context, name, scard.SCARD_SHARE_SHARED, protocols
    )
    assert result == 0, scard.SCardGetErrorMessage(result)
    assert protocol == scard.SCARD_PROTOCOL_T1
    return context, card

def send(card, command):
    result, answer = scard.SCardTransmit(card, scard.SCARD_PCI_T1, list(bytes.fromhex(command)))
    return bytes(answer).hex().upper() if result == 0 else scard.SCardGetErrorMessage(result)

def is_present(context, name):
    _, [(_, state, _)] = scard.SCardGetStatusChange(context, 0, [(name, 0)])
    return bool(state & scard.SCARD_STATE_PRESENT)

def wait_until(condition):
    deadline = time.monotonic() + 60  # only a test that fails waits that long
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
"""


@pytest.fixture(scope="module")
def card_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("card") / "specimen"
    personalise(load_profile(SPECIMEN)).save(folder)
    return folder


@pytest.fixture
def run(card_folder):
    pytest.importorskip("smartcard", reason="pyscard is not installed")
    try:
        VirtualReader.check_installed()
    except VirtualReaderMissingError as error:
        pytest.skip(str(error))

    def run_(script, **variables):
        return subprocess.run(
            [sys.executable, "-c", PRELUDE + script, str(card_folder)],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )

    return run_
