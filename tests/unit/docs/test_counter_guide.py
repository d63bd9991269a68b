"""The counter's guide knows every message that an officer can get, and no other."""

import importlib
import pkgutil
import re
from pathlib import Path

import devices
from devices.errors import DeviceError

GUIDE = (Path(__file__).parents[3] / "docs/guides/counter.md").read_text("utf-8")
CODES = {
    code
    for row in re.findall(r"^\| (`[^|]+) \|", GUIDE, re.MULTILINE)
    for code in re.findall(r"`([a-z-]+)`", row)
}


def _errors(root: type[DeviceError]) -> set[type[DeviceError]]:
    return {root}.union(*(_errors(error) for error in root.__subclasses__()))


def _codes() -> dict[str, bool]:
    for module in pkgutil.walk_packages(devices.__path__, "devices."):
        importlib.import_module(module.name)
    return {error.code: error.retryable for error in _errors(DeviceError) - {DeviceError}}


def test_every_code_in_the_guide_exists() -> None:
    assert len(CODES) > 25
    assert not CODES - _codes().keys()


def test_everything_that_can_be_tried_again_is_explained() -> None:
    retryable = {code for code, may_be_retried in _codes().items() if may_be_retried}
    passwords = {code for code in _codes() if code.startswith(("password-", "access-"))}
    assert retryable | passwords <= CODES
