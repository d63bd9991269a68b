"""What an agent says of itself and its camera, and what follows from it."""

import base64
import json
from dataclasses import replace

import pytest

from api.agent.device import EnrolledDevice
from api.assertions.vocabulary import Capture, CheckResult
from api.fleet.registry import AgentFleet, CameraPin, EnrolledAgent
from api.proofing.injection import REASONS, InjectionVerdict
from biometrics.types import Outcome
from devices.camera_identity import CameraIdentity, CameraKind
from tests.fixtures.captures import LOOPBACK, WEBCAM, enrolled, new_key, shoot

PASSED, HELD, REFUSED = Outcome.PASSED, Outcome.INDETERMINATE, Outcome.FAILED


def found(verdict: InjectionVerdict) -> tuple[Outcome, tuple[str, ...]]:
    """Return outcome and reasons; whatever was found, nothing is attested."""
    assert verdict.capture is Capture.BROWSER
    assert not all(result is CheckResult.OK for _, result in verdict.checks)
    return verdict.outcome, verdict.reasons


def test_an_enrolled_agent_with_its_camera_is_attested() -> None:
    shot = shoot()
    verdict = shot.judge()
    assert (verdict.outcome, verdict.reasons) == (PASSED, ())
    assert verdict.capture is Capture.ATTESTED_AGENT
    assert verdict.device_id == "counter-3"
    assert verdict.agent_version == "0.1.0"
    assert shot.fleet and verdict.agent_key == shot.fleet.agents[0].thumbprint
    assert {result for _, result in verdict.checks} == {CheckResult.OK}
    assert json.loads(json.dumps(verdict.to_dict()))["capture"] == "attested_agent"


def test_a_browser_is_capped_without_a_finding() -> None:
    verdict = shoot().unsigned().judge()
    assert found(verdict) == (PASSED, ())
    assert (verdict.agent_key, verdict.device_id, verdict.agent_version) == (None, None, None)
    assert dict(verdict.checks)["camera-device"] is CheckResult.NOT_PERFORMED


@pytest.mark.parametrize(
    "camera",
    [
        LOOPBACK,
        replace(WEBCAM, driver="v4l2loopback"),
        replace(WEBCAM, driver="v4l2 loopback"),
        replace(WEBCAM, driver="vivid", bus="platform"),
        replace(WEBCAM, name="OBS Virtual Camera"),
        replace(WEBCAM, name="OBS-Camera"),
        replace(WEBCAM, name="ManyCam Video Source"),
        replace(WEBCAM, name="Dummy video device (0x0000)"),
        replace(WEBCAM, name="DroidCam"),
        replace(WEBCAM, name="AkVCam 1"),
        replace(WEBCAM, name="e2eSoft VCam"),
        replace(WEBCAM, path="platform/vhci_hcd.0/usb3/3-1/3-1:1.0"),
        replace(WEBCAM, path="platform/dummy_hcd.0/usb4/4-1/4-1:1.0"),
    ],
    ids=str,
)
def test_virtual_cameras_are_refused(camera: CameraIdentity) -> None:
    device = EnrolledDevice("counter-3", new_key())
    fleet = AgentFleet((enrolled(device, camera),)) if camera.driver else None
    fleet = fleet or AgentFleet((enrolled(device),))
    assert found(shoot(device=device, fleet=fleet, camera=camera).judge()) == (
        REFUSED,
        ("camera-virtual",),
    )


@pytest.mark.parametrize("name", ["Observatory Cam", "HD WebCam", "DevCam 2", "Virtuoso"])
def test_honest_names_are_not_taken_for_virtual_ones(name: str) -> None:
    assert not replace(WEBCAM, name=name).is_virtual


@pytest.mark.parametrize(
    "camera",
    [
        replace(WEBCAM, usb_id="534d:2109", name="USB Video: capture card"),
        replace(WEBCAM, path="pci0000:00/0000:00:14.0/usb1/1-3/1-3:1.0"),
        replace(WEBCAM, name="C920"),
        replace(WEBCAM, usb_id=None),
    ],
    ids=["other device", "other port", "other name", "no id"],
)
def test_another_camera_than_the_pinned_waits_for_an_officer(camera: CameraIdentity) -> None:
    assert found(shoot(camera=camera).judge()) == (HELD, ("camera-not-the-pinned",))


def test_other_drivers_are_capped_unless_they_are_allowed() -> None:
    device = EnrolledDevice("counter-3", new_key())
    camera = replace(WEBCAM, driver="unicam", bus="platform", usb_id=None)
    pin = CameraPin(name=WEBCAM.name)
    agent = EnrolledAgent("counter-3", device.key.public_key(), pin)
    shot = shoot(device=device, fleet=AgentFleet((agent,)), camera=camera)
    assert found(shot.judge()) == (PASSED, ("camera-driver-not-allowed",))
    shot.fleet = AgentFleet((replace(agent, camera=replace(pin, drivers=("unicam",))),))
    assert shot.judge().capture is Capture.ATTESTED_AGENT


