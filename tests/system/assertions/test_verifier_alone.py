"""The verifier as one file, where nothing else is: no project, no network, cryptography alone."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.assertions import sd_jwt
from api.assertions.status_array import StatusArray
from api.assertions.status_list import Status, sign_status_list
from api.cli import build_verifier
from api.keys import keys
from api.keys.revocation import make_list
from tests.fixtures.timestamp_authority import Tsa

NEEDED = ("cryptography", "cffi", "_cffi_backend")
URI = "urn:chinhchu:status:1"
WITHOUT_NETWORK = """
import runpy, sys
def refuse(event, arguments):
    if event.startswith(("socket.", "urllib.", "http.")):
        raise SystemExit(f"the verifier touched the network: {event}")
sys.addaudithook(refuse)
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def verifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("dist") / "chinhchu-verify.pyz"
    build_verifier.build(file)
    return file


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages that holds cryptography with what it needs, and nothing else."""
    folder = tmp_path_factory.mktemp("packages")
    for kind in ("purelib", "platlib"):
        for installed in Path(sysconfig.get_path(kind)).iterdir():
            target = folder / installed.name
            if installed.name.partition(".")[0] in NEEDED and not target.exists():
                if installed.is_dir():
                    shutil.copytree(installed, target)
                else:
                    shutil.copy(installed, target)
    return folder


@pytest.fixture(scope="module")
def now() -> datetime:
    """When the first test begins: the assertion lives for 15 minutes only."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture(scope="module")
