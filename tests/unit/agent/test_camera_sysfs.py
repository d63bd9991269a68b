"""Cameras found in a tree laid out as the kernel lays it out."""

from pathlib import Path

import pytest

from devices.camera_identity import CameraIdentity, CameraKind, CameraMalformedError
from devices.camera_sysfs import (
    CameraAmbiguousError,
    CameraOtherError,
    CameraVirtualError,
    choose_camera,
    find_cameras,
)
from devices.errors import CameraMissingError
from tests.fixtures.sysfs import Sysfs


@pytest.fixture
def sysfs(tmp_path: Path) -> Sysfs:
    return Sysfs(tmp_path / "sys")


def test_a_usb_camera_with_two_device_files(sysfs: Sysfs) -> None:
    sysfs.usb(0, "1-2", "046d:0825", "C270 HD WEBCAM")
    sysfs.usb(1, "1-2", "046d:0825", "C270 HD WEBCAM", index=1)
    (node,) = find_cameras(sysfs.root)
    assert (node.file, node.number) == (Path("/dev/video0"), 0)
    assert node.identity == CameraIdentity(
        kind=CameraKind.DEVICE,
        driver="uvcvideo",
        bus="usb",
        name="C270 HD WEBCAM",
        usb_id="046d:0825",
        path="pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0",
    )
    assert not node.identity.is_virtual


def test_cameras_that_are_programs(sysfs: Sysfs) -> None:
    sysfs.loopback(10, "C270 HD WEBCAM")
    sysfs.usb(11, "3-1", "046d:0825", "C270 HD WEBCAM", controller="platform/vhci_hcd.0")
    sysfs.platform(12, "vivid.0", "vivid", "vivid-000-vid-cap")
    sysfs.platform(13, "csi.0", "unicam", "unicam-image")
    assert [node.identity.is_virtual for node in find_cameras(sysfs.root)] == [
        *(True, True, True, False)
    ]


def test_no_tree_and_an_odd_one(sysfs: Sysfs, tmp_path: Path) -> None:
    assert find_cameras(tmp_path / "absent") == ()
    entry = sysfs.root / "class/video4linux/video0"
    entry.mkdir(parents=True)
    (sysfs.root / "class/video4linux/videos").mkdir()
    (entry / "device").symlink_to("device")
    (entry / "name").write_bytes(b"\x1b[2J evil \xff\n" + b"x" * 10_000)
    (node,) = find_cameras(sysfs.root)
    assert node.identity.is_virtual
    assert node.identity.name == "[2J evil \ufffd"
    (entry / "name").write_bytes(b"x" * 1_000_000)
    (node,) = find_cameras(sysfs.root)
    assert node.identity.name == "x" * 200


def test_the_one_that_was_asked_for(sysfs: Sysfs) -> None:
    sysfs.usb(0, "1-2", "046d:0825", "C270 HD WEBCAM")
    sysfs.usb(2, "1-3", "0ac8:3420", "Integrated Camera")
    sysfs.usb(4, "1-4", "046d:0825", "C270 HD WEBCAM")
    sysfs.loopback(9, "OBS Virtual Camera")
    cameras = find_cameras(sysfs.root)
    for wanted in ("2", "integrated", "/dev/video2", "Integrated Camera"):
        assert choose_camera(wanted, None, cameras).number == 2
    assert choose_camera(None, "0ac8:3420", cameras).number == 2
    assert choose_camera("4", "046d:0825", cameras).number == 4
    for wanted, usb_id, error in (
        ("7", None, CameraMissingError),
        ("/dev/video7", None, CameraMissingError),
        ("webcam of another maker", None, CameraMissingError),
        (None, "1234:5678", CameraMissingError),
        ("C270", None, CameraAmbiguousError),
        (None, "046d:0825", CameraAmbiguousError),
        ("2", "046d:0825", CameraOtherError),
        ("9", None, CameraVirtualError),
        ("obs", None, CameraVirtualError),
    ):
        with pytest.raises(error):
            choose_camera(wanted, usb_id, cameras)


def test_no_camera_at_all() -> None:
    with pytest.raises(CameraMissingError, match="there are: none"):
        choose_camera("0", None, ())


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "camera",
        {},
        {"kind": "other"},
        {"kind": "device", "driver": 5},
        {"kind": "device", "name": ""},
        {"kind": "device", "name": "a\nb"},
        {"kind": "device", "name": "x" * 201},
        {"kind": "device", "usb_id": "046D:0825"},
        {"kind": "device", "usb_id": 5},
        {"kind": "device", "usb_id": ["046d:0825"]},
        {"kind": "device", "more": "x"},
        {"kind": ["device"]},
    ],
)
def test_descriptions_that_are_none(data: object) -> None:
    with pytest.raises(CameraMalformedError):
        CameraIdentity.from_dict(data)


def test_a_description_survives_json() -> None:
    camera = CameraIdentity(CameraKind.DEVICE, "uvcvideo", "usb", "Máy ảnh", "046d:0825", "a/b")
    assert CameraIdentity.from_dict(camera.to_dict()) == camera