def test_a_platform_that_says_nothing_of_its_cameras_attests_none() -> None:
    shot = shoot(camera=CameraIdentity(CameraKind.DEVICE))
    outcome, reasons = found(shot.judge())
    assert outcome is not PASSED
    assert set(reasons) == {"camera-driver-not-allowed", "camera-not-the-pinned"}


def test_a_camera_that_nobody_pinned_is_capped() -> None:
    device = EnrolledDevice("counter-3", new_key())
    shot = shoot(device=device, fleet=AgentFleet((enrolled(device, None),)))
    assert found(shot.judge()) == (PASSED, ("camera-not-pinned",))
    assert shot.judge().device_id == "counter-3"


def test_a_file_is_never_attested() -> None:
    file = replace(WEBCAM, kind=CameraKind.FILE)
    for camera in (file, CameraIdentity(CameraKind.FILE)):
        assert found(shoot(camera=camera).judge()) == (PASSED, ("camera-is-file",))


def test_a_modified_agent_has_a_key_that_nobody_enrolled() -> None:
    stranger = EnrolledDevice("counter-3", new_key())
    for fleet in (AgentFleet(), AgentFleet((enrolled(EnrolledDevice("counter-3", new_key())),))):
        verdict = shoot(device=stranger, fleet=fleet).judge()
        assert found(verdict) == (PASSED, ("agent-key-unknown", "camera-not-pinned"))
        assert (verdict.agent_key, verdict.device_id) == (None, None)
        assert dict(verdict.checks)["frame-signatures"] is CheckResult.NOT_PERFORMED


def test_no_fleet_is_an_empty_one() -> None:
    shot = shoot()
    shot.fleet = None
    assert "agent-key-unknown" in found(shot.judge())[1]


def test_a_stranger_who_names_the_enrolled_key() -> None:
    shot = shoot()
    other = shoot(device=EnrolledDevice("counter-3", new_key()))
    assert shot.context.agent_jws and other.context.agent_jws
    header = shot.context.agent_jws.split(".")[0]
    payload_and_signature = other.context.agent_jws.split(".")[1:]
    other.fleet = shot.fleet
    other.context = replace(other.context, agent_jws=".".join([header, *payload_and_signature]))
    verdict = other.judge()
    assert found(verdict)[0] is REFUSED
    assert "agent-statement-invalid" in verdict.reasons
    assert verdict.agent_key is None


def test_a_revoked_device_is_refused() -> None:
    device = EnrolledDevice("counter-3", new_key())
    shot = shoot(device=device, fleet=AgentFleet((enrolled(device, revoked=True),)))
    assert found(shot.judge()) == (REFUSED, ("agent-revoked",))


@pytest.mark.parametrize("version", ["0.0.9", "0.0.99.9", "unknown", "v1", "-1"])
def test_an_agent_too_old_is_capped(version: str) -> None:
    shot = shoot(version=version)
    assert shot.fleet
    shot.fleet = AgentFleet(shot.fleet.agents, "0.1")
    assert found(shot.judge()) == (PASSED, ("agent-version-too-old",))


@pytest.mark.parametrize("version", ["0.1", "0.1.0", "0.1.1.dev3", "0.10", "1"])
def test_an_agent_that_is_new_enough(version: str) -> None:
    shot = shoot(version=version)
    assert shot.fleet
    shot.fleet = AgentFleet(shot.fleet.agents, "0.1.0")
    assert shot.judge().capture is Capture.ATTESTED_AGENT


def test_a_device_under_anothers_name_is_capped() -> None:
    shot = shoot()
    assert shot.fleet
    shot.fleet = AgentFleet((replace(shot.fleet.agents[0], device_id="counter-4"),))
    assert found(shot.judge()) == (PASSED, ("agent-device-mismatch",))


def test_a_statement_for_another_session_is_refused() -> None:
    shot = shoot(stated_session="b" * 32)
    assert found(shot.judge()) == (REFUSED, ("agent-statement-of-other-session",))


def test_signatures_without_a_statement() -> None:
    assert found(shoot().judge(agent_jws=None)) == (PASSED, ("agent-statement-missing",))


def _with_header(compact: str, **changes: object) -> str:
    first, *rest = compact.split(".")
    header = json.loads(base64.urlsafe_b64decode(first + "==")) | changes
    encoded = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return ".".join([encoded, *rest])


def test_statements_that_are_none() -> None:
    shot = shoot()
    good = shot.context.agent_jws
    assert good
    broken = [
        *("", "a.b.c", "x", good[:-1], good + "=", "..", "é", "." * 5000, good + good),
        _with_header(good, alg="none"),
        _with_header(good, alg="HS256"),
        _with_header(good, typ="dc+sd-jwt"),
        _with_header(good, kid=5),
        _with_header(good, kid="\n"),
        _with_header(good, crit=["b64"]),
    ]
    for compact in broken:
        assert found(shot.judge(agent_jws=compact)) == (REFUSED, ("agent-statement-invalid",))


def test_every_reason_begins_with_what_the_subject_is_not_told() -> None:
    assert all(reason.startswith(("agent-", "camera-", "capture-", "frame-")) for reason in REASONS)
