"""The bound of the chip reading is the formula's, worked out by hand here."""

import pytest

from benchmarks.chip import bound, cpu
from devices.simulator.image import CardImage
from devices.simulator.link import LinkModel
from devices.simulator.personalise import personalise
from devices.simulator.profile import SPECIMEN, load_profile

FILES = ("EF.SOD", "EF.DG1", "EF.DG2", "EF.DG14", "EF.DG15")
SIZES = {"EF.SOD": 2000, "EF.DG1": 95, "EF.DG2": 20_000, "EF.DG14": 400, "EF.DG15": 300}


@pytest.fixture(scope="module")
def image() -> CardImage:
    card = personalise(load_profile(SPECIMEN))
    files = {name: bytes(size) for name, size in SIZES.items()} | {"EF.CardAccess": bytes(54)}
    return CardImage(card.behaviour, files, card.csca)


def test_round_trips(image: CardImage) -> None:
    assert bound.round_trips(image, FILES, "extended") == 1 + 5 + 1 + 5
    # Doc 9303-11 with 223 bytes a READ: 9 + 1 + 90 + 2 + 2.
    assert bound.round_trips(image, FILES, "short") == 1 + 5 + 1 + 104
    for variant in bound.CHUNK_BYTES:
        listed = list(bound.exchanges(image, FILES, variant))
        assert len(listed) == bound.round_trips(image, FILES, variant)


@pytest.mark.parametrize("variant", ["extended", "short"])
def test_seconds_are_commands_bytes_and_frames(image: CardImage, variant: str) -> None:
    link = LinkModel(bit_rate_kbit_s=848, frame_bytes=256, command_ms=15, frame_delay_us=86)
    listed = list(bound.exchanges(image, FILES, variant))
    total_bytes = sum(one.command_bytes + one.response_bytes for one in listed)
    frames = sum(link.frames(one.command_bytes, one.response_bytes) for one in listed)
    expected = 0.015 * len(listed) + 9 * (total_bytes + 3 * frames) / 848e3 + frames * 86e-6
    assert bound.seconds(image, FILES, variant, link) == pytest.approx(expected)
    # Each byte of the files passes the air at least once.
    assert total_bytes > sum(SIZES.values())
    assert expected > 0.015 * len(listed) + 9 * sum(SIZES.values()) / 848e3


def test_parts_of_the_cpu_time_make_its_sum() -> None:
    import hashlib

    class Connection:
        name, atr, closed = "none", b"", 0

        def close(self) -> None:
            Connection.closed += 1

        def transmit(self, command: bytes) -> bytes:
            return command

    def read(_: object) -> None:
        hashlib.sha256(bytes(4_000_000)).digest()
        sum(n * n for n in range(20_000))

    total_ms, parts = cpu.cpu_ms(Connection, read, 3)
    assert set(parts) == set(cpu.PARTS)
    assert sum(parts.values()) == pytest.approx(total_ms, rel=0.2)
    assert parts[cpu.CRYPTOGRAPHY] > 0
    assert parts[cpu.READER] > 0
    assert Connection.closed == 7  # one to warm up, three bare, three under the profiler
