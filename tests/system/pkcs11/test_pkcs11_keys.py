"""Keys in a real token: made there, used from many threads, lost and found, refused with a code."""

import shutil
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from api.assertions import sd_jwt
from api.assertions.errors import KeysPasswordError
from api.assertions.verification import Outcome
from api.keys import authority, keys, private_keys
from api.keys import pkcs11 as pkcs11_keys
from api.keys.errors import (
    AuthorityKeyMissingError,
    KeyFolderUnusableError,
    Pkcs11KeyMismatchError,
    Pkcs11KeyMissingError,
    Pkcs11ModuleUnusableError,
    Pkcs11NotInstalledError,
    Pkcs11TokenMissingError,
)
from api.keys.folder import KeyFolder
from api.keys.keys_toml import TokenPlace
from api.keys.pkcs11_key import Pkcs11PrivateKey
from api.keys.revocation import revoke
from api.keys.ring import KeyRing
from tests.system.pkcs11.conftest import PASSWORD, PIN, SoftHsm

SECRETS = keys.KeySecrets(PASSWORD, PIN)
NOW = datetime.now(UTC)
ES256 = ec.ECDSA(hashes.SHA256())


def objects(token: TokenPlace) -> list[Any]:
    """Return the private keys of a token as the module has them."""
    import pkcs11

    opened = private_keys.open_token(token, PIN)
    wanted = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY}
    return opened.use(lambda session: list(session.get_objects(wanted)))


def test_an_assertion_signed_in_the_token(office: Any, folder: Path) -> None:
    ring = KeyRing.open(folder, None, pin=PIN)
    assertion = sd_jwt.issue(office.claims(issued_at=NOW), ring.current(NOW))
    root = (folder / keys.ROOT).read_bytes()
    assert office.verify(assertion, roots=[root], at=NOW).outcome is Outcome.PASSED
    assert office.verify(assertion, at=NOW).outcome is Outcome.FAILED


def test_the_key_is_in_the_token_alone(token: TokenPlace, folder: Path) -> None:
    import pkcs11

    (leaf,) = KeyFolder.read(folder).leaves
    assert not leaf.key_path.exists()
    (ca,) = KeyFolder.read(folder).issuing_cas
    assert ca.key_path.exists()
    (key,) = objects(token)
    attribute = pkcs11.Attribute
    assert key[attribute.SENSITIVE] and key[attribute.ALWAYS_SENSITIVE]
    assert not key[attribute.EXTRACTABLE] and key[attribute.NEVER_EXTRACTABLE]
    assert key[attribute.LOCAL]
    with pytest.raises(pkcs11.AttributeSensitive):
        key[attribute.VALUE]


def test_the_key_object_gives_nothing_away(folder: Path) -> None:
    key = keys.load(folder, None, pin=PIN).private_key
    with pytest.raises(Pkcs11KeyMismatchError):
        key.private_numbers()
    with pytest.raises(Pkcs11KeyMismatchError):
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    with pytest.raises(Pkcs11KeyMismatchError):
        key.exchange(ec.ECDH(), key.public_key())
    with pytest.raises(Pkcs11KeyMismatchError):
        key.sign(b"", ec.ECDSA(hashes.SHA384()))
    assert PIN not in repr(key)
    assert (key.key_size, key.curve.name) == (256, "secp256r1")


def test_issuing_ca_in_the_token(token: TokenPlace, tmp_path: Path) -> None:
    """Certificates and revocation lists are then signed there; the root stays a file."""
    folder = tmp_path / "keys"
    keys.init(folder, password=PASSWORD, token=token, pin=PIN, ca_in_token=True)
    assert [p.name for p in folder.rglob("*.key.pem")] == ["root.key.pem"]
    assert len(objects(token)) == 2
    read = KeyFolder.read(folder)
    secrets = keys.KeySecrets(None, PIN)
    ca = keys.open_newest_issuing_ca(read, secrets, NOW)
    renewed = keys.renew_leaf(read, ca, secrets, NOW)
    assert len(objects(token)) == 3
    revoke(KeyFolder.read(folder), renewed, ca, NOW, reason="superseded")
    assert KeyFolder.read(folder).revoked == {renewed.name}
    assert keys.load(folder, None, pin=PIN)
    root = keys.open_root(read, PASSWORD)
    new_ca = keys.renew_issuing_ca(KeyFolder.read(folder), root, secrets, NOW, in_token=True)
    assert not new_ca.key_path.exists()
    assert len(objects(token)) == 4


