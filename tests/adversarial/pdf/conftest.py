"""What the tests of PDF documents share."""

from tests.fixtures.pdf_office import pdf_office

__all__ = ["pdf_office"]
