"""The files embedded in a document, by their names.

Source: ISO 32000-2 §7.7.4 (name dictionary), §7.9.6 (name trees), §7.11.4 (embedded files).
"""

from collections.abc import Iterator

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

from api.pdf.errors import PdfAttachmentAmbiguousError, PdfAttachmentMissingError, PdfUnusableError
from api.pdf.reading import entry, reading, resolve

MAX_ATTACHMENTS = 4096
MAX_TREE_DEPTH = 16

FileSpecification = generic.PdfObject
"""A file specification dictionary, or a reference to one."""


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


def contents_of(
    reader: PdfFileReader, specification: FileSpecification, name: str, max_bytes: int
) -> bytes:
    """Return what is in an embedded file.

    Raises:
        PdfAttachmentMissingError: it is no embedded file, or a larger one.
        PdfAttachmentAmbiguousError: it is two files, and viewers may open either.
        PdfTooComplexError: it unpacks to too much.
    """
    with reading():
        streams = entry(reader, resolve(reader, specification), "/EF")
        stream, other = entry(reader, streams, "/F"), entry(reader, streams, "/UF")
        others = (
            set(streams) - {"/F", "/UF"} if isinstance(streams, generic.DictionaryObject) else ()
        )
        if others or (other is not None and other is not stream):
            # ISO 32000-2 Table 44: viewers take either, or the one for their system.
            raise PdfAttachmentAmbiguousError(f"the attachment {name} is two files")
        if (
            not isinstance(stream, generic.StreamObject)
            or "/F" in stream  # the data lie elsewhere (§7.3.8.2)
            or len(stream.encoded_data) > max_bytes
        ):
            raise PdfAttachmentMissingError(f"the attachment {name} is not a file of that kind")
        data = bytes(stream.data)
        if len(data) > max_bytes:
            raise PdfAttachmentMissingError(f"the attachment {name} is too large")
        return data