def test_many_threads(folder: Path) -> None:
    """The module was told that one thread calls it: the lock has to make that true."""
    key = keys.load(folder, None, pin=PIN)
    barrier = threading.Barrier(16)

    def sign(number: int) -> None:
        barrier.wait()
        for count in range(25):
            message = f"{number} {count}".encode()
            signature = key.private_key.sign(message, ES256)
            key.public_key.verify(signature, message, ES256)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(sign, range(16)))


def test_a_lost_session_is_opened_again(softhsm: SoftHsm, folder: Path) -> None:
    key = keys.load(folder, None, pin=PIN)
    for _ in range(3):
        softhsm.restart()
        key.public_key.verify(key.private_key.sign(b"again", ES256), b"again", ES256)


def test_a_session_lost_under_many_threads(softhsm: SoftHsm, folder: Path) -> None:
    key = keys.load(folder, None, pin=PIN)
    token = private_keys.open_token(KeyFolder.read(folder).token, PIN)
    done = threading.Event()

    def lose() -> None:
        while not done.wait(0.005):
            token.use(lambda session: session.close())

    def sign(_: int) -> None:
        for _ in range(30):
            key.public_key.verify(key.private_key.sign(b"m", ES256), b"m", ES256)

    thread = threading.Thread(target=lose)
    thread.start()
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(sign, range(8)))
    finally:
        done.set()
        thread.join()


def test_module_or_token_missing(folder: Path, token: TokenPlace, tmp_path: Path) -> None:
    (tmp_path / "text.so").write_text("no library")
    other = tmp_path / "bytes-\udcff.so"
    for module in (tmp_path / "none.so", tmp_path / "text.so", tmp_path, other):
        with pytest.raises(Pkcs11ModuleUnusableError):
            private_keys.open_token(replace(token, module=module), PIN)
    with pytest.raises(Pkcs11TokenMissingError) as missing:
        private_keys.open_token(replace(token, token="another"), PIN)
    assert missing.value.retryable


def test_two_tokens_of_one_label(softhsm: SoftHsm) -> None:
    softhsm.make_token("twice")
    with pytest.raises(Pkcs11TokenMissingError, match="more than one"):
        private_keys.open_token(softhsm.make_token("twice"), PIN)


def test_python_pkcs11_not_installed(token: TokenPlace, monkeypatch: Any) -> None:
    pkcs11_keys.forget_tokens()
    monkeypatch.setitem(sys.modules, "pkcs11", None)
    with pytest.raises(Pkcs11NotInstalledError, match="pip install"):
        private_keys.open_token(token, PIN)


def test_key_missing(softhsm: SoftHsm, folder: Path) -> None:
    """Another token of the same label, as after one was made anew."""
    other = softhsm.make_token("other")
    toml = folder / "keys.toml"
    name = KeyFolder.read(folder).token.token
    toml.write_text(toml.read_text("utf-8").replace(name, other.token), "utf-8")
    with pytest.raises(Pkcs11KeyMissingError):
        KeyRing.open(folder, None, pin=PIN)


def test_key_destroyed_while_serving(folder: Path, token: TokenPlace) -> None:
    ring = KeyRing.open(folder, None, pin=PIN)
    key = ring.current(NOW)
    key.private_key.destroy()
    with pytest.raises(Pkcs11KeyMissingError):
        key.sign(b"m")


def test_no_key_is_left_behind_where_its_certificate_cannot_be_written(
    folder: Path, token: TokenPlace
) -> None:
    read = KeyFolder.read(folder)
    ca = keys.open_newest_issuing_ca(read, SECRETS, NOW)
    (folder / "signing").rename(folder / "elsewhere")
    (folder / "signing").write_text("no folder")
    with pytest.raises(KeyFolderUnusableError):
        keys.renew_leaf(read, ca, SECRETS, NOW)
    assert len(objects(token)) == 1


def test_key_does_not_fit_its_certificate(folder: Path, token: TokenPlace) -> None:
    """A key under the certificate's identifier that is another one."""
    import pkcs11

    opened = private_keys.open_token(token, PIN)
    (leaf,) = KeyFolder.read(folder).leaves
    mine = opened.private_key(leaf.certificate)
    mine.destroy()
    other = opened.generate("other")

    def rename(session: Any) -> None:
        with session.token.open(rw=True) as writing:
            for found in list(writing.get_objects({pkcs11.Attribute.ID: other.identifier})):
                found[pkcs11.Attribute.ID] = mine.identifier

    opened.use(rename)
    with pytest.raises(Pkcs11KeyMismatchError):
        KeyRing.open(folder, None, pin=PIN)


