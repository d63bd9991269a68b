"""The keys that sign assertions: made, renewed, loaded; never overwritten.

Where they lie is said in `folder`; `renewal` makes the next ones, and `ring` takes the newest while
a server runs.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from api.assertions.errors import (
    KeysExistError,
    SigningKeyExpiredError,
    SigningKeyUnusableError,
)
from api.assertions.signing_key import SigningKey, signing_key
from api.keys import private_keys
from api.keys.authority import KeyPair, make_issuing_ca, make_leaf, make_root
from api.keys.errors import KeyFolderUnusableError
from api.keys.files import (
    check_password,
    encode_private_key,
    make_private_folder,
    write_file,
)
from api.keys.folder import (
    BEGIN_AGAIN,
    ISSUING,
    ROOT,
    ROOT_KEY,
    ROOT_LIST,
    SIGNING,
    UNFINISHED,
    KeyFolder,
)
from api.keys.keys_toml import KEYS_TOML, TokenPlace, encode_token_place
from api.keys.making import KeyMaker, encode_certificates, write_first_list
from api.keys.private_keys import KeySecrets
from api.keys.renewal import renew_issuing_ca, renew_leaf
from api.keys.ring import KeyRing
from api.keys.state import check_clock

MAX_ISSUER = 2000
"""Characters of an `iss`; it is in every assertion."""

__all__ = [
    "ROOT",
    "ROOT_KEY",
    "KeySecrets",
    "SigningKey",
    "init",
    "load",
    "open_issuing_ca",
    "open_newest_issuing_ca",
    "open_root",
    "renew_issuing_ca",
    "renew_leaf",
    "signing_key",
]


def init(
    folder: Path,
    *,
    name: str = "chinhchu",
    issuer: str | None = None,
    password: str | None,
    root_password: str | None = None,
    token: TokenPlace | None = None,
    pin: str | None = None,
    ca_in_token: bool = False,
    at: datetime | None = None,
) -> SigningKey:
    """Make root, issuing CA and leaf, with their revocation lists, in an empty or new folder.

    Args:
        folder: private files get mode 0600 (on Windows they inherit the folder's access list).
        name: the organisation.
        issuer: the `iss` of the assertions, a URI; a random ``urn:uuid:…`` if None.
        password: encrypts the private keys that are in files; None leaves them open, for
            demonstrations.
        root_password: encrypts the root's private key; `password` if None.
        token: the security module in which the leaf's key is made; in a file if None.
        pin: of that token.
        ca_in_token: make the issuing CA's key there too; the root's is always in a file.
        at: when validity begins; now if None.

    Raises:
        KeysExistError: the folder holds something.
        KeysPasswordWeakError: a password has fewer than 12 characters.
        SigningKeyUnusableError: the name or issuer is unfit.
        KeyFolderUnusableError: the folder cannot be written.
        ApiError: what `pkcs11` raises.
    """
    issuer = issuer or f"urn:uuid:{uuid.uuid4()}"
    if not _is_uri(issuer):
        raise SigningKeyUnusableError("the issuer must be a URI, such as https://office.example")
    # RFC 5280 appendix A.1, ub-organization-name
    if not 0 < len(name.strip()) <= 64 or not name.isprintable():
        raise SigningKeyUnusableError("the name must have 1 to 64 printable characters")
    for secret in (password, root_password):
        check_password(secret)
    _refuse_files(folder)
    begin = at or datetime.now(UTC)
    maker = KeyMaker(folder, token, KeySecrets(password, pin))
    root = make_root(name, begin)
    issuing_ca = make_issuing_ca(name, root, begin, maker.new(ISSUING) if ca_in_token else None)
    leaf = make_leaf(name, issuer, issuing_ca, begin, maker.new(SIGNING))
    root_key = encode_private_key(root.private_key, root_password or password)
    with _unfinished(folder):
        write_file(folder / ROOT_KEY, root_key, private=True)
        write_file(folder / ROOT, encode_certificates(root))
        if token is not None:
            write_file(folder / KEYS_TOML, encode_token_place(token))
        write_first_list(folder, ROOT_LIST, root, begin)
        write_first_list(folder, maker.store(ISSUING, issuing_ca), issuing_ca, begin)
        maker.store(SIGNING, leaf, issuing_ca)
    return signing_key(leaf.private_key, (leaf.certificate, issuing_ca.certificate))


def load(
    folder: Path, password: str | None, *, pin: str | None = None, at: datetime | None = None
) -> SigningKey:
    """Load the signing key that is to be used at a time; a server holds a `KeyRing` instead.

    Args:
        folder: as `init` made it; the root's and the issuing CA's private keys may be elsewhere.
        password: None for a key that is not encrypted.
        pin: of the token, where the key is in one.
        at: the time at which it must be valid; now if None.

    Raises:
        ApiError: what `KeyRing.current` raises.
    """
    return KeyRing(folder, KeySecrets(password, pin)).current(at or datetime.now(UTC))


def open_root(folder: KeyFolder, password: str | None, key_file: Path | None = None) -> KeyPair:
    """Open the root's private key.

    Args:
        folder: what is in the folder of keys.
        password: of the key; None where it is not encrypted.
        key_file: where the key is, if not where `init` put it.

    Raises:
        AuthorityKeyMissingError: it is not there.
        ApiError: what `private_keys.open_key_file` raises.
    """
    return private_keys.open_key_file(key_file or folder.path / ROOT_KEY, folder.root, password)


def open_issuing_ca(
    folder: KeyFolder, name: str, secrets: KeySecrets, key_file: Path | None = None
) -> KeyPair:
    """Open the private key of the issuing CA of that NAME.

    Args:
        folder: what is in the folder of keys.
        name: the NAME of the CA's files.
        secrets: its password or PIN.
        key_file: where the key is, if not where `init` put it.

    Raises:
        AuthorityKeyMissingError: it is not there.
        ApiError: what `private_keys` raises.
    """
    (stored,) = (ca for ca in folder.issuing_cas if ca.name == name)
    if key_file is not None:
        return private_keys.open_key_file(key_file, stored.certificate, secrets.password)
    return private_keys.open_stored_key(stored, folder.token, secrets)


def open_newest_issuing_ca(
    folder: KeyFolder, secrets: KeySecrets, at: datetime, key_file: Path | None = None
) -> KeyPair:
    """Open the private key of the issuing CA that signs leaves at a time.

    Raises:
        SigningKeyExpiredError: no issuing CA is valid then and not revoked.
        ApiError: as for `open_issuing_ca`.
    """
    check_clock(folder, at)
    usable = folder.usable(folder.issuing_cas, at, at)
    if not usable:
        raise SigningKeyExpiredError(
            "no issuing CA is valid at that time; a new one is needed (chinhchu keys renew --ca)"
        )
    return open_issuing_ca(folder, usable[0].name, secrets, key_file)


def _is_uri(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:  # as of brackets without an address between them
        return False
    is_plain = text.isascii() and text.isprintable() and " " not in text
    is_somewhere = bool(parts.netloc) if parts.scheme in ("http", "https") else bool(parts.path)
    return is_plain and bool(parts.scheme) and is_somewhere and len(text) <= MAX_ISSUER


def _refuse_files(folder: Path, *besides: str) -> None:
    try:
        found = {path.name for path in folder.iterdir()} if folder.exists() else set()
    except OSError as error:
        raise KeyFolderUnusableError(f"{folder}: {error.strerror or 'not a folder'}") from None
    if found - set(besides):
        raise KeysExistError(
            f"{folder} is not empty; keys are never overwritten"
            + ("; they are being made. " + BEGIN_AGAIN) * (UNFINISHED in found)
        )


@contextmanager
def _unfinished(folder: Path) -> Iterator[None]:
    """Mark a folder while it is filled: nobody else fills it, and nobody uses half of it."""
    mark = folder / UNFINISHED
    make_private_folder(folder)
    try:
        mark.touch(mode=0o600, exist_ok=False)  # of two processes one
    except FileExistsError:
        raise KeysExistError(f"keys are being made in {folder}. {BEGIN_AGAIN}") from None
    except OSError as error:
        raise KeyFolderUnusableError(f"{mark}: {error.strerror or 'cannot be written'}") from None
    _refuse_files(folder, UNFINISHED)
    yield
    mark.unlink()
