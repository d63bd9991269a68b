"""Where the server keeps its things one folder, two variables."""

import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from api.errors import ApiError


class SettingsInvalidError(ApiError):
    """The configuration cannot be used."""

    code = "settings-invalid"


@dataclass(frozen=True)
class RelyingParty:
    """One office or application that may open sessions."""

    audience: str
    """The `aud` of every assertion that it gets."""
    key_sha256: str = field(repr=False)
    """SHA-256 of its API key, lower-case hex; the key itself is never stored."""


@dataclass(frozen=True)
class Settings:
    """Everything that the server is told from outside."""

    home: Path
    """Folder that holds `keys/`, `trust/`, the database and `relying-parties.toml`."""
    keys_password: str | None = field(default=None, repr=False)
    """Opens the signing key."""

    @classmethod
    def from_environment(cls, home: Path | None = None) -> "Settings":
        """Take `CHINHCHU_HOME` (default `~/.chinhchu`) and `CHINHCHU_KEYS_PASSWORD`."""
        folder = home or Path(os.environ.get("CHINHCHU_HOME") or Path.home() / ".chinhchu")
        return cls(home=folder, keys_password=os.environ.get("CHINHCHU_KEYS_PASSWORD"))

    @property
    def keys(self) -> Path:
        """Folder of the signing key and its chain."""
        return self.home / "keys"

    @property
    def trust(self) -> Path:
        """Folder of the CSCA certificates that Passive Authentication trusts."""
        return self.home / "trust"

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.home / "chinhchu.sqlite"

    def relying_parties(self) -> tuple[RelyingParty, ...] | None:
        """Return who may open sessions, or None where no one has configured that.

        Raises:
            SettingsInvalidError: the file is malformed.
        """
        path = self.home / "relying-parties.toml"
        if not path.is_file():
            return None
        try:
            table = tomllib.loads(path.read_text("utf-8"))
            parties = tuple(
                RelyingParty(audience=str(name), key_sha256=str(entry["key_sha256"]).lower())
                for name, entry in table.items()
            )
        except (OSError, ValueError, KeyError, TypeError):
            raise SettingsInvalidError(
                f"{path} must hold one table a relying party, each with key_sha256"
            ) from None
        if not all(re.fullmatch("[0-9a-f]{64}", party.key_sha256) for party in parties):
            raise SettingsInvalidError(f"{path}: key_sha256 is 64 hex digits")
        return parties
