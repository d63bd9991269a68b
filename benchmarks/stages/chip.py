"""The chip read over the real pcscd: round trips and seconds, with extended and short APDUs."""

import math
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.result import Metric, median_ms
from biometrics.manifest import load_manifest
from biometrics.weights import sample
from devices import pcsc
from devices.emrtd.csca import TrustAnchors
from devices.emrtd.evidence import ChipEvidence
from devices.emrtd.files import CARD_ACCESS
from devices.emrtd.mrz import Can
from devices.emrtd.reader import read_chip
from devices.emrtd.verifier import verify_evidence
from devices.simulator.card import SimulatedCard
from devices.simulator.image import CardImage
from devices.simulator.personalise import personalise
from devices.simulator.profile import SPECIMEN, load_profile
from devices.simulator.virtual_reader import VirtualReader

CHALLENGE = bytes(range(8))
CHUNK_BYTES = {"extended": 65535, "short": 223}
"""Plaintext that one protected READ can return (AES secure messaging)."""


def measure(quick: bool) -> dict[str, Metric]:
    """Read the specimen by PACE with CAN, with Active Authentication; verify its evidence."""
    n = 3 if quick else 15
    portrait = sample(load_manifest(), "obama").read_bytes()
    card = personalise(load_profile(SPECIMEN), portrait=portrait)
    metrics: dict[str, Metric] = {}
    with VirtualReader(SimulatedCard(card)) as reader:
        for variant, chunk in CHUNK_BYTES.items():
            behaviour = replace(card.behaviour, extended_length=variant == "extended")
            image = replace(card, behaviour=behaviour)
            readings = [_read(reader, image) for _ in range(n)]
            trips = statistics.median(evidence.apdu_count for evidence, _, _ in readings)
            seconds = statistics.median(taken for _, taken, _ in readings)
            exchange_s = statistics.median(bare for _, _, bare in readings)
            metrics[f"chip.round_trips.{variant}"] = Metric(
                trips, "APDUs", n, bound=_fewest_round_trips(readings[0][0], chunk)
            )
            metrics[f"chip.read.{variant}"] = Metric(seconds, "s", n, bound=trips * exchange_s)
    evidence = readings[0][0]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "csca.der").write_bytes(card.csca)
        anchors = TrustAnchors.from_directory(Path(folder))
    metrics["chip.verify"] = Metric(
        median_ms(
            lambda: verify_evidence(evidence, anchors, challenge=CHALLENGE, at=datetime.now(UTC)),
            n,
        ),
        "ms",
        n,
    )
    return metrics


def _read(reader: VirtualReader, image: CardImage) -> tuple[ChipEvidence, float, float]:
    """Return evidence, seconds of the reading, and seconds of one bare exchange."""
    reader.insert(SimulatedCard(image))
    transport = pcsc.connect(reader.name, 10)
    try:
        select = bytes.fromhex("00A4020C02") + CARD_ACCESS.fid.to_bytes(2)
        start = time.perf_counter()
        transport.transmit(select)
        exchange_s = time.perf_counter() - start
        start = time.perf_counter()
        evidence = read_chip(transport, Can(image.behaviour.can), challenge=CHALLENGE)
        return evidence, time.perf_counter() - start, exchange_s
    finally:
        transport.close()


def _fewest_round_trips(evidence: ChipEvidence, chunk: int) -> int:
    """EF.CardAccess, PACE (5), SELECT of the application, every file in full chunks, AA."""
    files = [data for name, data in evidence.files.items() if name != "EF.CardAccess"]
    return 1 + 5 + 1 + sum(math.ceil(len(data) / chunk) for data in files) + 1
