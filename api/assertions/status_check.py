"""The check of an assertion's status against the lists that a relying party has."""

from collections.abc import Mapping, Sequence
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
    from api.assertions.status_array import Status
    from api.assertions.status_list import VerifiedStatusList

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
        performed, under the code of what is wrong, where no list can be believed: the signature is
        valid and the status is unknown.
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
    believed, refused = _read(lists, reference.uri, payload["iss"], roots, crls, times)
    if not believed:
        return not_performed(NAME, refused[0].code, detail=str(refused[0]))
    try:
        status = _status(believed, reference.idx)
    except ApiError as error:
        return failed(NAME, error.code, str(error))
    if status is Status.VALID:
        return passed(NAME)
    return failed(NAME, "revoked" if status is Status.INVALID else "suspended")


def _status(believed: "Sequence[VerifiedStatusList]", idx: int) -> "Status":
    """Return what the newest list says: the worse of two of one second, `INVALID` for good."""
    from api.assertions.status_array import Status

    newest = max(found.issued_at for found in believed)
    told = [(found.issued_at, found.status(idx)) for found in believed]
    if any(status is Status.INVALID for _, status in told):
        return Status.INVALID
    return max(status for issued_at, status in told if issued_at == newest)


def _read(
    lists: Sequence[str | bytes],
    uri: str,
    issuer: str,
    roots: Sequence[x509.Certificate],
    crls: Sequence[x509.CertificateRevocationList],
    times: Sequence[datetime],
) -> "tuple[list[VerifiedStatusList], list[ApiError]]":
    """Return the lists that can be believed, and what is wrong with the others."""
    from api.assertions.status_errors import StatusListOtherSubjectError
    from api.assertions.status_list import verify_status_list

    believed: list[VerifiedStatusList] = []
    refused: list[ApiError] = []
    for token in lists:
        for at in times:
            try:
                believed.append(
                    verify_status_list(token, uri=uri, roots=roots, issuer=issuer, at=at, crls=crls)
                )
            except ApiError as error:
                refused.append(error)
    # A list of another subject is no fault where several are at hand.
    refused.sort(key=lambda error: isinstance(error, StatusListOtherSubjectError))
    return believed, refused
