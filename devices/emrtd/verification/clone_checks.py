"""Is the chip a clone? Files can be copied, private keys cannot.

Each check rests on a challenge that this verifier made itself; what the terminal says of its own
challenges proves nothing. The keys that answers are checked with are those that the issuer signed.

Source: ICAO Doc 9303-11, 4.4.3.3.3 (PACE-CAM), 6.1 (Active Authentication), 6.2 (Chip
Authentication).
"""

from devices.emrtd.active_authentication import verify_active_authentication
from devices.emrtd.checks import (
    ACTIVE_AUTHENTICATION,
    CHIP_AUTHENTICATION,
    CHIP_AUTHENTICATION_MAPPING,
    Check,
    failed,
    not_performed,
    not_supported,
    ok,
)
from devices.emrtd.chip_authentication_mapping import check_chip_authentication as check_mapping
from devices.emrtd.crypto.domain_parameters import STANDARDISED
from devices.emrtd.crypto.elliptic_curves import Curve
from devices.emrtd.errors import AuthenticationRefusedError, ChipAuthenticationMappingError
from devices.emrtd.evidence import ChipEvidence
from devices.emrtd.lds import parse_dg15
from devices.emrtd.lds.security_infos import (
    SecurityInfo,
    active_authentication_algorithm,
    offers_chip_authentication,
)
from devices.emrtd.lds.sod import VerifiedSod
from devices.emrtd.verification.chip_authentication import (
    ChipAuthenticationChallenge,
    runs_chip_authentication,
    verify_chip_authentication,
)
from devices.emrtd.verification.passive_authentication import VerifiedDataGroups
from devices.errors import DeviceError


def check_active_authentication(
    evidence: ChipEvidence,
    sod: VerifiedSod | None,
    groups: VerifiedDataGroups | None,
    infos: tuple[SecurityInfo, ...],
    challenge: bytes | None,
) -> Check:
    """Check the chip's signature over the verifier's challenge.

    Reasons: `sod-not-verified`, `challenge-unknown`, `data-groups-not-verified` (not performed);
    `aa-not-supported`; `dg15-missing`, `dg15-not-authentic`, `aa-answer-missing`,
    `aa-challenge-mismatch`, `aa-key-unsupported`, `aa-algorithm-unsupported`,
    `aa-signature-invalid` (failed).
    """
    if sod is None:
        return not_performed(ACTIVE_AUTHENTICATION, "sod-not-verified")
    if 15 not in sod.sod.hashes:
        return not_supported(ACTIVE_AUTHENTICATION, "aa-not-supported")
    if challenge is None:
        return not_performed(ACTIVE_AUTHENTICATION, "challenge-unknown")
    dg15 = evidence.data_group(15)
    if dg15 is None:
        return failed(ACTIVE_AUTHENTICATION, "dg15-missing")
    is_verified = groups is not None and groups.files.get(15) == dg15
    if not is_verified and not sod.covers(15, dg15):
        return failed(ACTIVE_AUTHENTICATION, "dg15-not-authentic")
    if evidence.aa_response is None or evidence.aa_challenge is None:
        return failed(ACTIVE_AUTHENTICATION, "aa-answer-missing")
    if evidence.aa_challenge != challenge:
        return failed(ACTIVE_AUTHENTICATION, "aa-challenge-mismatch")
    if groups is None:
        return not_performed(ACTIVE_AUTHENTICATION, "data-groups-not-verified")
    try:
        algorithm = active_authentication_algorithm(infos)
        verify_active_authentication(parse_dg15(dg15), challenge, evidence.aa_response, algorithm)
    except AuthenticationRefusedError as error:
        return failed(ACTIVE_AUTHENTICATION, error.reason)
    except DeviceError:
        return failed(ACTIVE_AUTHENTICATION, "aa-key-unsupported")
    return ok(ACTIVE_AUTHENTICATION)


