"""The check of an assertion's status against the lists that a relying party has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cryptography import x509

from api.assertions.verification import (
    Check,
    CheckName,
    failed,
    not_performed,
    not_supported,
    passed,
)
from api.errors import ApiError

if TYPE_CHECKING:
    from api.assertions.status_array import Status, StatusReference
    from api.assertions.status_errors import StatusListOfOtherTimeError

NAME = CheckName.STATUS


def check_status(
    payload: Mapping[str, Any],
    lists: Sequence[str | bytes],
    *,
    roots: Sequence[x509.Certificate],
    crls: Sequence[x509.CertificateRevocationList],
    times: Sequence[datetime],
) -> Check:
    """Look the assertion up in the newest list that can be believed, and for its end in all.

    Args:
        payload: the assertion's claims.
        lists: Status List Tokens, of this and other lists.
        roots: the pinned ones.
        crls: revocation lists: what a revoked key signed is not believed.
        times: a list must be fresh at one of them: now, or the time that is judged.

    Returns:
        Failed where the status is invalid or suspended, or the list has no place for it. Not
        performed, under the code of what is wrong, where no list can be believed, or where the
        issuer revoked the assertion in one that is too old or too new: the signature is valid and
        the status is unknown.
    """
    # Imported here: most of a verifier's starts have no list to read.
    from api.assertions.status_array import Status, StatusReference

    try:
        reference = StatusReference.from_payload(payload)
    except ApiError as error:
        return failed(NAME, error.code, str(error))
    if reference is None:
        return not_supported(NAME, "status-not-in-assertion")
    if not lists:
        return not_performed(NAME, "status-unknown")
    try:
        told, refused = _ask(lists, reference, payload["iss"], roots, crls, times)
    except ApiError as error:
        return failed(NAME, error.code, str(error))
    status = _joined(told)
    if status is Status.INVALID:
        return failed(NAME, "revoked")
    if status is Status.SUSPENDED:
        return failed(NAME, "suspended")
    # What was revoked stays revoked, whatever another list says.
    unknown = [refusal for refusal in refused if refusal.is_revoked] or refused
    if status is Status.VALID and not (unknown and unknown[0].is_revoked):
        return passed(NAME)
    return not_performed(NAME, unknown[0].reason, detail=unknown[0].detail)


@dataclass(frozen=True)
class _Told:
    """What a list that can be believed says of the assertion."""

    issued_at: datetime
    status: "Status"


@dataclass(frozen=True)
class _Refused:
    """Why a list cannot be believed."""

    reason: str
    detail: str
    is_revoked: bool = False
    """Whether the issuer did sign it, for another time, and revoked the assertion in it."""


def _ask(
    lists: Sequence[str | bytes],
    reference: "StatusReference",
    issuer: str,
    roots: Sequence[x509.Certificate],
    crls: Sequence[x509.CertificateRevocationList],
    times: Sequence[datetime],
) -> tuple[list[_Told], list[_Refused]]:
    """Ask each list for each time, one list in memory at once.

    Raises:
        StatusIndexOutOfRangeError: one that can be believed does not reach so far.
        StatusValueUnknownError: it holds a status there that is not known.
    """
    from api.assertions.status_errors import (
        StatusListOfOtherTimeError,
        StatusListOtherSubjectError,
    )
    from api.assertions.status_list import verify_status_list

    told: list[_Told] = []
    refused: list[_Refused] = []
    for token in lists:
        for at in times:
            try:
                found = verify_status_list(
                    token, uri=reference.uri, roots=roots, issuer=issuer, at=at, crls=crls
                )
            except StatusListOfOtherTimeError as error:
                refused.append(_of_other_time(error, reference.idx))
                continue
            except ApiError as error:
                refused.append(_Refused(error.code, str(error)))
                continue
            told.append(_Told(found.issued_at, found.status(reference.idx)))
    # A list of another subject is no fault where several are at hand.
    refused.sort(key=lambda refusal: refusal.reason == StatusListOtherSubjectError.code)
    return told, refused


def _of_other_time(error: "StatusListOfOtherTimeError", idx: int) -> _Refused:
    from api.assertions.status_array import Status

    try:
        is_revoked = error.told.status(idx) is Status.INVALID
    except ApiError:
        is_revoked = False
    reason = error.code_if_revoked if is_revoked else error.code
    return _Refused(reason, str(error), is_revoked)


def _joined(told: Sequence[_Told]) -> "Status | None":
    """Return what the newest list says: the worse of two of one second, `INVALID` for good."""
    from api.assertions.status_array import Status

    if any(found.status is Status.INVALID for found in told):
        return Status.INVALID
    newest = max((found.issued_at for found in told), default=None)
    return max((found.status for found in told if found.issued_at == newest), default=None)
