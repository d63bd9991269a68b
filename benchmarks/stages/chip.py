"""The chip read over the real pcscd: round trips, seconds, CPU time, and JMRTD beside it.

The card answers from a process of its own, at once or under the link model. The bounds come from
the sizes of its files alone; see `benchmarks.chip.bound`.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.chip import bound, cpu
from benchmarks.chip.card import DATA_GROUPS, FILES, make_card, with_length
from benchmarks.peers.errors import PeerFailedError, PeerUnavailableError
from benchmarks.peers.jmrtd import Jmrtd, JmrtdRequest
from benchmarks.result import Figures, Metric, Skipped, median_ms
from devices import pcsc
from devices.emrtd.evidence import ChipEvidence
from devices.emrtd.files import CARD_ACCESS
from devices.emrtd.lds.mrz import Can
from devices.emrtd.terminal.reader import read_chip
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.verification.verifier import verify_evidence
from devices.simulator.card import SimulatedCard
from devices.simulator.image import CardImage
from devices.simulator.link import LinkModel
from devices.simulator.virtual_reader import VirtualReader
from devices.transport import CardTransport

LINK = LinkModel()
"""848 kbit/s, frames of 256 bytes, 15 ms a command."""
CHALLENGE = bytes(range(8))

_WARM_UP = {"at once": 10, "on air": 1}
"""Readings by which the Java virtual machine has compiled what it needs; at once comes first."""


@dataclass(frozen=True)
class _Taken:
    """Medians of one variant of the card, and JMRTD's on the same card."""

    apdus: float
    seconds: float
    exchange_s: float
    """One bare exchange."""
    peer_apdus: float | None = None
    peer_seconds: float | None = None

    @property
    def peer_ratio(self) -> float | None:
        return None if self.peer_seconds is None else self.seconds / self.peer_seconds


def measure(quick: bool) -> Figures:
    """Read a card by PACE with CAN: DG1, SOD of 2 kB, DG2 of 20 kB, DG14, DG15."""
    n = 3 if quick else 15
    image = make_card()
    figures: Figures = {}
    ratios: list[float | None] = []
    with VirtualReader(SimulatedCard(image), separate_process=True) as reader, _peer() as peer:
        for variant in bound.CHUNK_BYTES:
            card = with_length(image, variant)
            at_once = _take(reader, card, None, peer, n)
            on_air = _take(reader, card, LINK, peer, n)
            figures |= _figures(card, variant, at_once, on_air, n)
            ratios += [at_once.peer_ratio, on_air.peer_ratio]
        for variant in bound.CHUNK_BYTES:
            figures |= _cpu(reader, with_length(image, variant), variant, 4 * n)
        figures["chip.verify"] = _verify(reader, image, n)
    worst = [ratio for ratio in ratios if ratio is not None]
    figures["chip.jmrtd_time_ratio"] = (
        peer if isinstance(peer, Skipped) else Metric(max(worst), "", n, peer=1.0)
    )
    return figures


def _figures(
    card: CardImage, variant: str, at_once: _Taken, on_air: _Taken, n: int
) -> dict[str, Metric]:
    least = bound.round_trips(card, FILES, variant)
    least_s = bound.seconds(card, FILES, variant, LINK)
    bare_s = at_once.apdus * at_once.exchange_s
    return {
        f"chip.round_trips.{variant}": Metric(at_once.apdus, "APDUs", n, least, at_once.peer_apdus),
        f"chip.read.{variant}": Metric(at_once.seconds, "s", n, bare_s, at_once.peer_seconds),
        f"chip.link_read.{variant}": Metric(on_air.seconds, "s", n, least_s, on_air.peer_seconds),
        f"chip.time_ratio.{variant}": Metric(on_air.seconds / least_s, "", n, bound=1.0),
    }