def counter(office: Any, now: datetime, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an office without network: what it was handed, and its document."""
    folder = tmp_path_factory.mktemp("counter")
    made = tmp_path_factory.mktemp("issuer") / "keys"
    key = keys.init(made, name="Mẫu", issuer="https://chinhchu.example", password=None)
    payload = office.claims(issued_at=now).to_payload(key.issuer)
    claims = {**payload.claims, "status": {"status_list": {"idx": 3, "uri": URI}}}
    assertion = sd_jwt.sign_payload(claims, payload.disclosable, key)
    (folder / "assertion.txt").write_text(assertion + "\n", encoding="ascii")
    (folder / "contract.pdf").write_bytes(office.document)
    (folder / "root.pem").write_bytes((made / keys.ROOT).read_bytes())
    for name, status in (("valid", Status.VALID), ("revoked", Status.INVALID)):
        (folder / f"{name}.jwt").write_text(
            sign_status_list(
                StatusArray.of_valid(100).set(3, status),
                uri=URI,
                key=key,
                at=now,
                expires_at=now + timedelta(days=1),
                ttl_s=86_400,
            ),
            encoding="ascii",
        )
    tsa = Tsa(tmp_path_factory.mktemp("tsa"), kind="rsa")
    digest = hashlib.sha256(assertion.encode()).digest()
    (folder / "assertion.tst").write_bytes(tsa.token_at(digest, now))
    (folder / "tsa.pem").write_bytes(tsa.root.pem)
    return folder


NONCE = "n-0S6_WzA2Mj"
ASKED = (
    *("assertion.txt", "--document", "contract.pdf", "--root", "root.pem", "--audience"),
    *("van-phong-cong-chung-7", "--nonce", NONCE),
)


@pytest.fixture
def run(verifier: Path, packages: Path, counter: Path) -> Any:
    def call(*arguments: str, start: Sequence[str] = ("-c", WITHOUT_NETWORK)) -> Any:
        return subprocess.run(
            # -S: no site-packages; nothing of this project can be imported but from the file.
            [sys.executable, "-S", *start, str(verifier), *arguments],
            capture_output=True,
            text=True,
            encoding="utf-8",
            cwd=counter,
            env={
                "PYTHONPATH": str(packages),
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONUTF8": "1",
                "SYSTEMROOT": os.environ.get("SYSTEMROOT", ""),
            },
            check=False,
            timeout=60,
        )

    return call


def judged(done: Any) -> tuple[int, str, list[str]]:
    assert done.stdout, done.stderr
    answer = json.loads(done.stdout)
    return done.returncode, answer["outcome"], answer["reasons"]


def test_passes_with_a_fresh_list(run: Any) -> None:
    done = run(*ASKED, "--status-list", "valid.jwt", "--json")
    assert judged(done) == (0, "PASSED", [])


def test_started_as_people_start_it(run: Any) -> None:
    done = run(*ASKED, "--status-list", "valid.jwt", "--lang", "vi", start=())
    assert done.returncode == 0, done.stderr
    assert "ĐẠT: xác nhận có giá trị" in done.stdout
    assert "NGUYỄN THỊ MẪU" in done.stdout


@pytest.mark.parametrize(
    ("further", "expected"),
    [
        (["--status-list", "revoked.jwt"], (1, "FAILED", ["revoked"])),
        ([], (3, "INDETERMINATE", ["status-unknown"])),
        (["--status-list", "valid.jwt", "--audience", "x"], (1, "FAILED", ["audience-mismatch"])),
        (
            ["--status-list", "valid.jwt", "--document", "root.pem"],
            (1, "FAILED", ["document-changed"]),
        ),
    ],
)
def test_does_not_pass(run: Any, further: list[str], expected: tuple[int, str, list[str]]) -> None:
    assert judged(run(*ASKED, *further, "--json")) == expected


def test_other_nonce(run: Any) -> None:
    asked = [*ASKED, "--status-list", "valid.jwt", "--json"]
    asked[asked.index(NONCE)] = "x"
    assert judged(run(*asked)) == (1, "FAILED", ["nonce-mismatch"])
    both = run(*asked, "--nonce", NONCE)
    assert both.returncode == 4, "an assertion has one nonce, and no guess is made which"


def test_years_later_by_the_timestamp(run: Any, now: datetime) -> None:
    later = (now + timedelta(days=5 * 365)).isoformat()
    asked = (*ASKED, "--status-list", "valid.jwt", "--at", later, "--json")
    assert judged(run(*asked)) == (1, "FAILED", ["chain-expired"])
    stamped = run(*asked, "--timestamp", "assertion.tst", "--timestamp-root", "tsa.pem")
    assert judged(stamped) == (0, "PASSED", [])
    answer = json.loads(stamped.stdout)
    assert answer["time_proven"] is True
    assert answer["judged_at"] == f"{now:%Y-%m-%dT%H:%M:%SZ}"


def test_accepts_once(run: Any, counter: Path) -> None:
    asked = (*ASKED, "--status-list", "valid.jwt", "--seen", "accepted.db", "--json")
    failed = run(*asked, "--audience", "another")
    assert judged(failed)[1] == "FAILED"
    assert judged(run(*asked)) == (0, "PASSED", [])
    assert judged(run(*asked)) == (1, "FAILED", ["assertion-replayed"])
    (counter / "accepted.db").unlink()


def test_pdf_without_pyhanko_is_told_in_words(run: Any) -> None:
    done = run("contract.pdf", "--root", "root.pem")
    assert done.returncode == 4
    assert "pyHanko" in done.stderr
    assert "[pdf-extra-missing]" in done.stderr


def test_unreadable_files_decide_nothing(run: Any) -> None:
    for further in (["--crl", "contract.pdf"], ["--root", "contract.pdf"], ["--seen", "root.pem"]):
        done = run(*ASKED, *further)
        assert done.returncode == 4, further
        assert "Traceback" not in done.stderr
        assert done.stdout == ""


def test_version_and_help(run: Any) -> None:
    assert run("--version").stdout.startswith("chinhchu ")
    assert "--status-list" in run("--help").stdout


def test_without_cryptography_is_told_in_words(verifier: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-S", str(verifier), "--help"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"SYSTEMROOT": os.environ.get("SYSTEMROOT", "")},
        check=False,
    )
    assert done.returncode == 4
    assert "pip install cryptography" in done.stderr


def test_the_same_sources_give_the_same_file(verifier: Path, tmp_path: Path) -> None:
    again = build_verifier.build(tmp_path / "again.pyz")
    assert again == hashlib.sha256(verifier.read_bytes()).hexdigest()


def test_it_holds_no_key_and_nothing_of_the_service() -> None:
    modules = build_verifier.verifier_modules()
    assert "api.assertions.verifier" in modules
    unwanted = ("keys", "private_keys", "pkcs11_keys", "authority", "claims", "payload")
    assert not {f"api.assertions.{name}" for name in unwanted} & modules
    assert not {module for module in modules if module.startswith(("api.proofing", "api.store"))}


def test_published_lists_of_the_issuer(run: Any, counter: Path, office: Any, now: datetime) -> None:
    """Lists of an authority that is not in the chain say nothing about it."""
    foreign = make_list(office.root, now - timedelta(days=1), days=30)
    from cryptography.hazmat.primitives.serialization import Encoding

    (counter / "foreign.crl").write_bytes(foreign.public_bytes(Encoding.DER))
    done = run(*ASKED, "--status-list", "valid.jwt", "--crl", "foreign.crl", "--json")
    assert judged(done) == (3, "INDETERMINATE", ["crl-missing", "status-list-untrusted"])
