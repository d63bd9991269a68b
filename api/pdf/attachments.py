"""Attachments: the assertion and its timestamp token, put into a PDF by an appended revision.

They are associated files (ISO 32000-2 §14.13) in the tree of embedded files, so that every viewer
lists them. The bytes of the document as it was stay as they are: the assertion is for their digest.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO

from asn1crypto import cms
from pyhanko.pdf_utils import embed, generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader

from api.assertions import sd_jwt
from api.assertions.findings import document_digests
from api.assertions.timestamp_errors import TimestampImprintError, TimestampMalformedError
from api.errors import ApiError, InputUnusableError
from api.pdf.active_content import check_static
from api.pdf.appending import check_appended
from api.pdf.attachment_names import MAX_ASSERTIONS, NAMES, OURS
from api.pdf.embedded_files import FileSpecification, contents_of, embedded_files
from api.pdf.errors import (
    PdfAssertionPresentError,
    PdfAttachmentAmbiguousError,
    PdfAttachmentMissingError,
    PdfCertifiedError,
    PdfNotBoundError,
)
from api.pdf.reading import Deadline, entry, open_pdf, reading

ASSERTION_TYPE = "application/dc+sd-jwt"
TIMESTAMP_TYPE = "application/vnd.etsi.timestamp-token"
"""Registered by ETSI EN 319 122-1, Annex C, for an RFC 3161 token in a file."""

MAX_ATTACHMENT_BYTES = 128 << 10
"""Of ours; others are not unpacked."""


@dataclass(frozen=True)
class CarriedAssertion:
    """An assertion of one party, with what proves when it existed."""

    assertion: bytes = field(repr=False)
    timestamp: bytes | None = field(default=None, repr=False)
    """RFC 3161 token over it."""


def attach(document: bytes, assertion: str | bytes, timestamp: bytes | None = None) -> bytes:
    """Append a revision with the assertion, and its timestamp token, as attachments.

    Args:
        document: revision 0, byte for byte what the session was opened for.
        assertion: an SD-JWT VC for it; it is parsed here, and verified only by `verify_pdf`.
        timestamp: an RFC 3161 token over the assertion.

    Returns:
        The document, followed by the revision.

    Raises what `attach_all` raises.
    """
    text = assertion.encode() if isinstance(assertion, str) else assertion
    return attach_all(document, [CarriedAssertion(text, timestamp)])


def attach_all(document: bytes, assertions: Sequence[CarriedAssertion]) -> bytes:
    """Append one revision with the assertions of all parties, as attachments.

    Args:
        document: revision 0, byte for byte what all sessions were opened for.
        assertions: at least one and at most `MAX_ASSERTIONS`, in the order of their numbers.

    Returns:
        The document, followed by the revision.

    Raises:
        InputUnusableError: there is none, or there are too many.
        AssertionMalformedError: an assertion is none.
        PdfNotBoundError: an assertion is for other documents.
        PdfAttachmentAmbiguousError: an assertion is given twice.
        TimestampMalformedError, TimestampImprintError: a token is none, or is not over its
            assertion.
        PdfAssertionPresentError: the document carries one already.
        PdfCertifiedError: the document is certified, and this change would break that.
        PdfActiveContentError: it can show something else later, by scripts, actions, layers, media.
        PdfUnusableError: not a PDF, broken, or with a form that viewers show differently (XFA,
            fields without appearances).
        PdfEncryptedError: it is encrypted.
        PdfTooComplexError: it is beyond the bounds.
    """
    check_count(assertions)
    digest = hashlib.sha256(document).hexdigest()
    for one in assertions:
        if digest not in document_digests(sd_jwt.parse(one.assertion).issued.payload):
            raise PdfNotBoundError("an assertion is not for this document")
        if one.timestamp is not None:
            _check_imprint(one.timestamp, one.assertion)
    check_different([one.assertion for one in assertions])
    return _append(document, assertions)


def check_document(document: bytes) -> None:
    """Check that a document can carry assertions: before a session is opened for it.

    Raises what `attach_all` raises of the document.
    """
    _append(document, [CarriedAssertion(b"")])


def _append(document: bytes, assertions: Sequence[CarriedAssertion]) -> bytes:
    deadline = Deadline()
    reader = open_pdf(document, deadline)
    check_bindable(reader, deadline)
    with reading():
        writer = IncrementalPdfFileWriter.from_reader(reader)
        writer.IO_CHUNK_SIZE = 1 << 20
        now = datetime.now(UTC)
        added: dict[str, generic.IndirectObject] = {}
        for (name, token_name), one in zip(NAMES, assertions, strict=False):
            added[name] = _specification(writer, name, ASSERTION_TYPE, one.assertion, now)
            if one.timestamp is not None:
                added[token_name] = _specification(
                    writer, token_name, TIMESTAMP_TYPE, one.timestamp, now
                )
        _register(writer, {**embedded_files(reader), **added}, tuple(added.values()))
        output = BytesIO()
        writer.write(output)  # type: ignore[no-untyped-call]
    result = output.getvalue()
    check_appended(document, result)
    return result


def _check_imprint(timestamp: bytes, assertion: bytes) -> None:
    """Check that a token is for an assertion; who signed it, only roots could tell."""
    try:
        content = cms.ContentInfo.load(timestamp, strict=True)["content"]["encap_content_info"]
        imprint = content["content"].parsed["message_imprint"]["hashed_message"].native
    except (ValueError, TypeError, KeyError, AttributeError):
        raise TimestampMalformedError("this is not a timestamp token") from None
    if imprint != hashlib.sha256(assertion).digest():
        raise TimestampImprintError("the timestamp is over something else than the assertion")


def check_count(assertions: Sequence[object]) -> None:
    """Check that there is an assertion, and that there are not too many.

    Raises:
        InputUnusableError: there is none, or there are more than `MAX_ASSERTIONS`.
    """
    if not 1 <= len(assertions) <= MAX_ASSERTIONS:
        raise InputUnusableError(f"a PDF carries one to {MAX_ASSERTIONS} assertions")


def check_different(assertions: Sequence[bytes]) -> None:
    """Check that no assertion is there twice.

    Raises:
        PdfAttachmentAmbiguousError: one is.
    """
    seen: set[tuple[object, ...]] = set()
    for assertion in assertions:
        try:
            payload = sd_jwt.parse(assertion).issued.payload
        except ApiError:  # whoever verifies it will say what is wrong with it
            continue
        name = payload.get("iss"), payload.get("jti")
        if all(isinstance(part, str) for part in name):
            if name in seen:
                raise PdfAttachmentAmbiguousError("an assertion is there twice")
            seen.add(name)


def check_bindable(reader: PdfFileReader, deadline: Deadline) -> None:
    """Refuse a document that cannot carry an assertion, before anything is signed over it.

    Raises what `attach` raises.
    """
    with reading():
        if set(embedded_files(reader)) & OURS:
            raise PdfAssertionPresentError("the document already carries an assertion")
        if entry(reader, entry(reader, reader.root, "/Perms"), "/DocMDP") is not None:
            raise PdfCertifiedError("the document is certified against later attachments")
    check_static(reader, deadline)


def assertions_of(reader: PdfFileReader) -> tuple[CarriedAssertion, ...]:
    """Return the assertions that a document carries, in the order of their numbers.

    Raises:
        PdfAttachmentMissingError: there is none.
        PdfAttachmentAmbiguousError: one is there twice, or they are not numbered one by one.
        PdfUnusableError: the attachments cannot be read.
    """
    files = embedded_files(reader)
    count = sum(name in files for name, _ in NAMES)
    if count == 0:
        raise PdfAttachmentMissingError("the document carries no assertion")
    if any(name not in files for name, _ in NAMES[:count]) or any(
        token in files for _, token in NAMES[count:]
    ):
        raise PdfAttachmentAmbiguousError("the assertions of the document are not numbered")

    def contents(name: str) -> bytes:
        return contents_of(reader, files[name], name, MAX_ATTACHMENT_BYTES)

    carried = tuple(
        CarriedAssertion(contents(name), contents(token) if token in files else None)
        for name, token in NAMES[:count]
    )
    check_different([one.assertion for one in carried])
    return carried


def _specification(
    writer: IncrementalPdfFileWriter, name: str, media_type: str, data: bytes, at: datetime
) -> generic.IndirectObject:
    embedded = embed.EmbeddedFileObject.from_file_data(
        writer,
        data,
        mime_type=media_type,
        params=embed.EmbeddedFileParams(creation_date=at, modification_date=at),
    )
    specification = embed.FileSpec(
        file_spec_string=name,
        file_name=name,
        embedded_data=embedded,
        # ISO 32000-2 Table 44: what the document's content can be checked with.
        af_relationship=pdf_name("/Supplement"),
    )
    return writer.add_object(specification.as_pdf_object())


def _register(
    writer: IncrementalPdfFileWriter,
    files: Mapping[str, FileSpecification],
    added: tuple[generic.IndirectObject, ...],
) -> None:
    """List the files in the tree of names, sorted as §7.9.6 wants it, and as associated."""
    root = writer.root
    pairs = generic.ArrayObject()
    for name in sorted(files, key=_encoded):
        pairs.append(generic.pdf_string(name))
        pairs.append(files[name])
    if "/Names" in root:
        names = root["/Names"]
        writer.update_container(names)
    else:
        names = generic.DictionaryObject()  # type: ignore[no-untyped-call]
        root["/Names"] = writer.add_object(names)
    names["/EmbeddedFiles"] = writer.add_object(generic.DictionaryObject({"/Names": pairs}))  # type: ignore[no-untyped-call]
    associated = root["/AF"] if "/AF" in root else generic.ArrayObject()
    root["/AF"] = generic.ArrayObject(
        [*(associated.raw_get(index) for index in range(len(associated))), *added]
    )
    writer.update_root()  # type: ignore[no-untyped-call]
    writer.ensure_output_version((1, 7))  # type: ignore[no-untyped-call]


def _encoded(name: str) -> bytes:
    """Return a name as it stands in the file (ISO 32000-2 §7.9.2.2)."""
    try:
        return bytes(generic.encode_pdfdocencoding(name))  # type: ignore[no-untyped-call]
    except UnicodeError:
        return b"\xfe\xff" + name.encode("utf-16-be")
