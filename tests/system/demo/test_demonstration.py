"""The demonstration as `make demo` runs it: honest session passed, four frauds refused."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.assertions.chain import load_roots
from api.assertions.verifier import verify
from api.cli import main
from biometrics.manifest import Manifest
from devices.simulator.errors import VirtualReaderMissingError
from devices.simulator.virtual_reader import VirtualReader


@pytest.fixture(params=["in process", "pcsc"])
def options(request: pytest.FixtureRequest) -> list[str]:
    if request.param == "in process":
        return []
    pytest.importorskip("smartcard", reason="pyscard is not installed")
    try:
        VirtualReader.check_installed()
    except VirtualReaderMissingError as error:
        pytest.skip(str(error))
    return ["--pcsc"]


def test_demo_behaves(
    options: list[str],
    manifest: Manifest,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main(["demo", "--json", "--out", str(tmp_path), *options])
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert code == 0, report
    assert report["ok"]
    assert [fraud["result"] for fraud in report["frauds"]] == ["FAILED"] * 4
    expected = (
        {"comparison-no-match"},
        {"aa-signature-invalid"},
        {"document-changed"},
        {"challenge-flat-surface", "challenge-step-missing", "challenge-step-too-small"},
    )
    for fraud, reasons in zip(report["frauds"], expected, strict=True):
        assert reasons & set(fraud["reasons"])

    command = report["verify_command"]
    assert main(command[1:]) == 0
    document, assertion, root, statuses = (Path(path).read_bytes() for path in report["files"])
    verification = verify(
        assertion,
        documents=[document],
        roots=load_roots(root),
        audience=command[command.index("--audience") + 1],
        nonce=command[command.index("--nonce") + 1],
        status_lists=[statuses],
    )
    assert verification.claims is not None
    assert verification.claims["chip"]["access"] == "PACE-CAN"
