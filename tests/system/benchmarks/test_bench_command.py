"""Each stage of the benchmark runs and gives the promised format; no figure is judged here."""

import json

import pytest

from api.cli import main
from biometrics.manifest import Manifest
from devices.simulator.errors import VirtualReaderMissingError
from devices.simulator.virtual_reader import VirtualReader

METRICS = {
    "startup": {"startup.command", "startup.verifier"},
    "face": {"face.comparison"},
    "pad": {"pad.challenge_frame"},
    "assertion": {"assertion.issue", "assertion.verify", "assertion.size"},
    "chip": {
        "chip.round_trips.extended",
        "chip.round_trips.short",
        "chip.read.extended",
        "chip.read.short",
        "chip.link_read.extended",
        "chip.link_read.short",
        "chip.time_ratio.extended",
        "chip.time_ratio.short",
        "chip.host_cpu_ms",
        "chip.host_cpu_python_share",
        "chip.verify",
    },
}
NEEDS_PEER = "chip.jmrtd_time_ratio"


@pytest.mark.timeout(400)  # the first run loads JMRTD from Maven Central
@pytest.mark.parametrize("stage", METRICS)
def test_stage_gives_its_metrics(
    stage: str, manifest: Manifest, capsys: pytest.CaptureFixture[str]
) -> None:
    if stage == "chip":
        pytest.importorskip("smartcard", reason="pyscard is not installed")
        try:
            VirtualReader.check_installed()
        except VirtualReaderMissingError as error:
            pytest.skip(str(error))
    assert main(["bench", stage, "--quick", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert set(result) >= {"machine", "versions", "metrics"}
    assert METRICS[stage] <= set(result["metrics"])
    assert not set(result["skipped"]) - {NEEDS_PEER}
    if stage == "chip" and NEEDS_PEER not in result["skipped"]:
        assert result["metrics"][NEEDS_PEER]["peer"] == 1
        assert result["metrics"]["chip.read.short"]["peer"] > 0
        assert {"jmrtd", "java"} <= set(result["versions"])
    for metric in result["metrics"].values():
        assert set(metric) == {"value", "unit", "bound", "ratio", "peer", "n"}
        assert metric["value"] > 0
        assert metric["n"] >= 1
