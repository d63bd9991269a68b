"""Device keys and the list of agents, as files."""

import stat
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from api.assertions.jwk import thumbprint
from api.fleet.device_keys import (
    load_device_key,
    make_device_key,
    parse_public_text,
    public_text,
)
from api.fleet.errors import (
    AgentEnrolledError,
    AgentsInvalidError,
    AgentUnknownError,
    DeviceKeyPasswordError,
    DeviceKeyUnusableError,
)
from api.fleet.registry import AgentFleet, CameraPin, EnrolledAgent
from tests.fixtures.captures import new_key

PASSWORD = "a long enough password"
KEY = public_text(new_key().public_key())


def test_a_key_is_made_once_and_opens_again(tmp_path: Path) -> None:
    for name, password in (("open.pem", None), ("closed.pem", PASSWORD)):
        file = tmp_path / name
        key = make_device_key(file, password)
        again = load_device_key(file, password)
        assert again.private_numbers() == key.private_numbers()
        if sys.platform != "win32":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
        with pytest.raises(DeviceKeyUnusableError):
            make_device_key(file, password)
        assert load_device_key(file, password).private_numbers() == key.private_numbers()
    assert b"ENCRYPTED" in (tmp_path / "closed.pem").read_bytes()


def test_passwords(tmp_path: Path) -> None:
    with pytest.raises(DeviceKeyPasswordError):
        make_device_key(tmp_path / "key.pem", "too short")
    assert not (tmp_path / "key.pem").exists()
    make_device_key(tmp_path / "key.pem", PASSWORD)
    for wrong in (None, "", "another password"):
        with pytest.raises(DeviceKeyPasswordError):
            load_device_key(tmp_path / "key.pem", wrong)


def test_files_that_hold_no_device_key(tmp_path: Path) -> None:
    others = (ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048))
    pems = [
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        for key in others
    ]
    for content in (*pems, b"", b"no key", b"\x00" * 100_000):
        (tmp_path / "key.pem").write_bytes(content)
        with pytest.raises(DeviceKeyUnusableError):
            load_device_key(tmp_path / "key.pem", None)
    with pytest.raises(DeviceKeyUnusableError):
        load_device_key(tmp_path / "absent.pem", None)
    with pytest.raises(DeviceKeyUnusableError):
        make_device_key(tmp_path / "absent" / "key.pem", None)


def test_public_keys_as_text() -> None:
    key = new_key().public_key()
    assert thumbprint(parse_public_text(public_text(key))) == thumbprint(key)
    other = public_text(ec.generate_private_key(ec.SECP384R1()).public_key())
    for text in ("", "no key", "é", public_text(key)[:-8], public_text(key) + "\n", other):
        with pytest.raises(DeviceKeyUnusableError):
            parse_public_text(text)


def test_the_list_is_written_and_read_again(tmp_path: Path) -> None:
    pin = CameraPin("046d:0825", 'C270 "HD" \\ máy ảnh', "pci0000:00/usb1/1-2", ("uvcvideo", "x"))
    agents = (
        EnrolledAgent("counter-3", new_key().public_key(), pin),
        EnrolledAgent("a.b", new_key().public_key(), revoked=True),
    )
    path = tmp_path / "agents.toml"
    AgentFleet(agents, "0.1.0").save(path)
    fleet = AgentFleet.load(path)
    assert fleet.minimum_version == "0.1.0"
    assert [(a.device_id, a.thumbprint, a.camera, a.revoked) for a in fleet.agents] == [
        (a.device_id, a.thumbprint, a.camera, a.revoked) for a in agents
    ]
    assert list(tmp_path.iterdir()) == [path]
    assert AgentFleet.load(tmp_path / "absent").agents == ()


def test_a_life_in_the_list() -> None:
    agent = EnrolledAgent("counter-3", new_key().public_key(), CameraPin("046d:0825"))
    fleet = AgentFleet(minimum_version="1").with_agent(agent)
    assert fleet.by_key(agent.thumbprint) == agent
    with pytest.raises(AgentEnrolledError):
        fleet.with_agent(EnrolledAgent("counter-3", new_key().public_key()))
    with pytest.raises(AgentEnrolledError):
        fleet.with_agent(EnrolledAgent("counter-4", agent.key))
    revoked = fleet.revoking("counter-3").by_key(agent.thumbprint)
    assert revoked is not None
    assert revoked.revoked
    assert revoked.camera == agent.camera
    gone = fleet.without("counter-3")
    assert (gone.agents, gone.minimum_version) == ((), "1")
    for change in (fleet.without, fleet.revoking):
        with pytest.raises(AgentUnknownError):
            change("counter-4")


@pytest.mark.parametrize(
    "text",
    [
        "agents = 5",
        "agents = [1]",
        "[agents]\ncounter = 5",
        "[agents.counter]",
        "[agents.counter]\nkey = 5",
        '[agents.counter]\nkey = "abc"',
        f'[agents."a b"]\nkey = "{KEY}"',
        f'[agents."../x"]\nkey = "{KEY}"',
        f'[agents.counter]\nkey = "{KEY}"\nrevoked = 1',
        f'[agents.counter]\nkey = "{KEY}"\nmore = 1',
        f'[agents.counter]\nkey = "{KEY}"\ncamera = "046d:0825"',
        f'[agents.counter]\nkey = "{KEY}"\ncamera = {{}}',
        f'[agents.counter]\nkey = "{KEY}"\ncamera = {{ drivers = ["uvcvideo"] }}',
        f'[agents.counter]\nkey = "{KEY}"\ncamera = {{ usb_id = "046D:0825" }}',
        f'[agents.counter]\nkey = "{KEY}"\ncamera = {{ usb_id = 5 }}',
        f'[agents.counter]\nkey = "{KEY}"\ncamera = {{ name = "" }}',
        f'[agents.counter]\nkey = "{KEY}"\ncamera = {{ name = "a", drivers = "uvcvideo" }}',
        f'[agents.counter]\nkey = "{KEY}"\ncamera = {{ name = "a", drivers = [] }}',
        f'[agents.counter]\nkey = "{KEY}"\ncamera = {{ name = "a", serial = "1" }}',
        f'[agents.a]\nkey = "{KEY}"\n[agents.b]\nkey = "{KEY}"',
        'minimum_version = "new"',
        "minimum_version = 1",
        "other = 1",
        "no toml",
        "\x00",
    ],
)
def test_lists_that_are_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "agents.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(AgentsInvalidError) as refused:
        AgentFleet.load(path)
    assert KEY not in str(refused.value)


def test_a_folder_or_a_dangling_link_is_no_absence(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("folder", "link"):
        with pytest.raises(AgentsInvalidError):
            AgentFleet.load(tmp_path / name)
