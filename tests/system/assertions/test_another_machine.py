"""Made here, verified elsewhere: a folder with the verifier, the root, the lists, and nothing else.

The other machine's Python has cryptography and what that needs; neither this project nor any other
package, and a connection is an error.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.assertions import sd_jwt
from api.assertions.status_array import Status, StatusArray, StatusReference
from api.assertions.status_list import sign_status_list
from api.keys import keys
from tests.fixtures.office import AUDIENCE, NONCE, Office
from tests.fixtures.other_machine import OtherMachine, copy_cryptography

ROOT = Path(__file__).resolve().parents[3]
URI = "https://chinhchu.example/v1/status-lists/1"
SIZE, IDX = 4096, 77


def here(module: str, *arguments: Any) -> Any:
    """Run a command of this project on this machine."""
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class NotarysMachine(OtherMachine):
    """The relying party's, with what it asks for."""

    def verdict(self, **changes: Any) -> tuple[int, list[str]]:
        asked: dict[str, Any] = {
            "assertion": "assertion.txt",
            "document": "contract.pdf",
            "root": "root.pem",
            "audience": AUDIENCE,
            "nonce": NONCE,
            "status_list": "valid.jwt",
            "crl": sorted(path.name for path in self.folder.glob("published-*.crl")),
        }
        asked |= changes
        return self.verify(asked.pop("assertion"), asked)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packages")
    copy_cryptography(folder)
    return folder


@pytest.fixture(scope="module")
def other_machine(
    office: Office, packages: Path, tmp_path_factory: pytest.TempPathFactory
) -> NotarysMachine:
    issuer = tmp_path_factory.mktemp("issuer")
    carried = tmp_path_factory.mktemp("carried")
    here("api.cli", "keys", "init", "--out", issuer / "keys", "--no-password", "--json")
    key = keys.load(issuer / "keys", None)
    now = datetime.now(UTC)

    def assertion(name: str, at: datetime) -> None:
        claims = office.claims(issued_at=at, status=StatusReference(IDX, URI))
        (carried / name).write_text(sd_jwt.issue(claims, key), "ascii")

    def status_list(name: str, status: Status, *, at: datetime = now, uri: str = URI) -> None:
        statuses = StatusArray.of_valid(SIZE).set(IDX, status)
        expires = at + timedelta(days=1)
        token = sign_status_list(
            statuses, uri=uri, key=key, at=at, expires_at=expires, ttl_s=43_200
        )
        (carried / name).write_text(token, "ascii")

    assertion("assertion.txt", now)
    assertion("assertion-of-before.txt", now - timedelta(minutes=30))
    status_list("valid.jwt", Status.VALID)
    status_list("revoked.jwt", Status.INVALID)
    status_list("suspended.jwt", Status.SUSPENDED)
    status_list("stale.jwt", Status.VALID, at=now - timedelta(days=2))
    status_list("other.jwt", Status.VALID, uri=f"{URI}0")
    (carried / "contract.pdf").write_bytes(office.document)
    (carried / "other.pdf").write_bytes(office.document + b" ")
    (carried / "other-root.pem").write_bytes(office.root_pem)
    publish(issuer, carried, "published")
    (leaf,) = (p for p in (issuer / "keys" / "signing").glob("*.pem") if ".key" not in p.name)
    here("api.cli", "keys", "revoke", leaf, "--keys", issuer / "keys", "--json")
    publish(issuer, carried, "later")
    shutil.copy(carried / "published-root.pem", carried / "root.pem")
    here("api.cli.build_verifier", carried / "chinhchu-verify.pyz")
    return NotarysMachine(carried, packages)


def publish(issuer: Path, carried: Path, name: str) -> None:
    """Publish the issuer's keys and carry over the root's certificate and the lists."""
    here("api.cli", "keys", "publish", issuer / name, "--keys", issuer / "keys")
    for path in (issuer / name).iterdir():
        if path.name == keys.ROOT or path.suffix == ".crl":
            shutil.copy(path, carried / f"{name}-{path.name}")


def test_it_has_neither_this_project_nor_other_packages(other_machine: NotarysMachine) -> None:
    for name in ("api", "rich", "asn1crypto", "joserfc", "pydantic"):
        assert "ModuleNotFoundError" in other_machine.python("-c", f"import {name}").stderr, name
    assert other_machine.python("-c", "import cryptography").returncode == 0


def test_passed(other_machine: NotarysMachine) -> None:
    assert other_machine.verdict() == (0, [])


def later(machine: NotarysMachine) -> list[str]:
    return sorted(path.name for path in machine.folder.glob("later-*.crl"))


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "changed document": ({"document": "other.pdf"}, 1, "document-changed"),
    "no document": ({"document": None}, 3, "document-missing"),
    "another root": ({"root": "other-root.pem"}, 1, "chain-unpinned-root"),
    "another audience": ({"audience": "someone-else"}, 1, "audience-mismatch"),
    "another nonce": ({"nonce": "n-another"}, 1, "nonce-mismatch"),
    "expired": ({"assertion": "assertion-of-before.txt"}, 1, "expired"),
    "revoked": ({"status_list": "revoked.jwt"}, 1, "revoked"),
    "suspended": ({"status_list": "suspended.jwt"}, 1, "suspended"),
    "stale list": ({"status_list": "stale.jwt"}, 3, "status-list-stale"),
    "another list": ({"status_list": "other.jwt"}, 3, "status-list-other-subject"),
    "no list": ({"status_list": None}, 3, "status-unknown"),
}


@pytest.mark.parametrize(("changes", "exit_code", "reason"), REFUSED.values(), ids=REFUSED)
def test_each_for_its_own_reason(
    other_machine: NotarysMachine, changes: dict[str, Any], exit_code: int, reason: str
) -> None:
    assert other_machine.verdict(**changes) == (exit_code, [reason])


def test_leaf_revoked_since(other_machine: NotarysMachine) -> None:
    assert later(other_machine)
    code, reasons = other_machine.verdict(crl=later(other_machine))
    assert code == 1
    assert len(reasons) == 1
    assert "revoked" in reasons[0]


def test_second_time(other_machine: NotarysMachine) -> None:
    assert other_machine.verdict(seen="accepted.db") == (0, [])
    assert other_machine.verdict(seen="accepted.db") == (1, ["assertion-replayed"])


def signature_changed(text: str) -> str:
    place = text.index("~") - 40
    return text[:place] + ("A" if text[place] != "A" else "B") + text[place + 1 :]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (signature_changed, "signature-invalid"),
        (lambda text: text + text.split("~")[1] + "~", "disclosure-duplicate"),
        # The last disclosure stands where the holder's proof belongs.
        (lambda text: text.rstrip("~"), "key-binding-unexpected"),
        (lambda text: text.partition("~")[0], "assertion-malformed"),
    ],
)
def test_altered(other_machine: NotarysMachine, change: Callable[[str], str], reason: str) -> None:
    text = (other_machine.folder / "assertion.txt").read_text("ascii")
    (other_machine.folder / "altered.txt").write_text(change(text), "ascii")
    assert other_machine.verdict(assertion="altered.txt") == (1, [reason])
