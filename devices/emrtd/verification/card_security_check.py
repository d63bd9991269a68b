"""Does a trust anchor vouch for EF.CardSecurity, where it was read, and does it still?

Source: ICAO Doc 9303-11, 9.2.11; 9303-12, 5.
"""

from datetime import datetime

from devices.emrtd.checks import (
    CARD_SECURITY,
    Check,
    CheckResult,
    failed,
    not_performed,
    ok,
)
from devices.emrtd.errors import AuthenticationRefusedError
from devices.emrtd.lds.card_security import parse_card_security, verify_card_security
from devices.emrtd.lds.security_infos import SecurityInfo
from devices.emrtd.trust.certification_path import verify_chain
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.verification.revocation import check_revocation
from devices.errors import DeviceError


def check_card_security(
    data: bytes | None, anchors: TrustAnchors, *, at: datetime
) -> tuple[tuple[SecurityInfo, ...] | None, Check]:
    """Return the contents of EF.CardSecurity as read, and whether an anchor vouches for them.

    Revocation lists that are stale or missing leave it `ok`: the check `crl` says that they are.

    Reasons: `card-security-not-read`, `csca-unknown` (not performed); `card-security-malformed`,
    `dsc-revoked`, `csca-revoked`, and those of its signature and of the chain (failed).

    Args:
        data: the file; None if it was not read.
        anchors: the operator's trust anchors.
        at: the time of the verdict, with time zone.
    """
    if data is None:
        return None, not_performed(CARD_SECURITY, "card-security-not-read")
    infos: tuple[SecurityInfo, ...] | None = None
    try:
        parsed = parse_card_security(data)
        infos = parsed.security_infos
        signer = verify_card_security(parsed, anchors.certificates).signer
        signing_time = parsed.signed_data.signing_time
        chain = verify_chain(signer, anchors, at=at, signing_time=signing_time)
    except AuthenticationRefusedError as error:
        finding = not_performed if error.reason == "csca-unknown" else failed
        return infos, finding(CARD_SECURITY, error.reason)
    except DeviceError:
        return infos, failed(CARD_SECURITY, "card-security-malformed")
    revocation, _ = check_revocation(chain, anchors, at=at)
    if revocation.result is CheckResult.FAILED:
        return infos, failed(CARD_SECURITY, revocation.reason)
    return infos, ok(CARD_SECURITY)