def check_chip_authentication(
    evidence: ChipEvidence,
    sod: VerifiedSod | None,
    groups: VerifiedDataGroups | None,
    infos: tuple[SecurityInfo, ...] | None,
    challenge: ChipAuthenticationChallenge | None,
) -> Check:
    """Check the chip's answer to the command that this verifier sealed.

    Args:
        evidence: the reading.
        sod: the verified SOD.
        groups: the verified data groups.
        infos: the security infos of the verified DG14; None where it was not read or is malformed.
        challenge: what this verifier kept, or None.

    Reasons: `sod-not-verified`, `data-groups-not-verified`, `ca-not-performed`,
    `ca-key-unsupported`, `challenge-unknown` (not performed); `ca-not-supported`; `dg14-missing`,
    `dg14-not-authentic`, `dg14-malformed`, `ca-key-mismatch`, `ca-challenge-mismatch`,
    `ca-answer-missing`, `ca-answer-invalid`, `ca-data-mismatch`, `ca-challenge-unusable` (failed).
    """
    if sod is None:
        return not_performed(CHIP_AUTHENTICATION, "sod-not-verified")
    if 14 not in sod.sod.hashes:
        return not_supported(CHIP_AUTHENTICATION, "ca-not-supported")
    dg14 = evidence.data_group(14)
    if challenge is not None:
        if dg14 is None:
            return failed(CHIP_AUTHENTICATION, "dg14-missing")
        if not sod.covers(14, dg14):
            return failed(CHIP_AUTHENTICATION, "dg14-not-authentic")
    if groups is None:
        return not_performed(CHIP_AUTHENTICATION, "data-groups-not-verified")
    if dg14 is None:
        return not_performed(CHIP_AUTHENTICATION, "ca-not-performed")
    if infos is None:
        return failed(CHIP_AUTHENTICATION, "dg14-malformed")
    if not offers_chip_authentication(infos):
        return not_supported(CHIP_AUTHENTICATION, "ca-not-supported")
    if challenge is None:
        return not_performed(CHIP_AUTHENTICATION, _without_challenge(evidence, infos))
    if evidence.ca is None:
        return failed(CHIP_AUTHENTICATION, "ca-answer-missing")
    try:
        verify_chip_authentication(challenge, dg14, evidence.ca)
    except AuthenticationRefusedError as error:
        return failed(CHIP_AUTHENTICATION, error.reason)
    except DeviceError:
        return failed(CHIP_AUTHENTICATION, "ca-challenge-unusable")
    return ok(CHIP_AUTHENTICATION)


def check_chip_authentication_mapping(
    evidence: ChipEvidence, card_security: tuple[SecurityInfo, ...] | None
) -> Check:
    """Check that what PACE-CAM showed fits EF.CardSecurity; that is no proof to a verifier.

    The terminal knows the session keys and could have made it all up: so the best result is that
    it was not performed, `cam-known-to-terminal`.

    Reasons: `cam-not-used`, `cam-known-to-terminal` (not performed); `card-security-missing`,
    `cam-parameters-unknown`, `cam-key-missing`, `cam-key-mismatch`, `cam-data-malformed` (failed).
    """
    name = CHIP_AUTHENTICATION_MAPPING
    if evidence.pace is None or evidence.pace.cam is None:
        return not_performed(name, "cam-not-used")
    if card_security is None:
        return failed(name, "card-security-missing")
    curve = STANDARDISED.get(evidence.pace.parameter_id or 0)
    if not isinstance(curve, Curve):
        return failed(name, "cam-parameters-unknown")
    try:
        check_mapping(evidence.pace.cam, curve, card_security)
    except ChipAuthenticationMappingError as error:
        return failed(name, error.reason)
    return not_performed(name, "cam-known-to-terminal")


def is_clone_check_withheld(
    evidence: ChipEvidence, sod: VerifiedSod, infos: tuple[SecurityInfo, ...] | None
) -> bool:
    """Return whether the chip offers a clone check and the terminal brings the answer to none."""
    if evidence.aa_response is not None or (evidence.ca and evidence.ca.answer):
        return False
    return 15 in sod.sod.hashes or (infos is not None and runs_chip_authentication(infos))


def _without_challenge(evidence: ChipEvidence, infos: tuple[SecurityInfo, ...]) -> str:
    if not runs_chip_authentication(infos):
        return "ca-key-unsupported"
    return "ca-not-performed" if evidence.ca is None else "challenge-unknown"
