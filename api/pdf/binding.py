"""What the assertions in a PDF are for: which beginning of the file, and which session each.

Nothing that is read here is verified yet. What an assertion says of itself only tells what it is
to be verified against; if it is not genuine, its verification fails.
"""

import hashlib
from collections.abc import Mapping, Sequence

from api.assertions import sd_jwt
from api.errors import ApiError
from api.pdf.attachments import CarriedAssertion
from api.pdf.errors import PdfRevisionError


def find_revision(pdf: bytes, assertion: bytes) -> bytes:
    """Return the longest beginning of a PDF that an assertion is for: so long, with that digest.

    Raises:
        AssertionMalformedError: the attachment is no assertion.
        PdfRevisionError: no asserted document is the beginning of this file.
    """
    payload = sd_jwt.parse(assertion).issued.payload
    transaction = payload.get("txn")
    documents = transaction.get("documents") if isinstance(transaction, Mapping) else None
    candidates = sorted(
        (document["byte_length"], str(document.get("digest")))
        for document in (documents if isinstance(documents, list) else ())
        if isinstance(document, Mapping) and isinstance(document.get("byte_length"), int)
    )
    # One pass over the file, however many documents there are.
    hashed, position, found = hashlib.sha256(), 0, 0
    for length, digest in candidates:
        if not 0 < length <= len(pdf):
            continue
        hashed.update(memoryview(pdf)[position:length])
        position = length
        if hashed.hexdigest() == digest:
            found = length
    if found:
        return pdf[:found]
    raise PdfRevisionError("the file does not begin with the document that the assertion is for")


def match_nonces(
    carried: Sequence[CarriedAssertion], nonce: str | Sequence[str] | None
) -> tuple[list[str | None], list[str]]:
    """Say which nonce each assertion is to have.

    Returns:
        For each assertion its nonce: the one that it names, if that was given; else one of those
        that are left, which it will not have; None where none is left. Then the nonces that are
        left after that.
    """
    left = [nonce] if isinstance(nonce, str) else list(nonce or ())
    expected: list[str | None] = []
    for one in carried:
        try:
            named = sd_jwt.parse(one.assertion).issued.payload.get("nonce")
        except ApiError:  # it will fail for that
            named = None
        if isinstance(named, str) and named in left:
            left.remove(named)
            expected.append(named)
        else:
            expected.append(None)
    for index, given in enumerate(expected):
        if given is None and left:
            expected[index] = left.pop(0)
    return expected, left
