"""The commands that enrol a machine and take a capture, without a server."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from api.assertions.jwk import thumbprint
from api.cli import agent_capture, main
from api.fleet.device_keys import load_device_key
from api.fleet.registry import AgentFleet
from devices import camera_sysfs
from devices.camera_sysfs import find_cameras
from tests.fixtures.sysfs import Sysfs

Capsys = pytest.CaptureFixture[str]
SESSION = "--server http://127.0.0.1:1 --session 1"


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sysfs:
    """A machine with a webcam and a virtual camera."""
    sysfs = Sysfs(tmp_path / "sys")
    sysfs.usb(0, "1-2", "046d:0825", "C270 HD WEBCAM")
    sysfs.loopback(9, "OBS Virtual Camera")
    monkeypatch.setattr(camera_sysfs, "find_cameras", lambda: find_cameras(sysfs.root))
    monkeypatch.setattr(camera_sysfs, "IS_LINUX", True)
    monkeypatch.setenv("CHINHCHU_SESSION_TOKEN", "token")
    monkeypatch.setenv("CHINHCHU_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(agent_capture.PASSWORD_VARIABLE, raising=False)
    return sysfs


def said(capsys: Capsys) -> Any:
    return json.loads(capsys.readouterr().out)


def refusal(arguments: list[str], capsys: Capsys) -> str:
    """Return the code with which a command refuses."""
    assert main([*arguments, "--json"]) == 4
    return str(said(capsys)["error"]["code"])


def test_from_the_machine_to_the_server_and_away_again(tmp_path: Path, capsys: Capsys) -> None:
    file, agents = tmp_path / "key.pem", tmp_path / "home/agents.toml"
    enrol = ["agent", "enrol", "--device-id", "counter-3", "--out", str(file), "--camera", "0"]
    assert main([*enrol, "--no-password", "--json"]) == 0
    made = said(capsys)
    assert made["camera"]["usb_id"] == "046d:0825"
    assert made["enter_at_the_server"][:3] == ["chinhchu", "agents", "add"]

    assert main([*made["enter_at_the_server"][1:], "--json"]) == 0
    (agent,) = said(capsys)["agents"]
    assert agent["device_id"] == "counter-3"
    assert agent["thumbprint"] == made["thumbprint"]
    (webcam, _) = find_cameras(tmp_path / "sys")
    (enrolled,) = AgentFleet.load(agents).agents
    assert enrolled.camera is not None
    assert enrolled.camera.holds(webcam.identity)
    assert enrolled.camera.drivers == ("uvcvideo",)
    key = load_device_key(file, None).public_key()
    assert enrolled.thumbprint == thumbprint(key) == made["thumbprint"]

    assert refusal(made["enter_at_the_server"][1:], capsys) == "agent-enrolled"
    assert main(["agents", "revoke", "counter-3"]) == 0
    assert "REVOKED" in capsys.readouterr().out
    assert main(["agents", "list", "--json"]) == 0
    assert said(capsys)["agents"][0]["revoked"] is True
    assert main(["agents", "remove", "counter-3"]) == 0
    assert AgentFleet.load(agents).agents == ()
    assert refusal(["agents", "remove", "counter-3"], capsys) == "agent-unknown"


def test_what_enrol_prints_for_people_can_be_typed(tmp_path: Path, capsys: Capsys) -> None:
    enrol = ["agent", "enrol", "--device-id", "counter-3", "--out", str(tmp_path / "key.pem")]
    assert main([*enrol, "--camera", "C270", "--no-password"]) == 0
    printed = capsys.readouterr()
    assert "not encrypted" in printed.err
    line = shlex.split(printed.out.rstrip().rpartition("\n")[2])
    assert main(line[1:]) == 0
    assert "046d:0825, C270 HD WEBCAM, pci0000:00" in capsys.readouterr().out


def test_a_key_behind_a_password(
    tmp_path: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, secret = tmp_path / "key.pem", tmp_path / "secret"
    enrol = ["agent", "enrol", "--device-id", "counter-3", "--out", str(file)]
    monkeypatch.setenv(agent_capture.PASSWORD_VARIABLE, "short")
    assert refusal(enrol, capsys) == "device-key-password"
    secret.write_text("a long enough password\n", "utf-8")
    assert main([*enrol, "--password-file", str(secret), "--json"]) == 0
    capsys.readouterr()
    capture = ["agent", "capture", *SESSION.split(), "--frames", str(tmp_path)]
    device = ["--device-id", "counter-3", "--device-key", str(file)]
    assert refusal([*capture, *device], capsys) == "device-key-password"
    assert refusal([*capture, *device, "--password-file", str(secret)], capsys) == "input-unusable"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("agent enrol --no-password --device-id a/b --out {}/k", "input-unusable"),
        ("agent enrol --no-password --device-id a --out {}/no/k", "device-key-unusable"),
        ("agent enrol --no-password --device-id a --out {}/k --camera 9", "camera-virtual"),
        ("agent enrol --no-password --device-id a --out {}/k --camera 5", "camera-missing"),
        ("agents add a --key none", "device-key-unusable"),
        ("agents add a --key none --driver uvcvideo", "input-unusable"),
        ("agents add a --key none --camera-usb c270", "agents-invalid"),
        ("agents revoke a", "agent-unknown"),
        ("agent", "input-unusable"),
        ("agent capture --camera 0", "input-unusable"),
        (f"agent capture {SESSION}", "input-unusable"),
        (f"agent capture {SESSION} --camera 0 --frames {{}}", "input-unusable"),
        (f"agent capture {SESSION} --camera 0 --device-id a", "input-unusable"),
        (f"agent capture {SESSION} --camera {{}}/absent.avi", "camera-missing"),
        (f"agent capture {SESSION} --camera obs", "camera-virtual"),
        (f"agent capture {SESSION} --camera 0 --camera-usb 1234:5678", "camera-other"),
        (f"agent capture {SESSION} --camera-usb 1234:5678", "camera-missing"),
        (f"agent capture {SESSION} --camera {{}}/noise.avi", "camera-missing"),
        (
            f"agent capture {SESSION} --camera {{}}/noise.avi --camera-usb 046d:0825",
            "input-unusable",
        ),
        (f"agent capture {SESSION} --camera {{}}/empty", "input-unusable"),
        (f"agent capture {SESSION} --frames {{}}/simulated", "frames-simulated"),
        (f"agent capture {SESSION} --camera {{}}/simulated", "frames-simulated"),
        (f"agent {SESSION} capture --frames {{}}/simulated --simulated", "server-unreachable"),
        (f"agent {SESSION} --frames {{}}/simulated", "frames-simulated"),
    ],
)
def test_refusals_that_say_what_is_wrong(
    tmp_path: Path, capsys: Capsys, arguments: str, code: str
) -> None:
    (tmp_path / "noise.avi").write_bytes(b"no recording")
    (tmp_path / "empty").mkdir()
    (tmp_path / "simulated").mkdir()
    (tmp_path / "simulated/simulated.json").write_text("{}", "utf-8")
    (tmp_path / "simulated/0000.jpg").write_bytes(b"picture")
    given = [argument.replace("{}", str(tmp_path)) for argument in arguments.split()]
    assert refusal(given, capsys) == code
    assert not (tmp_path / "k").exists()


def test_cameras_elsewhere_have_numbers_only(
    tmp_path: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_sysfs, "IS_LINUX", False)
    capture = ["agent", "capture", *SESSION.split()]
    assert refusal([*capture, "--camera", "C270"], capsys) == "input-unusable"
    assert refusal([*capture, "--camera", "0", "--camera-usb", "046d:0825"], capsys) == (
        "input-unusable"
    )
    assert refusal(["agent", "cameras"], capsys) == "input-unusable"


def test_the_list_of_cameras(capsys: Capsys) -> None:
    assert main(["agent", "cameras", "--json"]) == 0
    assert [(c["number"], c["virtual"]) for c in said(capsys)["cameras"]] == [(0, False), (9, True)]
    assert main(["agent", "cameras"]) == 0
    assert "VIRTUAL" in capsys.readouterr().out.splitlines()[1]


@pytest.mark.parametrize("words", ["agents", "agent capture", "agent enrol", "agent cameras"])
def test_help_has_examples(words: str, capsys: Capsys) -> None:
    with pytest.raises(SystemExit):
        main([*words.split(), "--help"])
    assert f"\n  chinhchu {words}" in capsys.readouterr().out
