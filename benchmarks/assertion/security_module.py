"""SoftHSM, the software security module: a token in a folder of its own, and its bare signature."""

import hashlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from api.assertions.signing_key import SigningKey
from api.keys import keys
from api.keys.keys_toml import TokenPlace
from benchmarks.peers.errors import PeerFailedError, PeerUnavailableError

_LABEL = "chinhchu-benchmark"
_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)


@dataclass(frozen=True)
class SoftHsm:
    """A new token with one key for assertions in it."""

    key: SigningKey
    pin: str = field(repr=False)
    module: Path

    @classmethod
    def prepare(cls, folder: Path) -> "SoftHsm":
        """Make token and key in a folder; for the rest of this process SoftHSM looks only there.

        Raises:
            PeerUnavailableError: SoftHSM is not installed.
            PeerFailedError: it makes no token.
        """
        module = next((Path(name) for name in _MODULES if Path(name).is_file()), None)
        tool = shutil.which("softhsm2-util")
        if module is None or tool is None:
            raise PeerUnavailableError("SoftHSM 2 is not installed")
        (folder / "tokens").mkdir()
        settings = folder / "softhsm2.conf"
        settings.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
        os.environ["SOFTHSM2_CONF"] = str(settings)
        pin = secrets.token_hex(8)
        made = subprocess.run(
            [tool, "--init-token", "--free", "--label", _LABEL, "--so-pin", pin, "--pin", pin],
            capture_output=True,
            check=False,
        )
        if made.returncode != 0:
            raise PeerFailedError("SoftHSM makes no token")
        place = TokenPlace(module, _LABEL)
        key = keys.init(folder / "keys", password=None, token=place, pin=pin)
        return cls(key, pin, module)

    def bare_signature(self, message: bytes) -> Callable[[], object]:
        """Return the bare operation: one SHA-256 here and one C_Sign in the token."""
        import pkcs11

        session = pkcs11.lib(str(self.module)).get_token(token_label=_LABEL).open()
        key: Any = session.get_key(object_class=pkcs11.ObjectClass.PRIVATE_KEY)

        def sign() -> object:
            digest = hashlib.sha256(message).digest()
            return key.sign(digest, mechanism=pkcs11.Mechanism.ECDSA)

        return sign
