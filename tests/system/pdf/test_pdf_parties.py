"""Several parties to one document, each with an assertion of a session of their own."""

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from api.assertions.verification import Outcome
from api.errors import InputUnusableError
from api.pdf.attachment_names import MAX_ASSERTIONS
from api.pdf.attachments import CarriedAssertion, attach_all
from api.pdf.errors import PdfAttachmentAmbiguousError, PdfNotBoundError
from api.pdf.sheet import make_sheet
from api.pdf.timestamp_client import request_timestamp
from api.pdf.verification import PdfCheckName
from tests.fixtures.office import AUDIENCE, transaction
from tests.fixtures.pdf_documents import plain
from tests.fixtures.pdf_office import PdfOffice

NONCES = ("n-seller", "n-buyer")
ROLES = ("transferor", "transferee")


def issue(office: PdfOffice, document: bytes, role: str, nonce: str) -> bytes:
    txn = replace(transaction(document), party_role=role)
    return office.issuer.issue(issued_at=datetime.now(UTC), txn=txn, nonce=nonce).encode()


def stamped(office: PdfOffice, assertions: Sequence[bytes]) -> list[CarriedAssertion]:
    return [CarriedAssertion(one, request_timestamp(office.tsa_url, one)) for one in assertions]


@pytest.fixture(scope="module")
def assertions(pdf_office: PdfOffice) -> list[bytes]:
    return [issue(pdf_office, plain(), *pair) for pair in zip(ROLES, NONCES, strict=True)]


@pytest.fixture(scope="module")
def attached(pdf_office: PdfOffice, assertions: list[bytes]) -> bytes:
    return attach_all(plain(), stamped(pdf_office, assertions))


def test_each_party_has_a_verdict(pdf_office: PdfOffice, attached: bytes) -> None:
    pdf = pdf_office.signed(attached)
    for nonces in (NONCES, NONCES[::-1]):
        found = pdf_office.verify(pdf, nonce=nonces)
        assert found.outcome is Outcome.PASSED, found.reasons
    roles = [one.claims["txn"]["party_role"] for one in found.assertions if one.claims]
    assert roles == list(ROLES)
    assert all(one.time_proven for one in found.assertions)
    assert found.assertion is None
    assert found.revision_0 == plain()


@pytest.mark.parametrize(
    ("nonces", "outcome", "reason"),
    [
        ([], Outcome.INDETERMINATE, "nonce-not-given"),
        (NONCES[:1], Outcome.INDETERMINATE, "nonce-not-given"),
        (NONCES[0], Outcome.INDETERMINATE, "nonce-not-given"),
        ([NONCES[0], NONCES[0]], Outcome.FAILED, "nonce-mismatch"),
        ([NONCES[0], "n-third"], Outcome.FAILED, "nonce-mismatch"),
        ([*NONCES, "n-third"], Outcome.FAILED, "pdf-nonce-unmatched"),
        ([*NONCES, NONCES[0]], Outcome.FAILED, "pdf-nonce-unmatched"),
    ],
)
def test_each_nonce_counts_for_one_assertion(
    pdf_office: PdfOffice, attached: bytes, nonces: Sequence[str], outcome: Outcome, reason: str
) -> None:
    found = pdf_office.verify(attached, nonce=nonces, signature_roots=[])
    assert (found.outcome, found.reasons) == (outcome, (reason,))


def test_a_party_cannot_be_left_out(pdf_office: PdfOffice, assertions: list[bytes]) -> None:
    """Whoever opened two sessions gives two nonces."""
    pdf = attach_all(plain(), stamped(pdf_office, assertions[:1]))
    found = pdf_office.verify(pdf, nonce=NONCES, signature_roots=[])
    assert found.reasons == ("pdf-nonce-unmatched",)
    assert pdf_office.verify(pdf, nonce=NONCES[0], signature_roots=[]).outcome is Outcome.PASSED


def test_one_nonce_for_two_sessions_must_be_given_twice(pdf_office: PdfOffice) -> None:
    both = [issue(pdf_office, plain(), role, "n-same") for role in ROLES]
    pdf = attach_all(plain(), stamped(pdf_office, both))
    once = pdf_office.verify(pdf, nonce=["n-same"], signature_roots=[])
    assert once.outcome is Outcome.INDETERMINATE
    twice = pdf_office.verify(pdf, nonce=["n-same"] * 2, signature_roots=[])
    assert twice.outcome is Outcome.PASSED


def test_the_verdict_is_the_worst_of_all(pdf_office: PdfOffice, assertions: list[bytes]) -> None:
    seller, buyer = assertions
    signature = buyer.index(b"~") - 20
    other = b"A" if buyer[signature : signature + 1] != b"A" else b"B"
    forged = buyer[:signature] + other + buyer[signature + 1 :]
    pdf = attach_all(plain(), stamped(pdf_office, [seller, forged]))
    found = pdf_office.verify(pdf, nonce=NONCES, signature_roots=[])
    assert found.outcome is Outcome.FAILED
    assert [one.outcome for one in found.assertions] == [Outcome.PASSED, Outcome.FAILED]


