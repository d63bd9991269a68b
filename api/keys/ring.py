"""The signing keys of a running server: always the newest that fits, without a restart.

A leaf that is renewed, or revoked, takes effect with the next assertion: before each, the ring
looks whether a file of the folder changed, and reads the folder again only then.
"""

import logging
import os
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from api.assertions.claims import DEFAULT_LIFETIME_S
from api.assertions.errors import SigningKeyExpiredError
from api.assertions.signing_key import SigningKey, signing_key
from api.errors import ApiError
from api.keys.errors import KeyFolderUnusableError
from api.keys.folder import ISSUING, LISTS, SIGNING, Fault, KeyFolder, StoredCertificate
from api.keys.list_memory import ListMemory
from api.keys.private_keys import KeySecrets, open_stored_key
from api.keys.state import KeysState, check_clock, keys_state

Fingerprint = tuple[tuple[str, int, int, int], ...]

WARN_EVERY = timedelta(days=1)
READINGS = 3
"""Of a folder that others are changing, before a request is refused."""

log = logging.getLogger("chinhchu.keys")


class KeyRing:
    """The folder's leaves; safe to use from several threads at once."""

    def __init__(self, folder: Path, secrets: KeySecrets, memory: ListMemory | None = None) -> None:
        """Sign with the keys of a folder, and remember its lists; in this process alone if None."""
        self._path = folder
        self._secrets = secrets
        self._lock = threading.Lock()
        self._seen: Fingerprint | None = None
        self._refused_at: Fingerprint | None = None
        self._folder: KeyFolder | None = None
        self._opened: dict[tuple[x509.Certificate, ...], SigningKey] = {}
        self._refused: dict[str, ApiError] = {}
        self._memory = memory or ListMemory()
        self._warned_at: datetime | None = None

    @classmethod
    def open(cls, folder: Path, password: str | None, *, pin: str | None = None) -> "KeyRing":
        """Return the ring of a server: it can sign now, and remembers revocation lists for good.

        What it remembers is beside the folder, where `ListMemory` says.

        Raises:
            ApiError: what `current` raises.
        """
        ring = cls(folder, KeySecrets(password, pin), ListMemory.beside(folder))
        ring.current(datetime.now(UTC))
        return ring

    def current(self, at: datetime, *, until: datetime | None = None) -> SigningKey:
        """Return the newest leaf's key that is valid, not revoked, and covers an assertion's life.

        Args:
            at: when the assertion is issued.
            until: when it expires; 15 minutes later if None.

        Raises:
            SigningKeyExpiredError: no leaf covers that time.
            KeyFolderUnusableError: the root, an issuing CA or a revocation list is missing or
                does not fit; nothing is signed then.
            ApiError: no leaf's private key can be opened: what the newest one's opening raised.
        """
        end = until or at + timedelta(seconds=DEFAULT_LIFETIME_S)
        with self._lock:
            folder = self._read()
            self._warn(folder, at)
            errors: list[ApiError] = []
            for stored in folder.usable(folder.leaves, at, end):
                try:
                    return self._key(folder, stored)
                except ApiError as error:
                    errors.append(error)
            if errors:
                raise errors[0]
            if not folder.leaves and folder.faults:
                raise folder.faults[-1].error
            check_clock(folder, at)
        raise SigningKeyExpiredError(
            "no signing certificate covers the assertion's life; a new one is needed "
            "(chinhchu keys renew)"
        )

    @property
    def folder(self) -> KeyFolder:
        """The folder as it is now.

        Raises:
            KeyFolderUnusableError: as for `current`.
        """
        with self._lock:
            return self._read()

    def state(self, at: datetime) -> KeysState:
        """Return which leaf is current, how long it lasts, and what needs doing.

        A leaf whose key cannot be opened here, as one that another account made, is among `faults`.

        Raises:
            KeyFolderUnusableError: as for `current`.
        """
        with suppress(ApiError):
            self.current(at)  # a new leaf's key is tried before it is needed
        with self._lock:
            folder, refused = self._read(), self._refused
            leaves = tuple(leaf for leaf in folder.leaves if leaf.name not in refused)
            faults = tuple(Fault(name, error) for name, error in refused.items())
            usable = replace(folder, leaves=leaves, faults=(*folder.faults, *faults))
        return keys_state(usable, at)

    def _read(self) -> KeyFolder:
        seen = _fingerprint(self._path)
        if self._folder is None or seen != self._seen:
            self._folder = None
            self._refused.clear()
            self._folder, self._seen = self._accepted(seen, READINGS)
            # What was opened stays open: a new password or PIN waits for the next start.
            chains = {leaf.chain for leaf in self._folder.leaves}
            self._opened = {chain: k for chain, k in self._opened.items() if chain in chains}
            for fault in self._folder.faults:
                log.warning("leaf %s cannot be used: %s", fault.name, fault.error.code)
        return self._folder

    def _accepted(self, seen: Fingerprint, readings: int) -> tuple[KeyFolder, Fingerprint]:
        """Read the folder; again where what was read had changed before it was looked at."""
        try:
            # Were an earlier list taken, what was revoked since would be back.
            return self._memory.accept(KeyFolder.read(self._path)), seen
        except KeyFolderUnusableError as error:
            now = _fingerprint(self._path)
            if now != seen and readings > 1:
                return self._accepted(now, readings - 1)
            if seen != self._refused_at:  # once a change, however many requests come
                log.error("keys: %s", error)
            self._refused_at = seen
            raise

    def _key(self, folder: KeyFolder, stored: StoredCertificate) -> SigningKey:
        key = self._opened.get(stored.chain)
        if key is not None:
            return key
        if stored.name in self._refused:
            raise self._refused[stored.name]
        try:
            pair = open_stored_key(stored, folder.token, self._secrets)
        except ApiError as error:
            log.warning("leaf %s cannot be used: %s", stored.name, error.code)
            if not error.retryable:
                self._refused[stored.name] = error
            raise
        key = self._opened[stored.chain] = signing_key(pair.private_key, stored.chain)
        return key

    def _warn(self, folder: KeyFolder, at: datetime) -> None:
        if self._warned_at is not None and abs(at - self._warned_at) < WARN_EVERY:
            return
        self._warned_at = at
        for warning in keys_state(folder, at).warnings:
            log.warning("keys: %s", warning)


def _fingerprint(path: Path) -> Fingerprint:
    """Return what changes whenever a file of the folder that matters does; reads no file.

    Raises:
        KeyFolderUnusableError: the folder cannot be read.
    """
    entries: list[tuple[str, int, int, int]] = []
    try:
        for folder in (path, path / ISSUING, path / SIGNING, path / LISTS):
            with os.scandir(folder) as found:
                for entry in found:
                    with suppress(FileNotFoundError):  # it was renamed or taken away meanwhile
                        status = entry.stat()
                        marks = (status.st_mtime_ns, status.st_size, status.st_ino)
                        entries.append((entry.path, *marks))
    except FileNotFoundError:
        raise KeyFolderUnusableError(
            f"{path} does not hold the keys (chinhchu keys init)"
        ) from None
    except OSError as error:
        raise KeyFolderUnusableError(f"{path}: {error.strerror or 'cannot be read'}") from None
    return tuple(sorted(entries))
