"""Has the authority taken back a certificate of the path? Fresh, stale and missing are told apart.

Source: ICAO Doc 9303-12, 5.1.4 (a CRL at least every 90 days), 7.1.4; RFC 5280, 6.3.
"""

from collections.abc import Sequence
from datetime import datetime

from devices.emrtd.checks import CRL, Check, failed, not_performed, ok
from devices.emrtd.trust.certificates import Certificate
from devices.emrtd.trust.certification_path import VerifiedChain
from devices.emrtd.trust.crl import Crl
from devices.emrtd.trust.csca import Path, TrustAnchors


def check_revocation(
    chain: VerifiedChain, anchors: TrustAnchors, *, at: datetime
) -> tuple[Check, Crl | None]:
    """Return the check and the revocation list that decided it.

    `ok` needs a list of the signer's own authority, signed by it and fresh at the time of the
    verdict. A certificate that a list names is revoked however old the list is. A list with a
    wrong signature proves nothing, for or against.

    Reasons: `crl-missing`, `crl-signature-invalid`, `crl-not-yet-valid`, `crl-stale` (not
    performed); `dsc-revoked`, `csca-revoked` (failed).
    """
    lists = anchors.crls_of_country(chain.signer.country)
    signed = [(crl, anchors.crl_signers(crl)) for crl in lists]
    mine = [(crl, signers) for crl, signers in signed if _is_of_authority(crl, signers, chain)]
    proven = [crl for crl, signers in mine if any(s.is_valid(crl.this_update) for s, *_ in signers)]
    for crl in proven:
        if chain.signer.serial_number in crl.revoked:
            return failed(CRL, "dsc-revoked"), crl
        if any(_is_revoked(issuer, crl) for issuer in chain.issuers):
            return failed(CRL, "csca-revoked"), crl
    begun = [crl for crl in proven if crl.this_update <= at]
    newest = max(begun, key=lambda crl: crl.this_update, default=None)
    if newest is None:
        reason = "crl-not-yet-valid" if proven else "crl-signature-invalid"
        return not_performed(CRL, reason if mine else "crl-missing"), None
    if newest.is_stale(at, anchors.policy):
        return not_performed(CRL, "crl-stale"), newest
    return ok(CRL), newest


def _is_of_authority(crl: Crl, signers: Sequence[Path], chain: VerifiedChain) -> bool:
    """Return whether the list speaks for the authority that issued the document signer.

    It has its name; or, since the current key signs one list for all (9303-12, 7.1.4) and may
    have come with a new name, a chain of link certificates leads from one to the other.
    """
    if crl.issuer == chain.signer.issuer:
        return True
    keys = {issuer.key_identifier for issuer in chain.issuers}
    return any(certificate.key_identifier in keys for path in signers for certificate in path)


def _is_revoked(issuer: Certificate, crl: Crl) -> bool:
    """Return whether the list names an authority's certificate, the anchor's own too.

    RFC 5280, 6.1 leaves an anchor to who configured it; but an authority that lists itself says
    that its key is lost, and nobody else can say so. Many an authority's own certificate has a
    number such as 1, so here the issuer's name has to be the list's as well (RFC 5280, 5.3).
    """
    if issuer.is_self_signed and issuer.issuer != crl.issuer:
        return False
    return issuer.serial_number in crl.revoked
