"""Attachments: the assertion and its timestamp token, put into a PDF by an appended revision.

They are associated files (ISO 32000-2 §14.13) in the tree of embedded files, so that every viewer
lists them. The bytes of the document as it was stay as they are: the assertion is for their digest.
"""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO

from pyhanko.pdf_utils import embed, generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader

from api.assertions import sd_jwt
from api.assertions.findings import document_digests
from api.pdf.errors import (
    PdfAssertionPresentError,
    PdfAttachmentAmbiguousError,
    PdfAttachmentMissingError,
    PdfCertifiedError,
    PdfNotBoundError,
    PdfUnusableError,
)
from api.pdf.reading import entry, open_pdf, reading, resolve

ASSERTION = "assertion.sd-jwt"
ASSERTION_TYPE = "application/dc+sd-jwt"
TIMESTAMP = "assertion.tst"
TIMESTAMP_TYPE = "application/vnd.etsi.timestamp-token"
"""Registered by ETSI EN 319 122-1, Annex C, for an RFC 3161 token in a file."""
OURS = frozenset({ASSERTION, TIMESTAMP})

MAX_ATTACHMENTS = 4096
MAX_TREE_DEPTH = 16
MAX_ATTACHMENT_BYTES = 128 << 10
"""Of ours; others are not unpacked."""

FileSpecification = generic.PdfObject
"""A file specification dictionary, or a reference to one."""


def attach(document: bytes, assertion: str | bytes, timestamp: bytes | None = None) -> bytes:
    """Append a revision with the assertion, and its timestamp token, as attachments.

    Args:
        document: revision 0, byte for byte what the session was opened for.
        assertion: an SD-JWT VC for it; it is parsed here, and verified only by `verify_pdf`.
        timestamp: an RFC 3161 token over the assertion.

    Returns:
        The document, followed by the revision.

    Raises:
        AssertionMalformedError: the assertion is none.
        PdfNotBoundError: the assertion is for other documents.
        PdfAssertionPresentError: the document carries one already.
        PdfCertifiedError: the document is certified, and this change would break that.
        PdfUnusableError: not a PDF, broken, or with parts that show otherwise later (XFA forms,
            fields without appearances).
        PdfEncryptedError: it is encrypted.
        PdfTooComplexError: it is beyond the bounds.
    """
    text = assertion.encode("ascii") if isinstance(assertion, str) else assertion
    token = sd_jwt.parse(text)
    if hashlib.sha256(document).hexdigest() not in document_digests(token.issued.payload):
        raise PdfNotBoundError("the assertion is not for this document")
    reader = open_pdf(document)
    check_bindable(reader)
    with reading():
        writer = IncrementalPdfFileWriter.from_reader(reader)
        writer.IO_CHUNK_SIZE = 1 << 20
        now = datetime.now(UTC)
        added = {ASSERTION: _specification(writer, ASSERTION, ASSERTION_TYPE, text, now)}
        if timestamp is not None:
            added[TIMESTAMP] = _specification(writer, TIMESTAMP, TIMESTAMP_TYPE, timestamp, now)
        _register(writer, {**embedded_files(reader), **added}, tuple(added.values()))
        output = BytesIO()
        writer.write(output)  # type: ignore[no-untyped-call]
    result = output.getvalue()
    if not result.startswith(document):
        raise PdfUnusableError("the revision could not be appended without changing the document")
    return result


def check_bindable(reader: PdfFileReader) -> None:
    """Refuse a document that cannot carry an assertion, before anything is signed over it.

    Raises what `attach` raises.
    """
    with reading():
        if set(embedded_files(reader)) & OURS:
            raise PdfAssertionPresentError("the document already carries an assertion")
        if entry(reader, entry(reader, reader.root, "/Perms"), "/DocMDP") is not None:
            raise PdfCertifiedError("the document is certified against later attachments")
        form = entry(reader, reader.root, "/AcroForm")
        if entry(reader, form, "/XFA") is not None:
            raise PdfUnusableError("the document has an XFA form, which viewers show differently")
        needs = entry(reader, form, "/NeedAppearances")
        if isinstance(needs, generic.BooleanObject) and needs.value:
            raise PdfUnusableError(
                "the document leaves it to viewers what its form fields show; print it to a PDF"
            )


def assertion_of(reader: PdfFileReader) -> bytes:
    """Return the assertion that a document carries.

    Raises:
        PdfAttachmentMissingError: there is none.
        PdfAttachmentAmbiguousError: there are two, or two names of the tree are the same.
    """
    data = _contents(reader, ASSERTION)
    if data is None:
        raise PdfAttachmentMissingError("the document carries no assertion")
    return data


def timestamp_of(reader: PdfFileReader) -> bytes | None:
    """Return the RFC 3161 token over the assertion, if the document carries one."""
    return _contents(reader, TIMESTAMP)


def embedded_files(reader: PdfFileReader) -> dict[str, FileSpecification]:
    """Return the file specifications of a document by their names, in order.

    Raises:
        PdfAttachmentAmbiguousError: a name is there twice.
        PdfUnusableError: the tree of names is too deep or too large, or runs in a circle.
    """
    found: dict[str, FileSpecification] = {}
    with reading():
        names = entry(reader, reader.root, "/Names")
        for name, specification in _leaves(reader, entry(reader, names, "/EmbeddedFiles")):
            if name in found:
                raise PdfAttachmentAmbiguousError("two attachments of the document have one name")
            found[name] = specification
    return found


def _leaves(
    reader: PdfFileReader, root: generic.PdfObject | None
) -> Iterator[tuple[str, FileSpecification]]:
    """Walk a name tree (ISO 32000-2 §7.9.6)."""
    stack: list[tuple[generic.PdfObject | None, int]] = [(root, 0)]
    count = 0
    while stack:
        node, depth = stack.pop()
        count += 1
        if depth > MAX_TREE_DEPTH or count > MAX_ATTACHMENTS:
            raise PdfUnusableError("the tree of attachments is too large")
        pairs = entry(reader, node, "/Names")
        if isinstance(pairs, generic.ArrayObject):
            if len(pairs) > 2 * MAX_ATTACHMENTS or len(pairs) % 2:
                raise PdfUnusableError("the tree of attachments is too large or broken")
            for index in range(0, len(pairs), 2):
                name = resolve(reader, pairs.raw_get(index))
                yield _text(name), pairs.raw_get(index + 1)
        kids = entry(reader, node, "/Kids")
        if isinstance(kids, generic.ArrayObject):
            if len(kids) > MAX_ATTACHMENTS:
                raise PdfUnusableError("the tree of attachments is too large")
            children = [resolve(reader, kids.raw_get(index)) for index in range(len(kids))]
            stack += [(child, depth + 1) for child in reversed(children)]


def _text(name: generic.PdfObject) -> str:
    if isinstance(name, generic.TextStringObject):
        return str(name)
    if isinstance(name, generic.ByteStringObject):
        return str(name.original_bytes, "latin-1")
    raise PdfUnusableError("an attachment has no name")


def _contents(reader: PdfFileReader, name: str) -> bytes | None:
    with reading():
        specification = embedded_files(reader).get(name)
        if specification is None:
            return None
        streams = entry(reader, resolve(reader, specification), "/EF")
        stream = entry(reader, streams, "/F")
        if not isinstance(stream, generic.StreamObject) or (
            len(stream.encoded_data) > MAX_ATTACHMENT_BYTES
        ):
            raise PdfAttachmentMissingError(f"the attachment {name} is not a file of that kind")
        return bytes(stream.data[: MAX_ATTACHMENT_BYTES + 1])


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
    files: dict[str, FileSpecification],
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
