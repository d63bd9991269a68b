"""The evidence sheet: a page of its own for people, with a QR code of address and hashes.

It is a document beside the PDF, and not a page in it: a page added to the document would change
what was hashed and shown, and then no machine could tell an added page from a forged one. The sheet
holds nothing personal: digests, lengths, and an address.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

import font_source_sans_pro as fonts
from fpdf import FPDF

from api.assertions import sd_jwt
from api.assertions.findings import document_digests, value_at
from api.pdf.attachments import check_count, check_different
from api.pdf.errors import PdfNotBoundError
from api.pdf.qr_code import draw_qr, evidence_address

TITLE = "Phiếu kiểm chứng xác nhận điện tử"
SUBTITLE = "Evidence sheet of an electronic assertion"
EXPLANATION = (
    "Một tệp là đúng tài liệu này khi mã SHA-256 của tệp trùng với mã ở trên. Một xác nhận điện tử "
    "là đúng xác nhận này khi mã SHA-256 của nó trùng với mã ở trên, cũng là mã trong mã QR. Bản "
    "in không có giá trị thay cho việc kiểm tra chữ ký bằng phần mềm.",
    "A file is this document if its SHA-256 is the one above. An assertion is the one meant if its "
    "SHA-256 is the one above, which the QR code holds too. Print proves nothing: signatures are "
    "verified by software.",
)
QR_SIDE_MM = 60.0
QR_SIDE_PER_ASSERTION_MM = 4.0
"""For each assertion after the first, so that the modules stay large enough for a phone."""


def make_sheet(
    document: bytes, assertions: Sequence[bytes], *, url: str, at: datetime | None = None
) -> bytes:
    """Return a PDF with a QR code that holds `url#sha256=<hash of the assertion>`.

    Args:
        document: revision 0.
        assertions: those for it, as they were delivered; of several the code holds all hashes,
            with commas between them.
        url: https address, at most 512 characters, without a fragment.
        at: when the sheet is made; now if None.

    Raises:
        AssertionMalformedError: an assertion is none.
        PdfNotBoundError: one is for other documents.
        PdfAttachmentAmbiguousError: one is given twice.
        InputUnusableError: the address is unfit; there is no assertion, or there are too many.
    """
    check_count(assertions)
    address = evidence_address(url, assertions)
    digest = hashlib.sha256(document).hexdigest()
    payloads = [sd_jwt.parse(assertion).issued.payload for assertion in assertions]
    if any(digest not in document_digests(payload) for payload in payloads):
        raise PdfNotBoundError("an assertion is not for this document")
    check_different(assertions)
    moment = at or datetime.now(UTC)

    pdf = FPDF(format="A4")
    pdf.set_creation_date(moment)
    pdf.set_title(TITLE)
    pdf.set_lang("vi")
    pdf.set_margin(25)
    pdf.add_page()
    pdf.add_font("text", fname=fonts.font_files_ttf["SourceSansPro"])
    _line(pdf, TITLE, 18)
    _line(pdf, SUBTITLE, 12)
    pdf.ln(4)
    top = pdf.get_y()
    side = QR_SIDE_MM + QR_SIDE_PER_ASSERTION_MM * (len(assertions) - 1)
    draw_qr(pdf, address, left=pdf.l_margin, top=top, side=side)
    pdf.set_y(top + side)
    pdf.ln(4)
    facts = [
        ("Địa chỉ / Address", url),
        ("SHA-256 của tài liệu / of the document", _groups(digest)),
        ("Độ dài / Length", f"{len(document)} byte"),
    ]
    for number, (assertion, payload) in enumerate(zip(assertions, payloads, strict=True), start=1):
        place = f" {number}" if len(assertions) > 1 else ""
        fingerprint = hashlib.sha256(assertion).hexdigest()
        facts += [
            (f"SHA-256 của xác nhận{place} / of the assertion{place}", _groups(fingerprint)),
            ("Bên phát hành / Issuer", str(payload.get("iss", ""))),
        ]
        role = value_at(payload, "txn", "party_role")
        if place and role is not None:
            facts.append(("Vai trò / Party", str(role)))
    facts.append(("Lập lúc / Made at", f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"))
    for label, value in facts:
        _line(pdf, label, 9)
        _line(pdf, value, 12)
        pdf.ln(1.5)
    for paragraph in EXPLANATION:
        pdf.ln(2)
        _line(pdf, paragraph, 10)
    return bytes(pdf.output())


def _line(pdf: FPDF, text: str, size: float) -> None:
    pdf.set_font("text", size=size)
    pdf.multi_cell(0, size * 0.5, text, new_x="LMARGIN", new_y="NEXT", align="L")


def _groups(digest: str) -> str:
    """Return hex in groups of eight, for people who compare it by eye."""
    return " ".join(digest[index : index + 8] for index in range(0, len(digest), 8))
