"""What was just appended to a document, held against what the verifier will say of it."""

from api.errors import ApiError
from api.pdf.comparison import compare
from api.pdf.cross_references import check_cross_references
from api.pdf.errors import PdfTooComplexError, PdfUnusableError
from api.pdf.reading import Deadline, open_pdf


def check_appended(document: bytes, result: bytes) -> None:
    """Check that a revision leaves a document as it was, before anybody relies on it.

    Some documents change by being written on: names or strings of a page in an encoding of their
    own, a page that is in the document twice.

    Raises:
        PdfUnusableError: it does not; another program may write the document so that it does.
        PdfTooComplexError: the document is beyond the bounds.
    """
    deadline = Deadline()
    try:
        if not result.startswith(document):
            raise PdfUnusableError("its bytes changed")
        later = open_pdf(result, deadline)
        compare(open_pdf(document, deadline), later, deadline)
        check_cross_references(result, later, len(document))
    except PdfTooComplexError:
        raise
    except ApiError:
        raise PdfUnusableError(
            "nothing can be appended to the document without changing it; print it to a PDF"
        ) from None
