"""What the chip says about its holder, once Passive Authentication has proven it."""

from dataclasses import dataclass, field
from datetime import date, datetime

from devices.emrtd.lds import FaceImage
from devices.emrtd.lds.dg13 import Dg13, parse_dg13_date
from devices.emrtd.lds.mrz import Mrz
from devices.emrtd.trust.certification_path import VerifiedChain
from devices.emrtd.verification.passive_authentication import VerifiedDataGroups

_SEALED = object()
_SEX = {"M": "M", "F": "F", "<": "X"}


@dataclass(frozen=True)
class VerifiedDocument:
    """The document's contents; only a verified chip makes one."""

    document_code: str
    """As in the MRZ: `I`, `ID`, `P`."""
    issuer: str
    """Issuing state as in the MRZ: `VNM`."""
    document_number: str = field(repr=False)
    id_number: str | None = field(repr=False)
    """Personal identification number, or None if the document has none."""
    name: str = field(repr=False)
    """With diacritics from DG13 where it was read, else from the MRZ."""
    date_of_birth: date | None = field(repr=False)
    """None where the document gives only a part of it."""
    sex: str = field(repr=False)
    """`M`, `F` or `X`."""
    nationality: str
    """As in the MRZ: `VNM`."""
    date_of_issue: date | None = field(repr=False)
    date_of_expiry: date | None = field(repr=False)
    """None for a card without expiry."""
    place_of_origin: str | None = field(repr=False)
    place_of_residence: str | None = field(repr=False)
    age_years: int | None = field(repr=False)
    """Completed years on the day of the verdict; None where the date of birth is not whole."""
    portrait: bytes | None = field(repr=False)
    """The first face of DG2 as an image file; None if DG2 is absent or unusable."""
    portrait_media_type: str | None
    """`image/jpeg`, `image/jp2` or `image/j2c`."""
    _seal: object = field(repr=False)

    def __post_init__(self) -> None:
        if self._seal is not _SEALED:
            raise TypeError("a VerifiedDocument comes from a verified chip only")


def build_document(
    groups: VerifiedDataGroups,
    chain: VerifiedChain,
    *,
    mrz: Mrz,
    dg13: Dg13 | None,
    portrait: FaceImage | None,
    at: datetime,
) -> VerifiedDocument:
    """Return the document that verified data groups and a verified issuer prove.

    Args:
        groups: the verified data groups that the contents were parsed from.
        chain: the verified issuer of the SOD that covers them.
        mrz: the parsed DG1.
        dg13: the parsed DG13, if it was read.
        portrait: the first face of DG2, if it was read.
        at: the time of the verdict, which tells the century of two-digit years.
    """
    if not isinstance(groups, VerifiedDataGroups) or not isinstance(chain, VerifiedChain):
        raise TypeError("a document is built from verified data only")
    born = parse_dg13_date(dg13.date_of_birth) if dg13 else None
    born = born or birth_date(mrz.date_of_birth, at)
    return VerifiedDocument(
        document_code=mrz.document_code,
        issuer=mrz.issuer,
        document_number=mrz.document_number,
        id_number=(dg13.id_number if dg13 else None) or mrz.vietnamese_id_number,
        name=(dg13.name if dg13 else None) or mrz.name,
        date_of_birth=born,
        sex=_SEX[mrz.sex],
        nationality=mrz.nationality,
        date_of_issue=parse_dg13_date(dg13.date_of_issue) if dg13 else None,
        date_of_expiry=None if has_no_expiry(mrz, dg13) else expiry_date(mrz.date_of_expiry),
        place_of_origin=dg13.place_of_origin if dg13 else None,
        place_of_residence=dg13.place_of_residence if dg13 else None,
        age_years=None if born is None else age_years(born, at.date()),
        portrait=portrait.data if portrait else None,
        portrait_media_type=portrait.media_type if portrait else None,
        _seal=_SEALED,
    )


def age_years(born: date, on: date) -> int:
    """Return the completed years of life; who is born on 29 February completes them on 1 March."""
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def birth_date(text: str, at: datetime) -> date | None:
    """Return the last date before `at` that YYMMDD can mean, or None if a part is unknown."""
    this_century = _date(text, at.year // 100)
    if this_century is None or this_century <= at.date():
        return this_century
    return _date(text, at.year // 100 - 1)


def expiry_date(text: str) -> date | None:
    """Return the date of YYMMDD in this century, or None if it is none."""
    return _date(text, 20)


def has_no_expiry(mrz: Mrz, dg13: Dg13 | None) -> bool:
    """Return whether the card never expires.

    Cards say so in DG13, or by the date 991231 in the MRZ.
    """
    return mrz.date_of_expiry == "991231" or bool(dg13 and dg13.never_expires)


def _date(text: str, century: int) -> date | None:
    if not text.isdecimal():
        return None
    try:
        return date(100 * century + int(text[:2]), int(text[2:4]), int(text[4:6]))
    except ValueError:
        return None
