"""Do the document's own parts agree, and is it still valid?

Every field here is signed by the issuer, so a disagreement means that files of different documents
or a faulty personalisation came together.
"""

import unicodedata
from datetime import datetime

from devices.emrtd.checks import (
    DOCUMENT_CONSISTENCY,
    DOCUMENT_EXPIRY,
    Check,
    failed,
    not_performed,
    ok,
)
from devices.emrtd.lds.dg13 import Dg13, parse_dg13_date
from devices.emrtd.lds.mrz import Mrz
from devices.emrtd.verification.document import birth_date, expiry_date, has_no_expiry
from devices.emrtd.verification.issuing_states import certificate_country

_VIETNAMESE_SEX = {"nam": "M", "nữ": "F"}
_VIETNAMESE_NATIONALITY = "việt nam"


def check_consistency(
    mrz: Mrz, dg13: Dg13 | None, signer_country: str | None, at: datetime
) -> Check:
    """Compare the MRZ with itself, with DG13 where it was read, and with the signer's country.

    Reasons: `issuing-state-unknown` (not performed), `issuing-state-mismatch`,
    `id-number-mismatch`, `document-number-mismatch`, `date-of-birth-mismatch`,
    `date-of-expiry-mismatch`, `sex-mismatch`, `nationality-mismatch`, `date-of-issue-mismatch`
    (birth, issue, verdict and expiry are not in this order).
    """
    # 9303-12, 7.1.1.1: a state's signers bear its country; Germany cannot issue for Viet Nam.
    country = certificate_country(mrz.issuer)
    if country is None:
        return not_performed(DOCUMENT_CONSISTENCY, "issuing-state-unknown")
    if signer_country != country:
        return failed(DOCUMENT_CONSISTENCY, "issuing-state-mismatch")
    id_number = mrz.vietnamese_id_number
    # The document number of a Vietnamese card is the end of the personal number.
    if id_number is not None and not id_number.endswith(mrz.document_number):
        return failed(DOCUMENT_CONSISTENCY, "document-number-mismatch")
    if dg13 is None:
        return ok(DOCUMENT_CONSISTENCY)
    if dg13.id_number and id_number and dg13.id_number != id_number:
        return failed(DOCUMENT_CONSISTENCY, "id-number-mismatch")
    if dg13.id_number and mrz.issuer == "VNM" and not dg13.id_number.endswith(mrz.document_number):
        return failed(DOCUMENT_CONSISTENCY, "document-number-mismatch")
    if _differs(dg13.date_of_birth, mrz.date_of_birth):
        return failed(DOCUMENT_CONSISTENCY, "date-of-birth-mismatch")
    if not has_no_expiry(mrz, dg13) and _differs(dg13.date_of_expiry, mrz.date_of_expiry):
        return failed(DOCUMENT_CONSISTENCY, "date-of-expiry-mismatch")
    sex = _VIETNAMESE_SEX.get(_folded(dg13.sex))
    if sex is not None and sex != mrz.sex:
        return failed(DOCUMENT_CONSISTENCY, "sex-mismatch")
    is_vietnamese = _folded(dg13.nationality) == _VIETNAMESE_NATIONALITY
    if is_vietnamese and mrz.nationality != "VNM":
        return failed(DOCUMENT_CONSISTENCY, "nationality-mismatch")
    if not _are_dates_in_order(mrz, dg13, at):
        return failed(DOCUMENT_CONSISTENCY, "date-of-issue-mismatch")
    return ok(DOCUMENT_CONSISTENCY)


def check_document_type(mrz: Mrz, document_types: frozenset[str] | None) -> Check:
    """Compare the document code with the kinds of document that the signer is for.

    The list names codes as in the MRZ. `P` covers every passport, since the letter after it only
    tells kinds of passport apart (9303-4, 4.2.2.1, from its eighth edition).

    Reason: `document-type-mismatch`.
    """
    # 9303-12, 7.1.1.6: the extension is there since 2014; older signers lack it.
    if document_types is None or mrz.document_code in document_types:
        return ok(DOCUMENT_CONSISTENCY)
    if mrz.document_code.startswith("P") and "P" in document_types:
        return ok(DOCUMENT_CONSISTENCY)
    return failed(DOCUMENT_CONSISTENCY, "document-type-mismatch")


def check_expiry(mrz: Mrz, dg13: Dg13 | None, at: datetime) -> Check:
    """Compare the date of expiry with the day of the verdict.

    Reasons: `document-expired`, `document-expiry-unknown`; `no-expiry` where the card has none.
    """
    if has_no_expiry(mrz, dg13):
        return ok(DOCUMENT_EXPIRY, "no-expiry")
    expiry = expiry_date(mrz.date_of_expiry)
    if expiry is None:
        return not_performed(DOCUMENT_EXPIRY, "document-expiry-unknown")
    if at.date() > expiry:
        return failed(DOCUMENT_EXPIRY, "document-expired")
    return ok(DOCUMENT_EXPIRY)


def _are_dates_in_order(mrz: Mrz, dg13: Dg13, at: datetime) -> bool:
    """Return whether the card was issued after birth, not in the future, and before its expiry."""
    issued = parse_dg13_date(dg13.date_of_issue)
    if issued is None:
        return True
    born = parse_dg13_date(dg13.date_of_birth) or birth_date(mrz.date_of_birth, at)
    expiry = None if has_no_expiry(mrz, dg13) else expiry_date(mrz.date_of_expiry)
    is_after_birth = born is None or born <= issued
    return is_after_birth and issued <= at.date() and (expiry is None or issued <= expiry)


def _folded(text: str | None) -> str:
    return unicodedata.normalize("NFC", text or "").strip().casefold()


def _differs(dg13_text: str | None, mrz_text: str) -> bool:
    """Return whether a full date of DG13 is another than the MRZ's."""
    text = dg13_text or ""
    return text[8:] + text[3:5] + text[:2] != mrz_text and parse_dg13_date(text) is not None
