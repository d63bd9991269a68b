"""A signed PDF made here is verified elsewhere: by one file, pyHanko and pinned roots."""

import sysconfig
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from api.cli.build_verifier import build
from tests.fixtures.office import AUDIENCE, NONCE
from tests.fixtures.other_machine import OtherMachine
from tests.fixtures.pdf_documents import plain
from tests.fixtures.pdf_office import PdfOffice


@pytest.fixture(scope="module")
def notarys_machine(
    pdf_office: PdfOffice, tmp_path_factory: pytest.TempPathFactory
) -> OtherMachine:
    machine = OtherMachine(tmp_path_factory.mktemp("carried"), Path(sysconfig.get_path("purelib")))
    # An editable installation reaches this project by a .pth file, which counts for nothing there.
    if "ModuleNotFoundError" not in machine.python("-c", "import api").stderr:
        pytest.skip("this project is installed among the packages: no other machine can be had")
    document = plain()
    attached = pdf_office.attached(document)
    signed = pdf_office.signed(attached)
    signed = pdf_office.signed(signed, pdf_office.organisation.signer)
    files = {
        "signed.pdf": signed,
        "attached.pdf": attached,
        "changed.pdf": document.replace(b"1.7", b"1.6", 1) + signed[len(document) :],
        "appended.pdf": signed + b"\n1 0 obj\n<<>>\nendobj\n",
        "root.pem": pdf_office.issuer.root_pem,
        "tsa.pem": pdf_office.tsa.root.pem,
        "people.pem": pdf_office.people.pem,
    }
    for name, data in files.items():
        (machine.folder / name).write_bytes(data)
    build(machine.folder / "chinhchu-verify.pyz")
    return machine


def asked(**changes: Any) -> dict[str, Any]:
    return {
        "root": "root.pem",
        "audience": AUDIENCE,
        "nonce": NONCE,
        "timestamp_root": "tsa.pem",
        "signature_root": "people.pem",
        **changes,
    }


def test_passed(notarys_machine: OtherMachine) -> None:
    assert notarys_machine.verify("signed.pdf", asked()) == (0, [])


def test_passed_before_anybody_signed(notarys_machine: OtherMachine) -> None:
    assert notarys_machine.verify("attached.pdf", asked(signature_root=None)) == (0, [])


def test_passed_three_years_later(notarys_machine: OtherMachine, pdf_office: PdfOffice) -> None:
    later: datetime = pdf_office.now + timedelta(days=3 * 365)
    assert notarys_machine.verify("signed.pdf", asked(at=later.isoformat())) == (0, [])


@pytest.mark.parametrize(
    ("file", "changes", "reason"),
    [
        ("changed.pdf", {}, "pdf-revision-unknown"),
        ("appended.pdf", {}, "pdf-unusable"),
        ("attached.pdf", {}, "pdf-signature-missing"),
        ("signed.pdf", {"nonce": "n-another"}, "nonce-mismatch"),
        ("signed.pdf", {"root": "people.pem"}, "chain-unpinned-root"),
    ],
)
def test_each_for_its_own_reason(
    notarys_machine: OtherMachine, file: str, changes: dict[str, Any], reason: str
) -> None:
    assert notarys_machine.verify(file, asked(**changes)) == (1, [reason])
