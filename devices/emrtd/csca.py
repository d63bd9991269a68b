"""Trust anchors: the country signing authorities that the operator configured.

Source: ICAO Doc 9303-12, 4.1 and 5 (trust anchors), 7.1.1 (certificate profile).
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature

from devices.emrtd.certificates import MAX_CERTIFICATE_BYTES, Certificate, parse_certificate
from devices.emrtd.errors import (
    AuthenticationRefusedError,
    KeyUnsupportedError,
    TrustAnchorsUnusableError,
)

_SUFFIXES = {".der", ".cer", ".crt", ".pem"}
_MAX_FILES = 10_000
# What is judged here, and policies, which name rules of the issuer and forbid nothing.
_UNDERSTOOD_EXTENSIONS = {"key_usage", "basic_constraints", "certificate_policies"}
_SEALED = object()


@dataclass(frozen=True)
class TrustAnchors:
    """Certificates that the operator trusts.

    A CSCA vouches for the document signers that it issued; a document signer among the anchors is
    pinned and stands for itself.
    """

    certificates: tuple[Certificate, ...]

    @classmethod
    def from_directory(cls, path: Path) -> "TrustAnchors":
        """Return the certificates of a folder: *.der, *.cer, *.crt and *.pem, not of subfolders.

        Raises:
            TrustAnchorsUnusableError: the folder or a certificate in it cannot be read.
        """
        try:
            files = sorted(f for f in path.iterdir() if f.suffix.lower() in _SUFFIXES)
        except OSError:
            raise TrustAnchorsUnusableError(f"{path} is not a readable folder") from None
        if len(files) > _MAX_FILES:
            raise TrustAnchorsUnusableError(f"{path} holds too many certificates")
        return cls(tuple(_read_certificate(file) for file in files))

    @property
    def digest(self) -> str:
        """SHA-256 over the sorted digests of all anchors, hexadecimal: the trust list's id."""
        digests = sorted({certificate.sha256 for certificate in self.certificates})
        return hashlib.sha256("\n".join(digests).encode("ascii")).hexdigest()

    def pins(self, certificate: Certificate) -> bool:
        """Return whether exactly this certificate is an anchor."""
        return any(anchor.der == certificate.der for anchor in self.certificates)

    def candidates(self, signer: Certificate) -> tuple[Certificate, ...]:
        """Return the anchors that may have issued `signer`, by key identifier or name."""
        return tuple(
            anchor
            for anchor in self.certificates
            if anchor.der != signer.der
            and (_same_key_identifier(signer, anchor) or anchor.subject == signer.issuer)
        )


@dataclass(frozen=True)
class VerifiedChain:
    """A document signer that an anchor vouches for; only `verify_chain` makes one."""

    signer: Certificate
    anchor: Certificate
    """The CSCA, or the signer itself where it is pinned."""
    _seal: object = field(repr=False)

    def __post_init__(self) -> None:
        if self._seal is not _SEALED:
            raise TypeError("a VerifiedChain comes from verify_chain only")

    @property
    def is_pinned(self) -> bool:
        """Whether the signer itself is an anchor."""
        return self.anchor is self.signer


def verify_chain(
    signer: Certificate, anchors: TrustAnchors, *, at: datetime, signing_time: datetime | None
) -> VerifiedChain:
    """Verify that an anchor vouches for the document signer at a time.

    Args:
        signer: the certificate whose key signed the SOD.
        anchors: the operator's trust anchors.
        at: the time of the verdict, with time zone.
        signing_time: the time in the SOD, if it has one.

    Raises:
        AuthenticationRefusedError: `csca-unknown`, `dsc-signature-invalid`, `dsc-expired`,
            `dsc-not-yet-valid`, `dsc-not-valid-when-signing`, `dsc-key-usage`, `dsc-is-ca`,
            `dsc-country-mismatch`, `dsc-extension-unknown`, `csca-expired`, `csca-not-yet-valid`,
            `csca-key-usage`, `csca-extension-unknown` or `dsc-algorithm-unsupported`.
    """
    if anchors.pins(signer):
        anchor = signer
    else:
        anchor = _issuer(signer, anchors)
        _check_authority(signer, anchor, at)
    _check_signer(signer, at, signing_time, is_pinned=anchor is signer)
    return VerifiedChain(signer, anchor, _SEALED)


