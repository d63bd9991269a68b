"""A new leaf or a new issuing CA beside those that are there, in the same hands as they are."""

from datetime import datetime

from cryptography import x509
from cryptography.x509.oid import NameOID

from api.assertions.chain import issuers_named_by
from api.assertions.errors import (
    KeysPasswordError,
    SigningKeyExpiredError,
    SigningKeyUnusableError,
)
from api.keys.authority import KeyPair, make_issuing_ca, make_leaf
from api.keys.errors import KeyFolderUnusableError
from api.keys.files import decode_private_key, is_encrypted, read_file
from api.keys.folder import (
    ISSUING,
    MAX_CERTIFICATES,
    SIGNING,
    KeyFolder,
    StoredCertificate,
    name_of,
)
from api.keys.making import KeyMaker, write_first_list
from api.keys.private_keys import KeySecrets
from api.keys.state import check_clock


def renew_leaf(
    folder: KeyFolder, issuing_ca: KeyPair, secrets: KeySecrets, at: datetime
) -> StoredCertificate:
    """Make a new leaf for the same issuer beside those that are there.

    Args:
        folder: what is in the folder of keys.
        issuing_ca: who signs it.
        secrets: the password that encrypts the new key's file (None where it stays open, for
            demonstrations), or the token's PIN.
        at: when the leaf begins.

    Raises:
        SigningKeyUnusableError: the folder has no leaf whose issuer the new one could take.
        KeyFolderUnusableError: it has as many as it can hold.
        KeysPasswordError: the password is not that of the other keys' files, or is missing where
            there is none.
        ApiError: the key cannot be made or written.
    """
    if not folder.leaves:
        raise SigningKeyUnusableError("there is no signing certificate to renew")
    if len(folder.leaves) + len(folder.faults) >= MAX_CERTIFICATES:
        raise KeyFolderUnusableError(
            f"{folder.path} holds {MAX_CERTIFICATES} signing certificates; with one more nothing "
            "in it could be used. Is a command run with --now over and over?"
        )
    (issuer,) = issuers_named_by(folder.leaves[-1].certificate)
    if folder.token is None:
        _check_password_of_others(folder, secrets.password)
    maker = KeyMaker(folder.path, folder.token, secrets)
    organisation = _organisation(folder.root)
    leaf = make_leaf(organisation, issuer, issuing_ca, at, maker.new(SIGNING))
    name = maker.store(SIGNING, leaf, issuing_ca)
    chain = (leaf.certificate, issuing_ca.certificate)
    return StoredCertificate(folder.path / SIGNING / f"{name}.pem", chain)


def renew_issuing_ca(
    folder: KeyFolder, root: KeyPair, secrets: KeySecrets, at: datetime, *, in_token: bool
) -> StoredCertificate:
    """Make a new issuing CA with its first revocation list; leaves made from now on are under it.

    Args:
        folder: what is in the folder of keys.
        root: who signs it.
        secrets: as for `renew_leaf`.
        at: when the CA begins.
        in_token: make its key in the token.

    Raises:
        SigningKeyExpiredError: the root is not valid then.
        KeysPasswordError: as for `renew_leaf`.
        ApiError: the key cannot be made or written.
    """
    check_clock(folder, at)
    if at >= root.certificate.not_valid_after_utc:
        raise SigningKeyExpiredError(
            "the root is not valid at that time; after its end a new one is needed, in a new folder"
        )
    if not in_token:
        _check_password_of_others(folder, secrets.password)
    maker = KeyMaker(folder.path, folder.token, secrets)
    key = maker.new(ISSUING) if in_token else None
    issuing_ca = make_issuing_ca(_organisation(folder.root), root, at, key)
    name = name_of(issuing_ca.certificate)
    write_first_list(folder.path, name, issuing_ca, at)
    maker.store(ISSUING, issuing_ca)
    return StoredCertificate(folder.path / ISSUING / f"{name}.pem", (issuing_ca.certificate,))


def _check_password_of_others(folder: KeyFolder, password: str | None) -> None:
    """Refuse to leave a key open, or under a password of its own, beside encrypted ones."""
    stored = (*reversed(folder.leaves), *reversed(folder.issuing_cas))
    present = next((s.key_path for s in stored if s.key_path.is_file()), None)
    if present is None:
        if not password:
            raise KeysPasswordError("the new key's file needs a password, and none was given")
        return
    data = read_file(present)
    try:
        if is_encrypted(data):
            decode_private_key(data, password)
    except KeysPasswordError:
        found = f"the one given does not open {present}" if password else "none was given"
        raise KeysPasswordError(
            f"the new key gets the password of the other keys, and {found}"
        ) from None


def _organisation(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    if not names:
        raise KeyFolderUnusableError("the root does not name its organisation")
    return str(names[0].value)
