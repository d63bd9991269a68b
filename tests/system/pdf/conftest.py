"""What the tests of PDF documents share."""

from tests.fixtures.pdf_office import attached, pdf_office, signed

__all__ = ["attached", "pdf_office", "signed"]
