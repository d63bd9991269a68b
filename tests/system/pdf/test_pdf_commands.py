"""The commands of a notary's office, one after the other, in processes of their own."""

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from api.proofing.schemas import DocumentIn
from tests.fixtures.office import AUDIENCE, NONCE
from tests.fixtures.pdf_active import ACTIVE
from tests.fixtures.pdf_documents import plain, stream, update
from tests.fixtures.pdf_office import PASSWORD, PdfOffice


def chinhchu(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "api.cli", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def folder(pdf_office: PdfOffice, tmp_path: Path) -> Path:
    document = plain()
    files = {
        "contract.pdf": document,
        "assertion.txt": pdf_office.issue(document).encode() + b"\n",
        "notary.p12": pdf_office.notary.pkcs12,
        "password.txt": PASSWORD.encode() + b"\n",
        "root.pem": pdf_office.issuer.root_pem,
        "people.pem": pdf_office.people.pem,
        "tsa.pem": pdf_office.tsa.root.certificate.public_bytes(Encoding.DER),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def test_attach_sign_verify(pdf_office: PdfOffice, folder: Path) -> None:
    tsa = ("--tsa", pdf_office.tsa_url, "--tsa-root", "tsa.pem")
    assertion = ("--assertion", "assertion.txt")
    run = chinhchu(folder, "pdf", "attach", "contract.pdf", *assertion, *tsa, "--out", "a.pdf")
    assert run.returncode == 0, run.stderr
    run = chinhchu(
        *(folder, "pdf", "sign", "a.pdf", "--pkcs12", "notary.p12", *tsa, "--root", "people.pem"),
        *("--password-file", "password.txt", "--out", "b.pdf", "--json"),
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["bytes"] == (folder / "b.pdf").stat().st_size

    verify = ("--root", "root.pem", "--audience", AUDIENCE, "--nonce", NONCE)
    verify += ("--timestamp-root", "tsa.pem", "--signature-root", "people.pem")
    run = chinhchu(folder, "verify", "b.pdf", *verify, "--json")
    assert run.returncode == 0, run.stdout + run.stderr
    told = json.loads(run.stdout)
    assert told["outcome"] == "PASSED"
    run = chinhchu(folder, "verify", "b.pdf", *verify, "--lang", "vi")
    assert run.returncode == 0, run.stderr
    assert "B-LTA" in run.stdout

    forged = update((folder / "b.pdf").read_bytes(), {4: stream(b"")})
    (folder / "c.pdf").write_bytes(forged)
    run = chinhchu(folder, "verify", "c.pdf", *verify, "--json")
    assert run.returncode == 1
    assert json.loads(run.stdout)["reasons"] == ["pdf-page-changed"]


def test_a_document_is_checked_before_its_session(folder: Path) -> None:
    run = chinhchu(folder, "pdf", "check", "contract.pdf", "--json")
    assert run.returncode == 0, run.stderr
    document = (folder / "contract.pdf").read_bytes()
    told = json.loads(run.stdout)
    assert DocumentIn(role="main", **{k: v for k, v in told.items() if k != "file"}) == DocumentIn(
        role="main",
        media_type="application/pdf",
        sha256=sha256(document).hexdigest(),
        byte_length=len(document),
    )
    assert "can carry assertions" in chinhchu(folder, "pdf", "check", "contract.pdf").stdout
    (folder / "active.pdf").write_bytes(next(iter(ACTIVE.values())))
    for file, code in (("active.pdf", "pdf-active-content"), ("root.pem", "pdf-unusable")):
        run = chinhchu(folder, "pdf", "check", file, "--json")
        assert (run.returncode, json.loads(run.stdout)["error"]["code"]) == (4, code)


def test_the_sheet_and_refusals(folder: Path) -> None:
    sheet = ("pdf", "sheet", "contract.pdf", "--assertion", "assertion.txt", "--out", "s.pdf")
    assert chinhchu(folder, *sheet, "--url", "https://office.example/a/1").returncode == 0
    assert (folder / "s.pdf").read_bytes().startswith(b"%PDF-")
    run = chinhchu(folder, *sheet, "--url", "office", "--json")
    assert (run.returncode, json.loads(run.stdout)["error"]["code"]) == (4, "input-unusable")
    (folder / "other.pdf").write_bytes(plain() + b"\n")
    attach = ("pdf", "attach", "other.pdf", "--assertion", "assertion.txt", "--out", "x.pdf")
    run = chinhchu(folder, *attach, "--json")
    assert (run.returncode, json.loads(run.stdout)["error"]["code"]) == (
        4,
        "pdf-document-not-bound",
    )
    assert not (folder / "x.pdf").exists()
