"""Where the server keeps its things one folder, two variables."""

import os
import re
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from api.errors import ApiError

MAX_LINK_DAYS = 36_500
MIN_TIMEOUT_S, MAX_TIMEOUT_S = 0.1, 20.0
"""An agent waits thirty seconds for what the server says of a chip."""

_IN_A_URL = re.compile(r"[!-~]+")


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
class OnlineAuthoritySettings:
    """The authority that is asked about each document whose chip has passed."""

    url: str
    """Where questions go."""
    key: Path
    """PEM of the public key, or of a certificate with it, that signs the answers."""
    tls_ca: Path | None = None
    """PEM of the only certificates that its TLS connection may lead to; None: the system's."""
    timeout_s: float = 5.0
    """From the question to the end of the answer."""


@dataclass(frozen=True)
class ServerSettings:
    """How the server is reached, and how long it knows whose assertion is whose."""

    public_url: str | None = None
    """Where relying parties reach it, without a slash at the end; None: they do not."""
    keep_status_links_days: int = 365
    """For so long an assertion can be revoked by its session or dossier, 0 to 36500; afterwards by
    its place in the status list alone. The operator's choice: no law sets it."""


@dataclass(frozen=True)
class Settings:
    """Everything that the server is told from outside."""

    home: Path
    """Folder that holds `keys/`, `trust/`, the database, `relying-parties.toml` and, where they
    are used, `agents.toml` (device agents) and `online-authority.toml`."""
    keys_password: str | None = field(default=None, repr=False)
    """Opens the signing key."""
    keys_pin: str | None = field(default=None, repr=False)
    """Opens the token, where `keys/keys.toml` says that the signing key is in one."""

    @classmethod
    def from_environment(cls, home: Path | None = None) -> "Settings":
        """Take `CHINHCHU_HOME` (default `~/.chinhchu`), `CHINHCHU_KEYS_PASSWORD` and `…_PIN`."""
        folder = home or Path(os.environ.get("CHINHCHU_HOME") or Path.home() / ".chinhchu")
        return cls(
            home=folder,
            keys_password=os.environ.get("CHINHCHU_KEYS_PASSWORD"),
            keys_pin=os.environ.get("CHINHCHU_KEYS_PIN"),
        )

    @property
    def keys(self) -> Path:
        """Folder of the signing key and its chain."""
        return self.home / "keys"

    @property
    def trust(self) -> Path:
        """Folder of the CSCA certificates that Passive Authentication trusts."""
        return self.home / "trust"

    @property
    def agents(self) -> Path:
        """The enrolled device agents; no file means none."""
        return self.home / "agents.toml"

    @property
    def face_pack(self) -> Path | None:
        """Models and comparisons of the operator's own, if there are any."""
        return self._configured("face-pack.toml")

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.home / "chinhchu.sqlite"

    def relying_parties(self) -> tuple[RelyingParty, ...] | None:
        """Return who may open sessions, or None where no one has configured that.

        Raises:
            SettingsInvalidError: the file is malformed.
        """
        path = self._configured("relying-parties.toml")
        if path is None:
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

    def online_authority(self) -> OnlineAuthoritySettings | None:
        """Return whom to ask about documents, or None where no one has configured that.

        Raises:
            SettingsInvalidError: the file is malformed.
        """
        path = self._configured("online-authority.toml")
        if path is None:
            return None
        try:
            values: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
            files = (name for name in ("key", "tls_ca") if name in values)
            authority = OnlineAuthoritySettings(
                **values | {name: self.home / values[name] for name in files}
            )
            address = urlsplit(authority.url)
            is_usable = _is_private(address) and authority.timeout_s >= MIN_TIMEOUT_S
        except (OSError, ValueError, TypeError, AttributeError):
            raise SettingsInvalidError(
                f"{path} must hold url and key, may hold tls_ca and timeout_s, and nothing else"
            ) from None
        if not is_usable or authority.timeout_s > MAX_TIMEOUT_S:
            raise SettingsInvalidError(
                f"{path}: url is https (http on this machine only) without a user's name in it, "
                f"timeout_s is {MIN_TIMEOUT_S} to {MAX_TIMEOUT_S}"
            )
        return authority

    def server(self) -> ServerSettings:
        """Return how the server is reached.

        Raises:
            SettingsInvalidError: the file is malformed.
        """
        path = self._configured("server.toml")
        if path is None:
            return ServerSettings()
        try:
            server = ServerSettings(**tomllib.loads(path.read_text("utf-8")))
            url = server.public_url
            address = urlsplit(url) if url is not None else None
            is_usable = address is None or (
                _is_private(address)
                and not (address.query or address.fragment)
                # It is in every assertion for good (RFC 3986 §2). `urlsplit` drops line feeds.
                and _IN_A_URL.fullmatch(str(url)) is not None
            )
            days = server.keep_status_links_days
        except (OSError, ValueError, TypeError, AttributeError):
            raise SettingsInvalidError(
                f"{path} may hold public_url and keep_status_links_days, and nothing else"
            ) from None
        if not is_usable or type(days) is not int or not 0 <= days <= MAX_LINK_DAYS:
            raise SettingsInvalidError(
                f"{path}: public_url is https (http on this machine only), in ASCII and without a "
                f"space, a user's name or a query, keep_status_links_days is 0 to {MAX_LINK_DAYS}"
            )
        return replace(server, public_url=url and url.rstrip("/"))

    def _configured(self, name: str) -> Path | None:
        """Return a file of the home folder, None where there is none.

        A folder of that name, or a link that leads nowhere, is a mistake and not an absence: what
        it should have held may be what protects.
        """
        path = self.home / name
        return path if os.path.lexists(path) else None


def _is_private(address: SplitResult) -> bool:
    """Return whether nobody on the way can read or change what is sent there."""
    if not address.hostname or address.username is not None or address.port == 0:
        return False
    is_here = address.hostname in ("127.0.0.1", "::1", "localhost")
    return address.scheme == "https" or (address.scheme == "http" and is_here)