def _issuer(signer: Certificate, anchors: TrustAnchors) -> Certificate:
    """Return the anchor whose key signed the document signer's certificate."""
    failure = AuthenticationRefusedError(
        "csca-unknown", "no trust anchor is configured for the issuer of this chip"
    )
    for anchor in anchors.candidates(signer):
        try:
            signer.verify_issued_by(anchor)
        except InvalidSignature:
            # An anchor of the same name may hold an earlier or later key of the authority.
            if _same_key_identifier(signer, anchor):
                failure = AuthenticationRefusedError(
                    "dsc-signature-invalid",
                    "the document signer's certificate was not signed by its issuer",
                )
        except KeyUnsupportedError as error:
            failure = AuthenticationRefusedError("dsc-algorithm-unsupported", str(error))
        else:
            return anchor
    raise failure


def _check_authority(signer: Certificate, anchor: Certificate, at: datetime) -> None:
    # 9303-12, 7.1.1, table 5: cA is true and keyCertSign is set.
    if not anchor.is_ca or "key_cert_sign" not in (anchor.key_usage or ()):
        raise AuthenticationRefusedError(
            "csca-key-usage", "the trust anchor may not issue certificates"
        )
    _check_extensions(anchor, "csca")
    _check_validity(anchor, at, "csca")
    # 9303-12, 7.1.1.1: the country in subject and issuer is the same.
    if not signer.country or signer.country != anchor.country:
        raise AuthenticationRefusedError(
            "dsc-country-mismatch", "document signer and trust anchor are of different countries"
        )


def _check_signer(
    signer: Certificate, at: datetime, signing_time: datetime | None, *, is_pinned: bool
) -> None:
    if signer.is_ca:
        raise AuthenticationRefusedError("dsc-is-ca", "the SOD's signer is an authority's own key")
    # The profile requires the extension; a pinned specimen of before 2009 may lack it.
    usage = signer.key_usage
    if "digital_signature" not in (usage or ()) and not (is_pinned and usage is None):
        raise AuthenticationRefusedError(
            "dsc-key-usage", "the document signer's key may not sign documents"
        )
    # 9303-12, 7.1.1: document signers have no extended key usage; what the same authority
    # lets sign master lists, deviation lists or visible seals has one.
    if signer.has_extended_key_usage:
        raise AuthenticationRefusedError(
            "dsc-key-usage", "the SOD's signer has its key for another purpose"
        )
    _check_extensions(signer, "dsc")
    _check_validity(signer, at, "dsc")
    if signing_time is not None and not signer.not_before <= signing_time <= signer.not_after:
        raise AuthenticationRefusedError(
            "dsc-not-valid-when-signing", "the document signer was not valid when it signed"
        )


def _check_extensions(certificate: Certificate, prefix: str) -> None:
    # RFC 5280, 4.2: a critical extension that is not understood refuses the certificate.
    if not certificate.critical_extensions <= _UNDERSTOOD_EXTENSIONS:
        raise AuthenticationRefusedError(
            f"{prefix}-extension-unknown",
            "a certificate of the chain has a critical extension that is not understood",
        )


def _check_validity(certificate: Certificate, at: datetime, prefix: str) -> None:
    if at < certificate.not_before:
        raise AuthenticationRefusedError(
            f"{prefix}-not-yet-valid", "a certificate of the chain is not valid yet"
        )
    if at > certificate.not_after:
        raise AuthenticationRefusedError(
            f"{prefix}-expired", "a certificate of the chain has expired"
        )


def _same_key_identifier(signer: Certificate, anchor: Certificate) -> bool:
    identifier = signer.authority_key_identifier
    return identifier is not None and identifier == anchor.key_identifier


def _read_certificate(path: Path) -> Certificate:
    try:
        if path.stat().st_size > MAX_CERTIFICATE_BYTES:
            raise TrustAnchorsUnusableError(f"{path.name} is too large for a certificate")
        return parse_certificate(path.read_bytes())
    except OSError:
        raise TrustAnchorsUnusableError(f"{path.name} cannot be read") from None
    except KeyUnsupportedError:
        raise TrustAnchorsUnusableError(f"{path.name} is not an X.509 certificate") from None
