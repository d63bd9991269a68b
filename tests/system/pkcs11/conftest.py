"""A SoftHSM of the tests' own: a private folder of tokens, taken down with the session."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.keys import keys
from api.keys import pkcs11 as pkcs11_keys
from api.keys.keys_toml import TokenPlace

MODULES = (
    *("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so"),
    *("/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so"),
    *("/usr/local/lib/softhsm/libsofthsm2.so", "/opt/homebrew/lib/softhsm/libsofthsm2.so"),
)
PIN = "482915"
PASSWORD = "một mật khẩu đủ dài"


@dataclass(frozen=True)
class SoftHsm:
    """SoftHSM with as many tokens as tests ask for."""

    module: Path
    configuration: Path

    def make_token(self, label: str) -> TokenPlace:
        """Make a token with the user PIN `PIN`."""
        command = ["softhsm2-util", "--init-token", "--free", "--label", label]
        subprocess.run(
            [*command, "--so-pin", "73910462", "--pin", PIN],
            check=True,
            capture_output=True,
            env={**os.environ, "SOFTHSM2_CONF": str(self.configuration)},
        )
        self.restart()
        return TokenPlace(self.module, label)

    def restart(self) -> None:
        """Make the module forget sessions and logins, as a network HSM that was cut off."""
        import pkcs11

        pkcs11.lib(str(self.module)).reinitialize()


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    module = next((path for path in map(Path, MODULES) if path.exists()), None)
    if module is None or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM2 is not installed (apt-get install softhsm2)")
    pkcs11 = pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(
        f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n", encoding="utf-8"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(configuration))
        with suppress(pkcs11.PKCS11Error):
            pkcs11.unload(str(module))  # it reads its configuration when it is loaded
        yield SoftHsm(module, configuration)
        pkcs11_keys.forget_tokens()
        pkcs11.unload(str(module))


@pytest.fixture
def token(softhsm: SoftHsm, request: pytest.FixtureRequest) -> TokenPlace:
    """A fresh token."""
    return softhsm.make_token(f"t{abs(hash(request.node.nodeid)) % 10**12}")


@pytest.fixture
def folder(token: TokenPlace, tmp_path: Path) -> Path:
    """A folder whose leaf's key is in the token."""
    keys.init(tmp_path / "keys", password=PASSWORD, token=token, pin=PIN)
    return tmp_path / "keys"
