"""What happens to a card and its reader under the real PC/SC service."""


def check(done):
    assert done.returncode == 0, done.stderr


def test_a_torn_card_that_comes_back_is_powered_anew(run):
    check(
        run("""
fault = Fault("tear", at_apdu=2, back_after_s=3.0)
with VirtualReader(SimulatedCard(image, [fault])) as reader:
    context, card = connect(reader.name)
    assert send(card, "00A4040C07A0000002471001") == "9000"
    assert send(card, "00B09E0000") != "9000"
    wait_until(lambda: not is_present(context, reader.name))
    wait_until(lambda: is_present(context, reader.name))
    context, card = connect(reader.name)
    assert send(card, "00A4020C02011C") == "9000", "the application is no longer selected"
""")
    )


def test_a_reader_that_is_unplugged_and_plugged_in_again(run):
    check(
        run("""
with VirtualReader(SimulatedCard(image)) as reader:
    context, card = connect(reader.name)
    assert send(card, "00A4020C02011C") == "9000"
    reader.unplug()
    assert reader.pid is None
    assert "9000" not in send(card, "00A4020C02011C")
    reader.plug_in()
    _, card = connect(reader.name)
    assert send(card, "00A4020C02011C") == "9000"
""")
    )


def test_several_cards_in_a_row(run):
    check(
        run("""
from dataclasses import replace
from devices.simulator.image import CardBehaviour
with VirtualReader(SimulatedCard(image)) as reader:
    for historical in ("01", "0203", ""):
        behaviour = replace(image.behaviour, historical_bytes=historical)
        reader.insert(SimulatedCard(replace(image, behaviour=behaviour)))
        context, card = connect(reader.name)
        _, _, _, _, atr = scard.SCardStatus(card)
        assert bytes(atr)[4:-1].hex() == historical, bytes(atr).hex()
        assert send(card, "00A4020C02011C") == "9000"
""")
    )


def test_a_card_in_a_process_of_its_own(run):
    check(
        run("""
import os
from devices.simulator.link import LinkModel
faults = [Fault("naked-status", at_apdu=2, status=0x6A80)]
card = SimulatedCard(image, faults, link=LinkModel(command_ms=30))
with VirtualReader(card, separate_process=True) as reader:
    assert os.environ["PCSCLITE_CSOCK_NAME"] == reader.socket_name
    context, card = connect(reader.name)
    started = time.perf_counter()
    assert send(card, "00A4020C02011C") == "9000"
    assert time.perf_counter() - started > 0.030
    assert send(card, "00A4020C02011C") == "6A80"
    assert send(card, "00B0000000") == image.files["EF.CardAccess"].hex().upper() + "9000"
    child = reader._slot._process.pid
    reader.remove()
    assert not is_present(context, reader.name)
    assert not Path(f"/proc/{child}").exists()
    reader.insert()
    _, card = connect(reader.name)
    assert send(card, "00A4020C02011C") == "9000"
""")
    )


def test_the_links_time_is_kept_under_pcscd(run):
    """pcscd, driver and TCP take no more than a few milliseconds on top: the quickest exchange
    tells, on a machine that is busy with others."""
    check(
        run("""
from devices.simulator.link import LinkModel
model = LinkModel(bit_rate_kbit_s=106, command_ms=20)
with VirtualReader(SimulatedCard(image, link=model)) as reader:
    context, card = connect(reader.name)
    started, due, taken = time.perf_counter(), 0.0, []
    for _ in range(10):
        sent = time.perf_counter()
        exchange_s = model.exchange_s(5, len(send(card, "00B09C0000")) // 2)
        taken.append(time.perf_counter() - sent)
        due += exchange_s
    assert due <= time.perf_counter() - started
    assert min(taken) < 3 * exchange_s
""")
    )
