"""From the document signer to a trust anchor: may this key have signed this document?

The rules of time: every certificate of the path is valid at the time of the verdict (a document
signer's certificate has to outlive the documents, 9303-12, 7.1.1.4), and where the SOD says when it
was signed, the signer's private key was in use then (9303-12, 7.1.1.7). The key's period of use may
be over at the time of the verdict: that is how document signers live. Nothing was signed later than
it is judged.

Source: ICAO Doc 9303-12, 5 (validation), 7.1.1 (profiles); RFC 5280, 6.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.exceptions import InvalidSignature

from devices.emrtd.errors import AuthenticationRefusedError, KeyUnsupportedError
from devices.emrtd.trust import certificate_extensions as extension
from devices.emrtd.trust.certificates import Certificate
from devices.emrtd.trust.csca import TrustAnchors
from devices.emrtd.trust.trust_policy import TrustPolicy

# What is judged here, and policies, which name rules of the issuer and forbid nothing.
_UNDERSTOOD_EXTENSIONS = {
    extension.KEY_USAGE,
    extension.BASIC_CONSTRAINTS,
    extension.CERTIFICATE_POLICIES,
    extension.PRIVATE_KEY_USAGE_PERIOD,
    extension.DOCUMENT_TYPE_LIST,
}
_SEALED = object()


@dataclass(frozen=True)
class VerifiedChain:
    """A document signer that an anchor vouches for; only `verify_chain` makes one."""

    signer: Certificate
    issuers: tuple[Certificate, ...]
    """From the CSCA that issued the signer, over link certificates, to the anchor; empty where the
    signer itself is pinned."""
    _seal: object = field(repr=False)

    def __post_init__(self) -> None:
        if self._seal is not _SEALED:
            raise TypeError("a VerifiedChain comes from verify_chain only")

    @property
    def anchor(self) -> Certificate:
        """The self-signed CSCA, or the signer itself where it is pinned."""
        return self.issuers[-1] if self.issuers else self.signer

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """SHA-256 of each certificate from the signer to the anchor, hexadecimal."""
        return tuple(certificate.sha256 for certificate in (self.signer, *self.issuers))

    @property
    def is_pinned(self) -> bool:
        """Whether the signer itself is an anchor."""
        return not self.issuers


def verify_chain(
    signer: Certificate, anchors: TrustAnchors, *, at: datetime, signing_time: datetime | None
) -> VerifiedChain:
    """Verify that an anchor vouches for the document signer at a time.

    Args:
        signer: the certificate whose key signed the SOD.
        anchors: the operator's trust anchors.
        at: the time of the verdict, with time zone.
        signing_time: the time that the signed file gives, if it gives one.

    Raises:
        AuthenticationRefusedError: `csca-unknown`, `dsc-signature-invalid`, `dsc-expired`,
            `dsc-not-yet-valid`, `signing-time-in-future`, `dsc-not-valid-when-signing`,
            `dsc-key-usage`, `dsc-is-ca`, `dsc-issuer-mismatch`, `dsc-country-mismatch`,
            `dsc-extension-unknown`, `csca-expired`, `csca-not-yet-valid`, `csca-key-usage`,
            `csca-path-length`, `csca-country-mismatch`, `csca-extension-unknown`; of an
            algorithm, after `dsc-` or `csca-`, `algorithm-unsupported`, `md5-refused`,
            `sha1-refused`, `rsa-key-too-short` or `ec-key-too-short`.
    """
    if anchors.pins(signer):
        _check_signer(signer, (), anchors.policy, at, signing_time)
        return VerifiedChain(signer, (), _SEALED)
    paths = anchors.paths(signer)
    if not paths:
        raise _no_path(signer, anchors)
    refusal = None
    for path in paths:
        try:
            _check_path(signer, path, anchors.policy, at)
            _check_signer(signer, path, anchors.policy, at, signing_time)
        except AuthenticationRefusedError as error:
            refusal = refusal or error
        else:
            return VerifiedChain(signer, path, _SEALED)
    assert refusal is not None
    raise refusal


def _no_path(signer: Certificate, anchors: TrustAnchors) -> AuthenticationRefusedError:
    """Return why no anchor is reached: nobody issued it, or the issuer's signature is wrong."""
    for candidate in anchors.candidates(signer):
        try:
            signer.verify_issued_by(candidate)
        except InvalidSignature:
            # An anchor of the same name may hold an earlier or later key of the authority.
            if candidate.key_identifier == signer.extensions.authority_key_identifier:
                return AuthenticationRefusedError(
                    "dsc-signature-invalid",
                    "the document signer's certificate was not signed by its issuer",
                )
        except KeyUnsupportedError as error:
            return AuthenticationRefusedError(f"dsc-{error.finding}", str(error))
    return AuthenticationRefusedError(
        "csca-unknown", "no trust anchor is configured for the issuer of this chip"
    )


