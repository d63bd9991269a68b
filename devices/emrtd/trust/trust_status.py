"""What a trust store is good for today: which certificates can be used, and what needs care.

Source: ICAO Doc 9303-12, 5 and 7.1.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from devices.emrtd.errors import AuthenticationRefusedError
from devices.emrtd.trust.certificates import Certificate
from devices.emrtd.trust.certification_path import check_authority
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.trust.trust_store import TrustStore

EXPIRES_SOON = timedelta(days=90)
LIST_IS_OLD = timedelta(days=180)


@dataclass(frozen=True)
class Concern:
    """Something that an operator should know about."""

    code: str
    """Permanent kebab-case code."""
    subject: str
    """What it is about."""
    is_urgent: bool
    """Whether chips that could be verified cannot be, now."""


def role_of(certificate: Certificate) -> str:
    """Return `anchor`, `link` or `pinned-signer`."""
    if not certificate.extensions.is_ca and not certificate.is_self_issued:
        return "pinned-signer"
    return "anchor" if certificate.is_self_signed else "link"


def unusable_reason(certificate: Certificate, anchors: TrustAnchors, at: datetime) -> str | None:
    """Return why a certificate can vouch for nothing at a time, or None if it can.

    Reasons: those of `certification_path.verify_chain` that begin with `csca-` or `dsc-`.
    """
    if role_of(certificate) == "pinned-signer":
        return None if certificate.is_valid(at) else "dsc-expired"
    try:
        check_authority(certificate, anchors.policy, at)
    except AuthenticationRefusedError as error:
        return error.reason
    if not certificate.is_self_signed and not anchors.paths(certificate):
        return "csca-unknown"
    return None


def concerns(store: TrustStore, *, at: datetime) -> tuple[Concern, ...]:
    """Return what needs care, the urgent first.

    Codes: `store-empty`, `certificate-unusable`, `certificate-expires-soon`, `crl-missing`,
    `crl-stale`, `crl-signature-invalid`, `key-twice`, `master-list-old`, `file-unlisted`.
    """
    anchors = store.anchors
    found = [] if store.certificates else [Concern("store-empty", "", True)]
    keys: dict[tuple[str, bytes], list[Certificate]] = {}
    for certificate in store.certificates.values():
        name = f"{certificate.subject} ({certificate.sha256[:16]})"
        reason = unusable_reason(certificate, anchors, at)
        if reason is not None:
            found.append(Concern("certificate-unusable", f"{name}: {reason}", False))
        elif certificate.not_after - at < EXPIRES_SOON:
            found.append(Concern("certificate-expires-soon", name, False))
        kind = role_of(certificate)
        keys.setdefault((kind, certificate.key_identifier), []).append(certificate)
    for (kind, identifier), same in keys.items():
        if len(same) > 1 and kind == "anchor":
            found.append(Concern("key-twice", f"{same[0].subject} ({identifier.hex()})", False))
    found += _crl_concerns(store, anchors, at)
    for entry in store.master_lists.values():
        if at - datetime.fromisoformat(entry.signed_at) > LIST_IS_OLD:
            found.append(Concern("master-list-old", f"{entry.sha256[:16]}", False))
    found += [Concern("file-unlisted", name, True) for name in store.unlisted]
    return tuple(sorted(found, key=lambda concern: (not concern.is_urgent, concern.code)))


def _crl_concerns(store: TrustStore, anchors: TrustAnchors, at: datetime) -> list[Concern]:
    found = []
    covered = set()
    for crl in store.crls.values():
        name = f"{crl.issuer} ({crl.sha256[:16]})"
        if not anchors.crl_signers(crl):
            found.append(Concern("crl-signature-invalid", name, True))
        elif crl.is_stale(at, store.policy):
            found.append(Concern("crl-stale", name, True))
            covered.add(crl.issuer.country)
        else:
            covered.add(crl.issuer.country)
    countries = {c.country for c in store.certificates.values()} - covered
    if countries:
        names = ", ".join(sorted(country or "none" for country in countries))
        found.append(Concern("crl-missing", names, False))
    return found
