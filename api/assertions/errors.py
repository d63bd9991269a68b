"""What can go wrong with claims, keys and assertions, each under a permanent code."""

from collections.abc import Sequence

from api.errors import ApiError


class AssertionMalformedError(ApiError):
    """The bytes are not an SD-JWT VC of this profile, or are beyond its bounds."""

    code = "assertion-malformed"


class AlgorithmNotAllowedError(ApiError):
    """The header names another algorithm than ES256."""

    code = "algorithm-not-allowed"


class TypeNotAllowedError(ApiError):
    """The header's `typ` is not `dc+sd-jwt`."""

    code = "type-not-allowed"


class DigestAlgorithmNotAllowedError(ApiError):
    """`_sd_alg` names another digest than SHA-256."""

    code = "digest-algorithm-not-allowed"


class DisclosureUnreferencedError(ApiError):
    """A disclosure's digest is not in what the issuer signed."""

    code = "disclosure-unreferenced"


class DisclosureDuplicateError(ApiError):
    """A disclosure, or a digest, is there twice."""

    code = "disclosure-duplicate"


class DisclosureNameForbiddenError(ApiError):
    """A disclosure is named `_sd`, `...`, or after a claim that must always be visible."""

    code = "disclosure-name-forbidden"


class DisclosureNameTakenError(ApiError):
    """A disclosure would overwrite a claim that is already there."""

    code = "disclosure-name-taken"


class DisclosureWithheldError(ApiError):
    """Something is hidden where the profile lets nothing be hidden."""

    code = "disclosure-withheld"


class DisclosureUnknownError(ApiError):
    """A claim was asked for that the assertion cannot disclose."""

    code = "disclosure-unknown"


class ChainUnpinnedRootError(ApiError):
    """The certificate chain does not end at a root that the relying party pinned."""

    code = "chain-unpinned-root"


class ChainExpiredError(ApiError):
    """A certificate of the chain is not valid at the time of verification."""

    code = "chain-expired"


class KeyUsageMissingError(ApiError):
    """The leaf certificate is not one for signing assertions."""

    code = "key-usage-missing"


class SignatureInvalidError(ApiError):
    """The signature does not verify under the leaf's key."""

    code = "signature-invalid"


class KeyBindingMissingError(ApiError):
    """The assertion is bound to a holder's key and no key-binding JWT came with it."""

    code = "key-binding-missing"


class KeyBindingInvalidError(ApiError):
    """The key-binding JWT does not prove possession for this assertion and this relying party."""

    code = "key-binding-invalid"


class MandatoryCheckError(ApiError):
    """A mandatory check is not ok, so there can be no assertion."""

    code = "mandatory-check-not-ok"

    def __init__(self, checks: Sequence[str]) -> None:
        super().__init__(f"no assertion without these checks: {', '.join(checks)}")
        self.checks = tuple(checks)
        """Names of the checks, in the claim set's words."""


class LevelExceedsChecksError(ApiError):
    """The claimed assurance level is above what the checks allow."""

    code = "level-exceeds-checks"


class ClaimsIncompleteError(ApiError):
    """A claim that every assertion needs is empty or out of range."""

    code = "claims-incomplete"


class ClaimsUnwritableError(ApiError):
    """No verifier would read the claims once they are signed: too long, or not text."""

    code = "claims-unwritable"


class SigningKeyExpiredError(ApiError):
    """The leaf certificate is outside its validity; a new leaf is needed."""

    code = "signing-key-expired"


class SigningKeyUnusableError(ApiError):
    """The folder does not hold a usable signing key with its chain."""

    code = "signing-key-unusable"


class KeysPasswordError(ApiError):
    """The password is missing or does not open the key."""

    code = "keys-password-wrong"


class KeysPasswordWeakError(ApiError):
    """A new password is too short."""

    code = "keys-password-weak"


class KeysExistError(ApiError):
    """The folder already holds something; keys are never overwritten."""

    code = "keys-exist"


class RootsUnusableError(ApiError):
    """The pinned roots are empty or not certificates."""

    code = "roots-unusable"


class IssuerMismatchError(ApiError):
    """The leaf certificate does not speak for the assertion's `iss`."""

    code = "issuer-mismatch"