def _check_path(
    signer: Certificate, path: Sequence[Certificate], policy: TrustPolicy, at: datetime
) -> None:
    child = signer
    for issuer in path:
        check_authority(issuer, policy, at)
        if child is not signer:
            _check_link(child, issuer)
        child = issuer


def check_authority(certificate: Certificate, policy: TrustPolicy, at: datetime) -> None:
    """Check that a certificate is an authority's that may issue certificates at a time.

    Raises:
        AuthenticationRefusedError: a reason of `verify_chain` that begins with `csca-`.
    """
    # 9303-12, 7.1.1, table 5: cA is true and keyCertSign is set.
    usage = certificate.extensions.key_usage or ()
    if not certificate.extensions.is_ca or "key_cert_sign" not in usage:
        raise AuthenticationRefusedError(
            "csca-key-usage", "the trust anchor may not issue certificates"
        )
    _check_extensions(certificate, "csca")
    _check_validity(certificate, at, "csca")
    _check_key(certificate, policy, "csca")


def _check_link(link: Certificate, issuer: Certificate) -> None:
    """A link certificate is the same authority's; anything else below a CSCA is an authority more.

    9303-12, 7.1.1: pathLenConstraint is 0 in a CSCA, whose links RFC 5280, 6.1.4 (l) does not
    count as they are self-issued; ICAO lets a new key come with a new common name.
    """
    if link.country != issuer.country:
        raise AuthenticationRefusedError(
            "csca-country-mismatch", "a link certificate leads to another country"
        )
    limit = issuer.extensions.path_length
    if limit is not None and not link.subject.is_same_authority(link.issuer):
        raise AuthenticationRefusedError(
            "csca-path-length", "the authority may have no other authority below it"
        )


def _check_signer(
    signer: Certificate,
    path: Sequence[Certificate],
    policy: TrustPolicy,
    at: datetime,
    signing_time: datetime | None,
) -> None:
    if path:
        _check_issuer(signer, path[0], policy)
    if signer.extensions.is_ca or "key_cert_sign" in (signer.extensions.key_usage or ()):
        raise AuthenticationRefusedError("dsc-is-ca", "the SOD's signer is an authority's own key")
    usage = signer.extensions.key_usage
    # The profile requires the extension; a pinned specimen of before 2009 may lack it.
    if "digital_signature" not in (usage or ()) and (path or usage is not None):
        raise AuthenticationRefusedError(
            "dsc-key-usage", "the document signer's key may not sign documents"
        )
    # 9303-12, 7.1.1: document signers have no extended key usage; what the same authority
    # lets sign master lists, deviation lists or visible seals has one.
    if signer.extensions.extended_key_usage is not None:
        raise AuthenticationRefusedError(
            "dsc-key-usage", "the SOD's signer has its key for another purpose"
        )
    _check_extensions(signer, "dsc")
    _check_validity(signer, at, "dsc")
    _check_key(signer, policy, "dsc")
    if signing_time is None:
        return
    if signing_time > at:
        raise AuthenticationRefusedError(
            "signing-time-in-future", "the file says that it was signed after it is judged"
        )
    if not _could_sign(signer, signing_time):
        raise AuthenticationRefusedError(
            "dsc-not-valid-when-signing", "the document signer was not valid when it signed"
        )


def _check_issuer(signer: Certificate, csca: Certificate, policy: TrustPolicy) -> None:
    # RFC 5280, 6.1.3 (a)(4).
    if signer.issuer != csca.subject:
        raise AuthenticationRefusedError(
            "dsc-issuer-mismatch", "the document signer names another issuer than its CSCA"
        )
    # 9303-12, 7.1.1.1: the country in subject and issuer is the same.
    if not signer.country or signer.country != csca.country:
        raise AuthenticationRefusedError(
            "dsc-country-mismatch", "document signer and trust anchor are of different countries"
        )
    hash_name = signer.signature_algorithm.hash_beside(None)
    weakness = policy.hash_weakness(hash_name, signer.not_before)
    if weakness is not None:
        raise AuthenticationRefusedError(
            f"dsc-{weakness}", "the document signer's certificate has a hash below the floor"
        )


def _could_sign(signer: Certificate, signing_time: datetime) -> bool:
    start, end = signer.extensions.private_key_usage
    return (
        signer.is_valid(signing_time)
        and (start is None or start <= signing_time)
        and (end is None or signing_time <= end)
    )


def _check_extensions(certificate: Certificate, prefix: str) -> None:
    # RFC 5280, 4.2: a critical extension that is not understood refuses the certificate.
    if not certificate.extensions.critical <= _UNDERSTOOD_EXTENSIONS:
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


def _check_key(certificate: Certificate, policy: TrustPolicy, prefix: str) -> None:
    try:
        weakness = policy.key_weakness(certificate.public_key)
    except KeyUnsupportedError as error:
        weakness = error.finding
    if weakness is not None:
        raise AuthenticationRefusedError(
            f"{prefix}-{weakness}", "a key of the chain is below the floor or not supported"
        )
