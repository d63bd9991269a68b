"""A folder of keys in the wrong hands, and a server that signs while its keys change."""

import random
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from api.assertions import sd_jwt
from api.assertions.errors import SigningKeyExpiredError
from api.assertions.verification import Outcome
from api.errors import ApiError
from api.keys import keys
from api.keys.authority import make_issuing_ca, make_leaf, make_root
from api.keys.errors import KeyFolderUnusableError
from api.keys.folder import KeyFolder, StoredCertificate
from api.keys.revocation import renew_list, revoke
from api.keys.ring import KeyRing

SECRETS = keys.KeySecrets()
NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    for name in ("mine", "other"):
        keys.init(folder / name, issuer="https://office.example", password=None, at=NOW)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "mine", tmp_path / "keys"))


def add_leaf(folder: Path, at: datetime) -> str:
    read = KeyFolder.read(folder)
    ca = keys.open_newest_issuing_ca(read, SECRETS, at)
    return keys.renew_leaf(read, ca, SECRETS, at).name


def write_leaf(folder: Path, leaf: x509.Certificate, ca: x509.Certificate) -> None:
    pem = leaf.public_bytes(Encoding.PEM) + ca.public_bytes(Encoding.PEM)
    (folder / "signing/20990101-00000001.pem").write_bytes(pem)


def test_another_root(folder: Path, made: Path) -> None:
    shutil.copy(made / "other" / keys.ROOT, folder / keys.ROOT)
    with pytest.raises(KeyFolderUnusableError):
        KeyRing.open(folder, None)


def test_a_whole_foreign_branch_under_a_running_server(folder: Path, made: Path) -> None:
    """Leaf and issuing CA of another office, complete, put beside ours."""
    ring = KeyRing.open(folder, None)
    for name in ("issuing", "signing"):
        shutil.copytree(made / "other" / name, folder / name, dirs_exist_ok=True)
    with pytest.raises(KeyFolderUnusableError):
        ring.current(NOW)


def test_a_leaf_of_another_office(folder: Path, made: Path) -> None:
    """It is not under our root; ours goes on."""
    ring = KeyRing.open(folder, None)
    mine = ring.current(NOW)
    shutil.copytree(made / "other/signing", folder / "signing", dirs_exist_ok=True)
    assert ring.current(NOW).kid == mine.kid
    assert len(ring.folder.faults) == 1


@pytest.mark.parametrize("what", ["leaf-as-ca", "no-purpose", "other-ca-same-name", "one", "three"])
def test_a_leaf_that_is_none(folder: Path, what: str) -> None:
    read = KeyFolder.read(folder)
    ca = keys.open_newest_issuing_ca(read, SECRETS, NOW)
    ring = KeyRing.open(folder, None)
    mine = ring.current(NOW)
    leaf = make_leaf("Mẫu", "https://office.example", ca, NOW)
    if what == "leaf-as-ca":
        # Who has a leaf's key makes a leaf of his own under it.
        below = make_leaf("Mẫu", "https://evil.example", leaf, NOW)
        write_leaf(folder, below.certificate, leaf.certificate)
    elif what == "no-purpose":
        inner = make_issuing_ca("Mẫu", ca, NOW)
        write_leaf(folder, inner.certificate, ca.certificate)
    elif what == "other-ca-same-name":
        false_root = make_root("chinhchu", NOW)
        false_ca = make_issuing_ca("chinhchu", false_root, NOW)
        false_leaf = make_leaf("chinhchu", "https://office.example", false_ca, NOW)
        write_leaf(folder, false_leaf.certificate, ca.certificate)
    else:
        chain = (leaf, ca, ca)[: 1 if what == "one" else 3]
        pem = b"".join(pair.certificate.public_bytes(Encoding.PEM) for pair in chain)
        (folder / "signing/20990101-00000001.pem").write_bytes(pem)
    assert ring.current(NOW + DAY).kid == mine.kid
    assert [fault.name for fault in ring.folder.faults] == ["20990101-00000001"]


def test_a_revocation_list_taken_away(folder: Path) -> None:
    ring = KeyRing.open(folder, None)
    (ca,) = KeyFolder.read(folder).issuing_cas
    for name in (ca.name, "root"):
        file = folder / f"crl/{name}.crl"
        data = file.read_bytes()
        file.unlink()
        with pytest.raises(KeyFolderUnusableError):
            ring.current(NOW)
        file.write_bytes(data)
        assert ring.current(NOW)


