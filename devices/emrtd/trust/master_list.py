"""CSCA master lists: many states' authorities, vouched for by one that the operator trusts.

Source: ICAO Doc 9303-12, 8 (master lists), 7.1.1 (master list signer), 9.2 (CscaMasterList).
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from devices.emrtd.crypto import der
from devices.emrtd.crypto.asn1 import asn1_errors
from devices.emrtd.errors import (
    AuthenticationRefusedError,
    KeyUnsupportedError,
    MasterListMalformedError,
)
from devices.emrtd.trust.certificates import Certificate, parse_certificate
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.trust.signed_data import SignedFile, parse_signed_data, verify_signed_data

MAX_MASTER_LIST_BYTES = 32 << 20
_MAX_CERTIFICATES = 10_000
# 9303-12, 9.2: id-icao-cscaMasterList; 7.1.1, table 6: its signing key.
_MASTER_LIST_FILE = SignedFile(
    name="the master list",
    content_types=("2.23.136.1.1.2",),
    malformed=MasterListMalformedError,
    reason_prefix="master-list",
    max_bytes=MAX_MASTER_LIST_BYTES,
)
_MASTER_LIST_SIGNING_KEY = "2.23.136.1.1.3"


@dataclass(frozen=True)
class VerifiedMasterList:
    """A master list whose signature leads to the pinned root."""

    certificates: tuple[Certificate, ...]
    """Every certificate of the list that could be parsed."""
    malformed: tuple[str, ...]
    """SHA-256, hexadecimal, of each entry that is no certificate."""
    signed_at: datetime | None
    """The signer's claim of when it signed."""
    signer: Certificate
    root: Certificate
    """The pinned authority."""


def verify_master_list(data: bytes, root: Certificate, *, at: datetime) -> VerifiedMasterList:
    """Verify a master list and return what it holds.

    Args:
        data: the list, CMS signed data.
        root: the authority that the operator trusts to make the list.
        at: the time of the check, with time zone.

    Raises:
        MasterListMalformedError: it is malformed, or holds no certificate.
        KeyUnsupportedError: a certificate beside the list is malformed.
        AuthenticationRefusedError: `master-list-` and `without-signer`, `signer-missing`,
            `digest-mismatch`, `signature-invalid` …; `root-unusable`, `root-mismatch`,
            `signer-not-valid` or `signer-key-usage`.
    """
    signed = parse_signed_data(data, _MASTER_LIST_FILE)
    signer = verify_signed_data(signed)
    _check_signer(signer, signed.certificates, root, at)
    certificates, malformed = parse_entries(signed.content)
    if not certificates:
        raise MasterListMalformedError("the master list holds no certificate")
    return VerifiedMasterList(certificates, malformed, signed.signing_time, signer, root)


def _check_signer(
    signer: Certificate, beside: tuple[Certificate, ...], root: Certificate, at: datetime
) -> None:
    if not (root.extensions.is_ca and root.is_self_signed and root.is_valid(at)):
        raise _refusal("root-unusable", "the pinned root is no authority, or not valid now")
    # What comes beside the list can link the root to its later key, never be a root itself.
    links = tuple(c for c in beside if c.extensions.is_ca and not c.is_self_signed)
    paths = TrustAnchors((root, *links)).paths(signer)
    if not any(all(issuer.is_valid(at) for issuer in path) for path in paths):
        raise _refusal("root-mismatch", "the master list's signer does not lead to the pinned root")
    if not signer.is_valid(at):
        raise _refusal("signer-not-valid", "the master list's signer is not valid now")
    # 9303-12, 7.1.1, table 6.
    extensions = signer.extensions
    if (
        extensions.is_ca
        or "digital_signature" not in (extensions.key_usage or ())
        or _MASTER_LIST_SIGNING_KEY not in (extensions.extended_key_usage or ())
        or signer.country != root.country
    ):
        raise _refusal("signer-key-usage", "the key is not one that may sign master lists")


def parse_entries(content: bytes) -> tuple[tuple[Certificate, ...], tuple[str, ...]]:
    """Return the certificates of a CscaMasterList, and the SHA-256 of each entry that is none.

    Source: ICAO Doc 9303-12, 9.2: a version and a SET OF Certificate.

    Raises:
        MasterListMalformedError: it is malformed, or holds more than 10,000 entries.
    """
    with asn1_errors(MasterListMalformedError("the master list is malformed")):
        _, entries = der.children(content, der.whole(content, der.SEQUENCE))
        elements = der.children(content, entries, der.SET)
    if len(elements) > _MAX_CERTIFICATES:
        raise MasterListMalformedError("the master list holds too many certificates")
    certificates, malformed = [], []
    for element in elements:
        encoded = der.encoding(content, element)
        try:
            certificates.append(parse_certificate(encoded))
        except KeyUnsupportedError:
            malformed.append(hashlib.sha256(encoded).hexdigest())
    return tuple(certificates), tuple(malformed)


def _refusal(reason: str, message: str) -> AuthenticationRefusedError:
    return AuthenticationRefusedError(f"master-list-{reason}", message)
