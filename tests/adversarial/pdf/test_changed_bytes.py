"""Single changes to a signed PDF, byte by byte: what still passes, and where alone it may be."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from api.assertions.verification import Outcome
from api.pdf.verification import PdfVerification
from tests.fixtures.pdf_documents import plain
from tests.fixtures.pdf_office import PdfOffice

SEED = 20261122
INSERTED = b"0 1/<>[]()R%\n\x00"


@dataclass
class Signed:
    """A document with a notary's signature, and where its parts are."""

    pdf: bytes
    verification: PdfVerification
    gaps: list[tuple[int, int]]
    """Begin and end of the hexadecimal digits of each signature."""
    digits: int
    """How many digits of the last one are not padding."""

    @property
    def covered(self) -> int:
        return self.verification.signatures[-1].end

    @property
    def original(self) -> int:
        assert self.verification.revision_0 is not None
        return len(self.verification.revision_0)

    def may_differ(self, position: int) -> bool:
        """Whether no signature covers a byte: the last timestamp itself, and what follows it."""
        begin, _ = self.gaps[-1]
        return begin <= position < begin + self.digits or position >= self.covered


@pytest.fixture(scope="module")
def signed(pdf_office: PdfOffice) -> Signed:
    pdf = pdf_office.signed(pdf_office.attached(plain()))
    verification = pdf_office.verify(pdf)
    assert verification.outcome is Outcome.PASSED
    gaps = [found.span(1) for found in re.finditer(rb"/Contents <([0-9a-fA-F]+)>", pdf)]
    begin, end = gaps[-1]
    digits = len(pdf[begin:end].rstrip(b"0"))
    return Signed(pdf, verification, gaps, digits + digits % 2)


def facts(verification: PdfVerification) -> dict[str, Any]:
    """What somebody relies on."""
    assert verification.assertion is not None
    return {
        "claims": verification.assertion.claims,
        "judged_at": verification.assertion.judged_at,
        "revision_0": verification.revision_0,
        "signers": [(s.signer, s.end, s.time, s.reason) for s in verification.signatures],
    }


def changes(pdf: bytes, positions: Iterator[int]) -> Iterator[tuple[int, bytes]]:
    """Yield one change of some kind at each position."""
    rng = random.Random(SEED)
    for position in positions:
        changed = bytearray(pdf)
        match rng.randrange(4):
            case 0:
                changed[position] ^= 1 << rng.randrange(8)
            case 1:
                changed[position] = rng.randrange(256)
            case 2:
                del changed[position]
            case _:
                changed.insert(position, rng.choice(INSERTED))
        if changed != pdf:
            yield position, bytes(changed)


def sample(*ranges: tuple[int, int, int]) -> Iterator[int]:
    """Yield positions: so many between two bounds each."""
    rng = random.Random(SEED)
    for begin, end, count in ranges:
        yield from (rng.randrange(begin, end) for _ in range(count))


def test_what_passes_is_covered_by_no_signature_and_tells_the_same(
    pdf_office: PdfOffice, signed: Signed
) -> None:
    (_, first_end), (last, last_end) = signed.gaps
    positions = sample(
        (0, signed.original, 10),
        (signed.original, signed.covered, 60),
        (first_end - 4, last + 4, 40),
        (last, last + signed.digits, 50),
        (last_end - 20, signed.covered, 40),
        (signed.covered, len(signed.pdf), 60),
    )
    passed = 0
    for position, changed in changes(signed.pdf, positions):
        found = pdf_office.verify(changed)
        if found.outcome is not Outcome.FAILED:
            passed += 1
            assert signed.may_differ(position), position
            assert facts(found) == facts(signed.verification), position
    # Metadata and certificates that nothing needs can be written in other ways.
    assert passed > 0


def test_nothing_but_the_signature_stands_in_its_gap(pdf_office: PdfOffice, signed: Signed) -> None:
    """The digits of a signature in one spelling, and zeros; no signature covers them."""
    begin, end = signed.gaps[-1]
    pad = begin + signed.digits
    letter = next(i for i in range(begin, end) if signed.pdf[i : i + 1].isalpha())
    other_case = signed.pdf[letter : letter + 1].swapcase()
    for position, byte in (
        *((pad, spelling) for spelling in (b"1", b" ", b"\n", b"%", b"g", b"\x00")),
        (pad + 1, b"f"),
        (end - 1, b"1"),
        (end - 1, b" "),
        (end - 1, b">"),
        (begin, b" "),
        (begin - 1, b"("),
        (end, b" "),
        (letter, other_case),
    ):
        changed = signed.pdf[:position] + byte + signed.pdf[position + 1 :]
        assert pdf_office.verify(changed).outcome is Outcome.FAILED, (position, byte)


def test_a_signature_cannot_be_taken_out_of_its_field(
    pdf_office: PdfOffice, signed: Signed
) -> None:
    """The document timestamp's field: a comment hides what it holds, offsets stay good enough."""
    position = signed.pdf.rindex(b"/V ", 0, signed.gaps[-1][0])
    changed = signed.pdf[:position] + b"%" + signed.pdf[position:]
    found = pdf_office.verify(changed)
    assert found.outcome is Outcome.FAILED
    assert found.reasons == ("pdf-unusable",)


def test_no_truncation_passes(pdf_office: PdfOffice, signed: Signed) -> None:
    whole = {signature.end for signature in signed.verification.signatures} | {len(signed.pdf)}
    for length in range(0, len(signed.pdf), 397):
        if length not in whole:
            assert pdf_office.verify(signed.pdf[:length]).outcome is Outcome.FAILED


@pytest.mark.parametrize(
    "trailing", [b"%", b"\n" * 20, b"\x00", b" ", b"%%EOF%", b"startxref\n0\n"]
)
def test_nothing_follows_the_end(pdf_office: PdfOffice, signed: Signed, trailing: bytes) -> None:
    assert pdf_office.verify(signed.pdf + trailing).reasons == ("pdf-unusable",)


def test_a_second_end_hides_nothing(pdf_office: PdfOffice, signed: Signed) -> None:
    """%%EOF again, after bytes that are in no revision: where the file ends is where it ends."""
    for middle in (b"", b"7 0 obj\nnull\nendobj\n", b"x" * 2000):
        found = pdf_office.verify(signed.pdf + middle + b"%%EOF\n")
        assert found.outcome is Outcome.FAILED, middle[:9]