def test_what_is_attached_is_checked_before(pdf_office: PdfOffice, assertions: list[bytes]) -> None:
    carried = [CarriedAssertion(one) for one in assertions]
    for wrong, error in (
        ([], InputUnusableError),
        (carried * MAX_ASSERTIONS, InputUnusableError),
        ([carried[0], carried[0]], PdfAttachmentAmbiguousError),
    ):
        with pytest.raises(error):
            attach_all(plain(), wrong)
    other = issue(pdf_office, b"something else", *("buyer", "n"))
    with pytest.raises(PdfNotBoundError):
        attach_all(plain(), [carried[0], CarriedAssertion(other)])


def test_sixteen_parties(pdf_office: PdfOffice) -> None:
    nonces = [f"n-{number}" for number in range(MAX_ASSERTIONS)]
    all_of_them = [issue(pdf_office, plain(), "heir", nonce) for nonce in nonces]
    pdf = attach_all(plain(), [CarriedAssertion(one) for one in all_of_them])
    found = pdf_office.verify(pdf, nonce=nonces[::-1], signature_roots=[])
    assert found.outcome is Outcome.PASSED
    assert len(found.assertions) == MAX_ASSERTIONS


def test_the_sheet_names_all(assertions: list[bytes], tmp_path: Path) -> None:
    zxing = pytest.importorskip("zxingcpp")
    if shutil.which("pdftoppm") is None:
        pytest.skip("poppler-utils is not installed")
    from PIL import Image

    (tmp_path / "sheet.pdf").write_bytes(make_sheet(plain(), assertions, url="https://a.example/1"))
    draw = ["pdftoppm", "-r", "150", "-png", "sheet.pdf", "sheet"]
    subprocess.run(draw, cwd=tmp_path, check=True, timeout=60)
    (picture,) = tmp_path.glob("*.png")
    with Image.open(picture) as image:
        (code,) = zxing.read_barcodes(image.convert("L"))
    hashes = [sha256(one).hexdigest() for one in assertions]
    assert code.text == f"https://a.example/1#sha256={','.join(hashes)}"
    told = subprocess.run(
        ["pdftotext", "sheet.pdf", "-"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert all(one in told.replace(" ", "").replace("\n", "") for one in (*hashes, *ROLES))


def test_on_the_command_line(
    pdf_office: PdfOffice, assertions: list[bytes], tmp_path: Path
) -> None:
    files = {
        "contract.pdf": plain(),
        "seller.txt": assertions[0],
        "buyer.txt": assertions[1],
        "root.pem": pdf_office.issuer.root_pem,
        "tsa.pem": pdf_office.tsa.root.pem,
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)

    def chinhchu(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "api.cli", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )

    both = ("--assertion", "seller.txt", "--assertion", "buyer.txt")
    tsa = ("--tsa", pdf_office.tsa_url, "--tsa-root", "tsa.pem")
    run = chinhchu("pdf", "attach", "contract.pdf", *both, *tsa, "--out", "a.pdf", "--json")
    assert run.returncode == 0, run.stdout + run.stderr
    assert len(json.loads(run.stdout)["timestamps"]) == 2
    asked = ("--root", "root.pem", "--audience", AUDIENCE, "--timestamp-root", "tsa.pem")
    nonces = ("--nonce", NONCES[1], "--nonce", NONCES[0])
    seen = ("--seen", "seen.db")
    run = chinhchu("verify", "a.pdf", *asked, *nonces, *seen, "--lang", "en")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "Assertion 1 (transferor, txn-1): PASSED" in run.stdout
    assert "Assertion 2 (transferee, txn-1): PASSED" in run.stdout
    run = chinhchu("verify", "a.pdf", *asked, *nonces, "--json")
    told = json.loads(run.stdout)
    assert (told["outcome"], told["claims"], told["checks"]) == ("PASSED", None, [])
    assert [one["party_role"] for one in told["assertions"]] == list(ROLES)
    assert [one["claims"]["nonce"] for one in told["assertions"]] == list(NONCES)
    # Both were accepted above, and each alone counts as accepted.
    run = chinhchu("verify", "a.pdf", *asked, *nonces, *seen, "--json")
    assert (run.returncode, json.loads(run.stdout)["reasons"]) == (1, ["assertion-replayed"])
    alone = ("verify", "buyer.txt", "--document", "contract.pdf", *asked, *seen, "--json")
    run = chinhchu(*alone, "--nonce", NONCES[1])
    assert "assertion-replayed" in json.loads(run.stdout)["reasons"]
    run = chinhchu(*alone, *nonces)
    assert (run.returncode, json.loads(run.stdout)["error"]["code"]) == (4, "input-unusable")
    token = ("--timestamp", "tsa.pem", "--out", "b.pdf", "--json")
    run = chinhchu("pdf", "attach", "contract.pdf", *both, *token)
    assert json.loads(run.stdout)["error"]["code"] == "input-unusable"


def test_the_check_of_the_attachments_tells_which_nonce(
    pdf_office: PdfOffice, attached: bytes
) -> None:
    found = pdf_office.verify(attached, nonce=[*NONCES, "n-3"], signature_roots=[])
    (check,) = [check for check in found.checks if check.name is PdfCheckName.ATTACHMENT]
    assert check.reason == "pdf-nonce-unmatched"
    assert "n-3" not in str(check.detail)