def _take(
    reader: VirtualReader, card: CardImage, link: LinkModel | None, peer: Jmrtd | Skipped, n: int
) -> _Taken:
    """Read the card n times, in turn with JMRTD: what else the machine does meets both."""
    reader.insert(SimulatedCard(card, link=link))
    _read(reader, card)
    if not isinstance(peer, Skipped):
        _peer_read(peer, reader, card, _WARM_UP["on air" if link else "at once"])
    readings: list[tuple[float, ...]] = []
    for _ in range(n):
        theirs = () if isinstance(peer, Skipped) else _peer_read(peer, reader, card, 1)
        readings.append((*_read(reader, card), *theirs))
    return _Taken(*(statistics.median(column) for column in zip(*readings, strict=True)))


def _peer_read(
    peer: Jmrtd, reader: VirtualReader, card: CardImage, repeat: int
) -> tuple[int, float]:
    """Return the number of APDUs and the seconds of JMRTD's last reading."""
    request = JmrtdRequest(
        reader=reader.name,
        access="pace",
        can=card.behaviour.can,
        files=FILES,
        extended_length=card.behaviour.extended_length,
        repeat=repeat,
    )
    reply = peer.read(request)
    if reply.error:
        raise PeerFailedError(f"JMRTD does not read the card (at {reply.step})")
    return reply.apdus[-1], reply.milliseconds[-1] / 1e3


def _read(reader: VirtualReader, card: CardImage) -> tuple[int, float, float]:
    """Return the number of APDUs, the seconds of a reading, and those of one bare exchange."""
    with pcsc.connect(reader.name, 10) as transport:
        select = bytes.fromhex("00A4020C02") + CARD_ACCESS.fid.to_bytes(2)
        start = time.perf_counter()
        transport.transmit(select)
        exchange_s = time.perf_counter() - start
    with pcsc.connect(reader.name, 10) as transport:
        start = time.perf_counter()
        evidence = _evidence(transport, card)
        return evidence.apdu_count, time.perf_counter() - start, exchange_s


def _evidence(
    transport: CardTransport, card: CardImage, challenge: bytes | None = None
) -> ChipEvidence:
    evidence = read_chip(
        transport, Can(card.behaviour.can), data_groups=DATA_GROUPS, challenge=challenge
    )
    if any(evidence.files.get(name) != card.files[name] for name in FILES):
        raise RuntimeError("what was read is not what the card holds: the figures mean nothing")
    return evidence


def _cpu(reader: VirtualReader, card: CardImage, variant: str, n: int) -> dict[str, Metric]:
    """Measure the reader's own process, the card being in another."""
    reader.insert(SimulatedCard(card))
    total_ms, parts_ms = cpu.cpu_ms(
        lambda: pcsc.connect(reader.name, 10), lambda transport: _evidence(transport, card), n
    )
    suffix = "" if variant == "extended" else f".{variant}"
    name = f"chip.host_cpu_ms{suffix}"
    figures = {name: Metric(total_ms, "ms", n, parts_ms[cpu.CRYPTOGRAPHY])}
    figures |= {f"{name}.{part}": Metric(parts_ms[part], "ms", n) for part in cpu.PARTS}
    python_ms = sum(parts_ms[part] for part in cpu.PYTHON)
    figures[f"chip.host_cpu_python_share{suffix}"] = Metric(python_ms / total_ms, "", n)
    return figures


def _verify(reader: VirtualReader, card: CardImage, n: int) -> Metric:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "csca.der").write_bytes(card.csca)
        anchors = TrustAnchors.from_directory(Path(folder))
    reader.insert(SimulatedCard(card))
    with pcsc.connect(reader.name, 10) as transport:
        evidence = _evidence(transport, card, CHALLENGE)

    def verify() -> None:
        verdict = verify_evidence(evidence, anchors, challenge=CHALLENGE, at=datetime.now(UTC))
        if verdict.outcome != "PASSED":
            raise RuntimeError("the card does not verify: its time means nothing")

    return Metric(median_ms(verify, n), "ms", n)


@contextmanager
def _peer() -> Iterator[Jmrtd | Skipped]:
    """Start JMRTD, or give the reason why it cannot run here."""
    try:
        jmrtd = Jmrtd().__enter__()
    except PeerUnavailableError as error:
        yield Skipped(str(error))
        return
    try:
        yield jmrtd
    finally:
        jmrtd.__exit__(None, None, None)