def test_a_revocation_list_of_another_office(folder: Path, made: Path) -> None:
    (other,) = (made / "other/crl").glob("2*.crl")
    (mine,) = (folder / "crl").glob("2*.crl")
    shutil.copy(other, mine)
    with pytest.raises(KeyFolderUnusableError):
        KeyRing.open(folder, None)


def test_the_lists_of_root_and_issuing_ca_exchanged(folder: Path) -> None:
    (mine,) = (folder / "crl").glob("2*.crl")
    shutil.copy(folder / "crl/root.crl", mine)
    with pytest.raises(KeyFolderUnusableError):
        KeyRing.open(folder, None)


def test_an_earlier_list_put_back(folder: Path) -> None:
    """Signed by the right CA, and what it does not name was revoked since."""
    ring = KeyRing.open(folder, None)
    read = ring.folder
    (ca,) = read.issuing_cas
    file = folder / f"crl/{ca.name}.crl"
    before = file.read_bytes()
    revoke(read, read.leaves[0], keys.open_newest_issuing_ca(read, SECRETS, NOW), NOW)
    with pytest.raises(SigningKeyExpiredError):
        ring.current(NOW)
    file.write_bytes(before)
    with pytest.raises(KeyFolderUnusableError):
        ring.current(NOW)
    assert KeyFolder.read(folder)  # only who saw the later one can tell


def test_revoked_by_several_at_once(folder: Path) -> None:
    """An operator revokes while cron renews the list: no entry is lost, no number given twice."""
    for number in range(5):
        add_leaf(folder, NOW + timedelta(seconds=number))
    read = KeyFolder.read(folder)
    ca = keys.open_newest_issuing_ca(read, SECRETS, NOW)
    together = threading.Barrier(len(read.leaves))

    def revoke_one(leaf: StoredCertificate) -> None:
        together.wait(60)
        revoke(read, leaf, ca, NOW)
        renew_list(read, read.issuing_cas[0].name, ca, NOW)

    with ThreadPoolExecutor(len(read.leaves)) as pool:
        list(pool.map(revoke_one, read.leaves))
    after = KeyFolder.read(folder)
    assert after.revoked == {leaf.name for leaf in read.leaves}
    name = read.issuing_cas[0].name
    assert after.list_numbers[name] == read.list_numbers[name] + 2 * len(read.leaves)


def test_a_list_without_a_number(folder: Path) -> None:
    read = KeyFolder.read(folder)
    ca = keys.open_newest_issuing_ca(read, SECRETS, NOW)
    bare = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(ca.certificate.subject)
        .last_update(NOW)
        .next_update(NOW + DAY)
        .sign(ca.private_key, hashes.SHA256())
    )
    (folder / f"crl/{read.issuing_cas[0].name}.crl").write_bytes(bare.public_bytes(Encoding.DER))
    with pytest.raises(KeyFolderUnusableError):
        KeyFolder.read(folder)


@pytest.mark.parametrize("name", ["root.pem", "issuing", "signing", "crl"])
def test_any_damaged_byte_is_found(folder: Path, name: str) -> None:
    """Nothing in the folder can be changed and still sign as before."""
    place = folder / name
    file = place if place.is_file() else next(p for p in place.iterdir() if ".key" not in p.name)
    original = file.read_bytes()
    kid = KeyRing.open(folder, None).current(NOW).kid
    draw = random.Random(name)
    for _ in range(60):
        position, bit = draw.randrange(len(original)), 1 << draw.randrange(8)
        damaged = bytearray(original)
        damaged[position] ^= bit
        file.write_bytes(damaged)
        try:
            key = KeyRing(folder, SECRETS).current(NOW)
        except ApiError:
            continue
        # PEM has bytes that mean nothing: what is read must then be the very same.
        assert key.kid == kid
        read = KeyFolder.read(folder)
        assert [leaf.chain for leaf in read.leaves] == [_chain(original)] or name != "signing"
    file.write_bytes(original)
    assert KeyRing.open(folder, None)


def _chain(pem: bytes) -> tuple[x509.Certificate, ...]:
    return tuple(x509.load_pem_x509_certificates(pem))


def test_a_folder_full_of_rubbish(folder: Path) -> None:
    (folder / "signing/huge.pem").write_bytes(b"x" * (2 << 20))
    (folder / "signing/folder.pem").mkdir()
    (folder / "signing/notes.txt").write_text("a note")
    ring = KeyRing.open(folder, None)
    assert {fault.name for fault in ring.folder.faults} == {"huge", "folder"}
    for number in range(1001):
        (folder / f"signing/{number}.pem").write_bytes(b"")
    with pytest.raises(KeyFolderUnusableError, match="more than 1000"):
        ring.current(NOW)


