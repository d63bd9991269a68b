"""What a certification or a signature forbids, and what `attach` refuses."""

import pytest
from pyhanko.sign.fields import (
    FieldMDPAction,
    FieldMDPSpec,
    MDPPerm,
    SigFieldSpec,
)

from api.assertions.verification import Outcome
from tests.fixtures.pdf_attacks import attached_anyway
from tests.fixtures.pdf_documents import plain, specimen
from tests.fixtures.pdf_office import PdfOffice, with_list


@pytest.mark.parametrize("level", list(MDPPerm))
def test_a_certified_document_allows_no_attachment(pdf_office: PdfOffice, level: MDPPerm) -> None:
    """`attach` refuses it; somebody else's software need not."""
    document = pdf_office.basic(plain(), pdf_office.notary, certify=True, docmdp_permissions=level)
    forced = attached_anyway(document, pdf_office.issue(document))
    assert pdf_office.verify(forced, signature_roots=[]).reasons == ("pdf-certified",)


def test_what_a_signature_forbids_is_refused(pdf_office: PdfOffice, attached: bytes) -> None:
    """The notary allows nothing after it, and somebody signs after it."""
    final = SigFieldSpec(
        "Basic0",
        field_mdp_spec=FieldMDPSpec(FieldMDPAction.ALL),
        doc_mdp_update_value=MDPPerm.NO_CHANGES,
    )
    pdf = pdf_office.basic(attached, pdf_office.notary, new_field_spec=final)
    pdf = with_list(pdf, pdf_office.people.crl())
    assert pdf_office.verify(pdf).outcome is Outcome.PASSED
    later = pdf_office.basic(pdf, pdf_office.organisation)
    assert pdf_office.verify(later).reasons == ("pdf-certified",)


@pytest.mark.parametrize(
    ("form", "reason"),
    [(b"/XFA (x)", "pdf-unusable"), (b"/NeedAppearances true", "pdf-unusable")],
)
def test_what_attaching_refuses_does_not_verify(
    pdf_office: PdfOffice, form: bytes, reason: str
) -> None:
    catalogue = b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [] %s >> >>" % form
    document = plain(specimen(catalogue=catalogue))
    forced = attached_anyway(document, pdf_office.issue(document))
    assert pdf_office.verify(forced, signature_roots=[]).reasons == (reason,)
