"""What can go wrong with PDF documents, each under a permanent code."""

from api.errors import ApiError


class PdfExtraMissingError(ApiError):
    """The extra `pdf` is not installed."""

    code = "pdf-extra-missing"


class PdfUnusableError(ApiError):
    """The bytes are not a PDF document, or not one that can be read without guessing."""

    code = "pdf-unusable"


class PdfEncryptedError(ApiError):
    """The document is encrypted; what it shows depends on a password."""

    code = "pdf-encrypted"


class PdfTooComplexError(ApiError):
    """The document is beyond the bounds of size, objects or time."""

    code = "pdf-too-complex"


class PdfActiveContentError(ApiError):
    """The document can show something else later: scripts, actions, media, switching layers."""

    code = "pdf-active-content"


class PdfCertifiedError(ApiError):
    """A certification signature in the document forbids what would be added."""

    code = "pdf-certified"


class PdfNotBoundError(ApiError):
    """The assertion is for other documents than this one."""

    code = "pdf-document-not-bound"


class PdfAssertionPresentError(ApiError):
    """The document already carries an assertion."""

    code = "pdf-assertion-present"


class PdfAttachmentMissingError(ApiError):
    """The document carries no assertion."""

    code = "pdf-assertion-missing"


class PdfAttachmentAmbiguousError(ApiError):
    """An attachment is there twice, or it is not clear which assertions the document carries."""

    code = "pdf-assertion-ambiguous"


class PdfRevisionError(ApiError):
    """The document does not begin with the one that the assertion is for."""

    code = "pdf-revision-unknown"


class PdfChangedError(ApiError):
    """A later revision changes more than an assertion and signatures do."""

    code = "pdf-changed"


class PdfAttachmentChangedError(ApiError):
    """An attachment was added, removed or replaced after the assertion was attached."""

    code = "pdf-attachment-changed"


class PdfPageChangedError(ApiError):
    """A later revision changes pages or what is on them."""

    code = "pdf-page-changed"


class PdfFormChangedError(ApiError):
    """A later revision changes form fields."""

    code = "pdf-form-changed"


class PdfSignatureVisibleError(ApiError):
    """A later revision shows something on a page where no signature field had been reserved."""

    code = "pdf-signature-visible"


class SignerUnusableError(ApiError):
    """The PKCS#12 file or the token does not yield a key that can sign."""

    code = "pdf-signer-unusable"


class SigningFailedError(ApiError):
    """The document could not be signed, for lack of revocation information for instance."""

    code = "pdf-signing-failed"


class TimestampRefusedError(ApiError):
    """The timestamp authority cannot be reached or answers with something else than a token."""

    code = "timestamp-refused"
    retryable = True


class RevocationListUnavailableError(ApiError):
    """A revocation list that a certificate names cannot be fetched."""

    code = "revocation-list-unavailable"
    retryable = True