def test_files_come_and_go_while_the_ring_looks(folder: Path) -> None:
    """A file that is renamed between being listed and being looked at is no fault."""
    ring = KeyRing.open(folder, None)
    done = threading.Event()
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            while not done.is_set():
                ring.current(NOW)
        except BaseException as error:
            failures.append(error)

    def change() -> None:
        try:
            for number in range(400):
                file = folder / f"signing/.unfinished-{number}"
                file.write_bytes(b"")
                file.rename(folder / f"signing/note-{number}")
                (folder / f"signing/note-{number}").unlink()
        finally:
            done.set()

    _run([threading.Thread(target=ask) for _ in range(4)], change)
    assert failures == []


def _run(threads: list[threading.Thread], change: Callable[[], None]) -> None:
    for thread in threads:
        thread.start()
    try:
        change()
    finally:
        for thread in threads:
            thread.join(30)
    assert not any(thread.is_alive() for thread in threads)


def test_renewed_and_revoked_while_eight_threads_issue(office: Any, folder: Path) -> None:
    """No assertion fails, and each verifies under a leaf that covers and outlives it."""
    ring = KeyRing.open(folder, None)
    root = (folder / keys.ROOT).read_bytes()
    done = threading.Event()
    issued: list[tuple[datetime, str, str]] = []
    failures: list[BaseException] = []

    def issue(seed: int) -> None:
        draw = random.Random(seed)
        try:
            while not done.is_set():
                # Anywhere in the life of a leaf, its last minutes included.
                at = NOW + timedelta(seconds=draw.uniform(0, 100 * 86_400))
                key = ring.current(at)
                assertion = sd_jwt.issue(office.claims(issued_at=at), key)
                issued.append((at, assertion, key.kid))
        except BaseException as error:
            failures.append(error)

    def change() -> None:
        try:
            for _ in range(4):
                wanted = len(issued) + 20
                while len(issued) < wanted and not failures:
                    time.sleep(0.001)
                at = NOW + 60 * DAY
                name = add_leaf(folder, at)
                read = KeyFolder.read(folder)
                ca = keys.open_newest_issuing_ca(read, SECRETS, at)
                renew_list(read, read.issuing_cas[0].name, ca, at)
                (old,) = (leaf for leaf in KeyFolder.read(folder).leaves if leaf.name == name)
                add_leaf(folder, at + timedelta(seconds=1))
                revoke(KeyFolder.read(folder), old, ca, at, reason="superseded")
        finally:
            done.set()

    # From the start there is a leaf for the days after the first one's end.
    add_leaf(folder, NOW + 50 * DAY)
    threads = [threading.Thread(target=issue, args=(seed,)) for seed in range(8)]
    _run(threads, change)
    assert failures == []
    assert len(issued) > 50
    assert len({kid for _, _, kid in issued}) > 2
    sample = random.Random(1).sample(issued, 60) if len(issued) > 60 else issued
    for at, assertion, _ in sample:
        assert office.verify(assertion, roots=[root], at=at).outcome is Outcome.PASSED
        last = at + timedelta(minutes=14)
        assert office.verify(assertion, roots=[root], at=last).outcome is Outcome.PASSED


def test_nothing_is_signed_by_a_leaf_once_it_is_revoked(folder: Path) -> None:
    ring = KeyRing.open(folder, None)
    first = ring.current(NOW).kid
    name = add_leaf(folder, NOW + timedelta(hours=1))
    assert ring.current(NOW + DAY).kid != first
    revoked = threading.Event()
    late: list[str] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            was_revoked = revoked.is_set()
            kid = ring.current(NOW + DAY).kid
            if was_revoked and kid != first:
                late.append(kid)

    def change() -> None:
        try:
            read = KeyFolder.read(folder)
            ca = keys.open_newest_issuing_ca(read, SECRETS, NOW)
            (second,) = (leaf for leaf in read.leaves if leaf.name == name)
            revoke(read, second, ca, NOW)
            revoked.set()
            done.wait(0.3)
        finally:
            done.set()

    _run([threading.Thread(target=ask) for _ in range(6)], change)
    assert late == []
    assert ring.current(NOW + DAY).kid == first
