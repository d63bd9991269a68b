"""What a signature shows in a field that the document reserved: who signed, and a QR code.

pyHanko's own appearance sets names in Courier, which has no Vietnamese letters.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import font_source_sans_pro as fonts
from fpdf import FPDF
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.stamp import StaticStampStyle

from api.pdf.fields import field_name, top_fields
from api.pdf.qr_code import draw_qr
from api.pdf.reading import entry, reading

MARGIN = 4.0
FRAME_POINTS = 0.5
MAX_TEXT_POINTS = 10.0


def field_size(reader: PdfFileReader, name: str) -> tuple[float, float] | None:
    """Return width and height, in points, of a reserved field; None where there is none to see."""
    with reading():
        for _, field in top_fields(reader):
            box = entry(reader, field, "/Rect")
            if field_name(reader, field) == name and isinstance(box, generic.ArrayObject):
                left, bottom, right, top = (float(number) for number in box)
                width, height = abs(right - left), abs(top - bottom)
                return (width, height) if width and height else None
    return None


@contextmanager
def signature_style(
    size: tuple[float, float], *, signer: str, address: str | None, at: datetime | None = None
) -> Iterator[StaticStampStyle]:
    """Give what fills a field of some size, while its file lasts.

    Args:
        size: width and height in points.
        signer: name in the certificate.
        address: what the QR code holds; no code if None.
        at: the time that is shown; now if None.
    """
    width, height = size
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    pdf = FPDF(unit="pt", format=(width, height))
    pdf.set_auto_page_break(False)
    pdf.set_margin(0)
    pdf.add_page()
    pdf.add_font("text", fname=fonts.font_files_ttf["SourceSansPro"])
    pdf.set_line_width(FRAME_POINTS)
    # Inside by a whole line, for viewers clip what lies on the edge.
    inner = width - 2 * FRAME_POINTS, height - 2 * FRAME_POINTS
    pdf.rect(FRAME_POINTS, FRAME_POINTS, *inner)
    left = MARGIN
    if address is not None:
        side = min(height, width / 2)
        draw_qr(pdf, address, left=0, top=(height - side) / 2, side=side)
        left = side
    points = min(MAX_TEXT_POINTS, (height - 2 * MARGIN) / 4.5)
    pdf.set_font("text", size=points)
    lines = f"Ký bởi / Signed by:\n{signer}\n{moment:%Y-%m-%dT%H:%M:%SZ}"
    pdf.set_xy(left, MARGIN)
    pdf.multi_cell(max(width - left - MARGIN, points * 4), points * 1.2, lines, align="L")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "appearance.pdf"
        file.write_bytes(bytes(pdf.output()))
        yield StaticStampStyle.from_pdf_file(str(file), border_width=0)
