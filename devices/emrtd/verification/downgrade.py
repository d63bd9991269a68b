"""Was the chip opened as well as it could be? EF.CardAccess is unsigned; DG14 is signed.

Source: ICAO Doc 9303-11, 4.4.2 and 9.2 (EF.CardAccess, EF.CardSecurity and DG14 name the same PACE
offers).
"""

from functools import lru_cache

from devices.emrtd.checks import DOWNGRADE, Check, failed, not_performed, not_supported, ok
from devices.emrtd.errors import FileMalformedError
from devices.emrtd.evidence import ChipEvidence, PaceRecord
from devices.emrtd.lds.security_infos import (
    ID_PACE,
    PaceInfo,
    SecurityInfo,
    pace_infos,
    parse_security_infos,
)


def check_downgrade(
    evidence: ChipEvidence,
    dg14: tuple[SecurityInfo, ...] | None,
    *,
    sod_lists_dg14: bool,
    card_security: tuple[SecurityInfo, ...] = (),
    is_clone_check_withheld: bool = False,
) -> Check:
    """Compare what the chip offered, what its issuer signed, and what was used.

    Reasons: `card-access-malformed`, `card-access-missing` (PACE without an offer),
    `pace-not-offered` (another PACE than EF.CardAccess offers), `pace-offer-removed` (the issuer
    signed offers that EF.CardAccess lacks), `pace-offer-altered`, `downgrade-in-silence` (BAC
    despite PACE, without a reason in the evidence), `bac-despite-pace` (with a reason),
    `clone-check-withheld` (the chip offers a clone check, the terminal brings none),
    `dg14-not-read`, `dg14-absent`, `dg14-lists-no-pace`.

    Args:
        evidence: the reading.
        dg14: the security infos of the verified DG14, or None if it was not read.
        sod_lists_dg14: whether the chip has a DG14.
        card_security: the security infos of the verified EF.CardSecurity; empty if there is none.
        is_clone_check_withheld: whether the evidence lacks every answer that the chip could give.
    """
    try:
        offered = _offers(_card_access(evidence.card_access or b""))
    except FileMalformedError:
        if evidence.card_access is not None:
            return failed(DOWNGRADE, "card-access-malformed")
        offered = frozenset()
    signed = _offers(dg14 or ()) | _offers(card_security)
    used_pace = evidence.access.startswith("PACE-")
    if used_pace and not offered:
        return failed(DOWNGRADE, "card-access-missing")
    if signed - offered:
        return failed(DOWNGRADE, "pace-offer-removed")
    if signed and offered - signed:
        return failed(DOWNGRADE, "pace-offer-altered")
    if evidence.pace is not None and not any(_is_offer(o, evidence.pace) for o in offered):
        return failed(DOWNGRADE, "pace-not-offered")
    if offered and not used_pace:
        silent = evidence.downgrade_reason is None
        return failed(DOWNGRADE, "downgrade-in-silence" if silent else "bac-despite-pace")
    if is_clone_check_withheld:
        return not_performed(DOWNGRADE, "clone-check-withheld")
    if dg14 is None and sod_lists_dg14:
        return not_performed(DOWNGRADE, "dg14-not-read")
    if dg14 is None:
        return not_supported(DOWNGRADE, "dg14-absent")
    if offered and not signed:
        return not_supported(DOWNGRADE, "dg14-lists-no-pace")
    return ok(DOWNGRADE)


def _is_offer(offer: PaceInfo, used: PaceRecord) -> bool:
    return (offer.oid, offer.parameter_id) == (used.oid, used.parameter_id)


# What a chip says of PACE is the same in all chips of a series: nothing in it is the chip's own.
_card_access = lru_cache(maxsize=64)(parse_security_infos)


def _offers(infos: tuple[SecurityInfo, ...]) -> frozenset[PaceInfo]:
    return _series_offers(tuple([info for info in infos if info.oid.startswith(ID_PACE)]))


@lru_cache(maxsize=64)
def _series_offers(infos: tuple[SecurityInfo, ...]) -> frozenset[PaceInfo]:
    return frozenset(pace_infos(infos))
