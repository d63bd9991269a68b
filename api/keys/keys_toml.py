"""`keys.toml`: which security module holds the private keys of a folder, and which token of it."""

import json
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path

from api.keys.errors import KeyFolderUnusableError
from api.keys.files import read_file

KEYS_TOML = "keys.toml"


@dataclass(frozen=True)
class TokenPlace:
    """The security module that holds private keys, as `keys.toml` says."""

    module: Path
    """The vendor's PKCS#11 library."""
    token: str
    """The token's label."""
    pin_file: Path | None = None
    """A file whose first line is the PIN; None: it is given otherwise."""


def read_token_place(folder: Path) -> TokenPlace | None:
    """Return where a folder's private keys are, None where they are in its files.

    Raises:
        KeyFolderUnusableError: `keys.toml` cannot be read, or says something else.
    """
    file = folder / KEYS_TOML
    if not os.path.lexists(file):
        return None
    try:
        table = dict(tomllib.loads(read_file(file).decode())["pkcs11"])
        module, token, pin_file = (table.pop(n, None) for n in ("module", "token", "pin_file"))
    except (ValueError, KeyError, TypeError):
        raise _unusable(file) from None
    named = isinstance(module, str) and isinstance(token, str) and module and token
    if table or not named or not isinstance(pin_file, str | None):
        raise _unusable(file)
    return TokenPlace(folder / module, token, folder / pin_file if pin_file else None)


def encode_token_place(token: TokenPlace) -> bytes:
    """Return `keys.toml`."""
    values = {"module": str(token.module), "token": token.token}
    if token.pin_file is not None:
        values["pin_file"] = str(token.pin_file)
    # A JSON string is a TOML basic string.
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    return "\n".join(["[pkcs11]", *lines, ""]).encode()


def _unusable(file: Path) -> KeyFolderUnusableError:
    return KeyFolderUnusableError(
        f"{file} must hold [pkcs11] with module and token, may hold pin_file, and nothing else"
    )