def test_a_certificate_without_its_file_and_without_a_token(tmp_path: Path, folder: Path) -> None:
    bare = Path(shutil.copytree(folder, tmp_path / "bare"))
    (bare / "keys.toml").unlink()
    with pytest.raises(AuthorityKeyMissingError):
        KeyRing.open(bare, PASSWORD)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "[pkcs11]",
            "[pkcs11]\nmodule = 1\ntoken = 'x'",
            "[pkcs11]\nmodule = ''\ntoken = 'x'",
        ),
        *("[pkcs11]\nmodule = 'm'\ntoken = 'x'\npin = '1'", "pkcs11 = 3", "[", "\xff"),
    ],
)
def test_unfit_keys_toml(folder: Path, text: str) -> None:
    (folder / "keys.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(Exception, match=r"keys\.toml must hold") as refused:
        KeyRing.open(folder, None, pin=PIN)
    assert getattr(refused.value, "code", None) == "keys-folder-unusable"


def test_the_password_is_still_needed_for_the_issuing_ca(folder: Path) -> None:
    read = KeyFolder.read(folder)
    with pytest.raises(KeysPasswordError):
        keys.open_newest_issuing_ca(read, keys.KeySecrets(None, PIN), NOW)


def test_renewed_while_serving(folder: Path) -> None:
    ring = KeyRing.open(folder, None, pin=PIN)
    later = datetime.now(UTC) + timedelta(days=61)
    first = ring.current(later)
    read = KeyFolder.read(folder)
    keys.renew_leaf(read, keys.open_newest_issuing_ca(read, SECRETS, later), SECRETS, later)
    second = ring.current(later)
    assert second.kid != first.kid
    assert second.sign(b"m") and first.sign(b"m")


def test_cryptography_takes_the_opaque_key(token: TokenPlace) -> None:
    """What X.509 builders ask of a private key, on which this rests."""
    opened = private_keys.open_token(token, PIN)
    root = authority.make_root("Mẫu", NOW, opened.generate("root"))
    root.certificate.verify_directly_issued_by(root.certificate)
    ca = authority.make_issuing_ca("Mẫu", root, NOW)
    ca.certificate.verify_directly_issued_by(root.certificate)


@pytest.mark.parametrize("attribute", ["EXTRACTABLE", "SENSITIVE"])
def test_a_key_that_could_leave_the_token_signs_nothing(
    folder: Path, token: TokenPlace, attribute: str
) -> None:
    """Imported, or made by a tool that did not forbid it: it could have been copied."""
    import pkcs11
    from pkcs11.util.ec import decode_ec_private_key

    (leaf,) = KeyFolder.read(folder).leaves
    opened = private_keys.open_token(token, PIN)
    opened.private_key(leaf.certificate).destroy()
    made = ec.generate_private_key(ec.SECP256R1())
    der = made.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    read = KeyFolder.read(folder)
    ca = keys.open_newest_issuing_ca(read, SECRETS, NOW)
    pair = authority.make_leaf("Mẫu", "https://office.example", ca, NOW, made)
    pem = serialization.Encoding.PEM
    chain = b"".join(c.public_bytes(pem) for c in (pair.certificate, ca.certificate))
    leaf.path.write_bytes(chain)
    identifier = Pkcs11PrivateKey(opened, made.public_key()).identifier

    def bring_in(session: Any, **changes: bool) -> None:
        flags = {"EXTRACTABLE": False, "SENSITIVE": True, "PRIVATE": True, "SIGN": True} | changes
        attributes = decode_ec_private_key(der)
        attributes |= {pkcs11.Attribute[name]: value for name, value in flags.items()}
        attributes |= {pkcs11.Attribute.ID: identifier, pkcs11.Attribute.TOKEN: True}
        with session.token.open(rw=True) as writing:
            writing.create_object(attributes)

    opened.use(bring_in)
    assert KeyRing.open(folder, None, pin=PIN)
    opened.destroy(identifier)
    opened.use(lambda session: bring_in(session, **{attribute: attribute == "EXTRACTABLE"}))
    with pytest.raises(Pkcs11KeyMismatchError, match="give the private key out"):
        KeyRing.open(folder, None, pin=PIN)


def test_a_token_taken_out_while_serving_and_put_back(softhsm: SoftHsm, folder: Path) -> None:
    """Nothing is signed meanwhile; afterwards the same server goes on."""
    key = KeyRing.open(folder, None, pin=PIN).current(NOW)
    tokens = softhsm.configuration.parent / "tokens"
    tokens.rename(tokens.with_name("pocket"))
    tokens.mkdir()
    try:
        softhsm.restart()
        for _ in range(3):
            with pytest.raises(Pkcs11TokenMissingError) as refused:
                key.sign(b"m")
            assert refused.value.retryable
    finally:
        tokens.rmdir()
        tokens.with_name("pocket").rename(tokens)
        softhsm.restart()
    assert key.sign(b"m")
