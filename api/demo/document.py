"""The document of the demonstration: one page that a notary might certify a signature on."""

from datetime import UTC, datetime

import font_source_sans_pro as fonts
from fpdf import FPDF

TITLE = "Giấy ủy quyền nhận kết quả hồ sơ"

PARAGRAPHS = (
    "Mẫu thử nghiệm, không có giá trị pháp lý. / A specimen without legal effect.",
    "Bên ủy quyền là người có căn cước được xác nhận trong lời chứng điện tử kèm theo. Bên ủy "
    "quyền giao cho bên được ủy quyền nhận kết quả giải quyết hồ sơ tại Trung tâm Phục vụ hành "
    "chính công.",
    "The principal is the person whose identity the attached assertion confirms. The principal "
    "authorises the agent to collect the result of the dossier.",
)


def make_pdf(paragraphs: tuple[str, ...] = PARAGRAPHS) -> bytes:
    """Return a one-page PDF in Vietnamese and English, the same bytes for the same text."""
    pdf = FPDF(format="A4")
    pdf.set_creation_date(datetime(2026, 1, 1, tzinfo=UTC))
    pdf.set_title(TITLE)
    pdf.set_margin(25)
    pdf.add_page()
    pdf.add_font("text", fname=fonts.font_files_ttf["SourceSansPro"])
    pdf.set_font("text", size=18)
    pdf.multi_cell(0, 10, TITLE, align="C", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font("text", size=12)
    for paragraph in paragraphs:
        pdf.ln(4)
        pdf.multi_cell(0, 6.5, paragraph, new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())
