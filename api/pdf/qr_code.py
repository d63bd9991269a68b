"""QR codes in PDF pages: modules as rectangles, so that print at any size stays sharp."""

import hashlib
from collections.abc import Sequence
from urllib.parse import urlsplit

import segno
from fpdf import FPDF

from api.errors import InputUnusableError

MAX_URL = 512
QUIET_MODULES = 4
"""ISO/IEC 18004 §5.3.8."""


def evidence_address(url: str, assertions: Sequence[bytes]) -> str:
    """Return what the code holds: `url#sha256=<hash of the assertion>`, of several with commas.

    Raises:
        InputUnusableError: the address is not https, too long, not ASCII, or has a fragment.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.netloc or parts.fragment or len(url) > MAX_URL:
        raise InputUnusableError("the address must be https, without a fragment, and short")
    if not url.isascii() or not url.isprintable():
        raise InputUnusableError("the address must be plain ASCII")
    hashes = ",".join(hashlib.sha256(assertion).hexdigest() for assertion in assertions)
    return f"{url}#sha256={hashes}"


def draw_qr(pdf: FPDF, text: str, *, left: float, top: float, side: float) -> None:
    """Draw a code with its quiet zone into a square, in the document's unit."""
    rows = segno.make_qr(text, error="m").matrix
    module = side / (len(rows) + 2 * QUIET_MODULES)
    pdf.set_fill_color(0)
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark:
                pdf.rect(
                    left + (x + QUIET_MODULES) * module,
                    top + (y + QUIET_MODULES) * module,
                    module,
                    module,
                    style="F",
                )
