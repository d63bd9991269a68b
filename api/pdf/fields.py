"""Signature fields: reserved, filled or new, and what they may show.

What a person reads must be what the office hashed. So a signature that comes later shows nothing,
unless the document itself reserved a field for it; then it shows what its signer wants, in that
rectangle alone. Nothing else may be laid over a page.

Source: ISO 32000-2 §12.5.5 (appearances), §12.7.5.5 (signature fields).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

from api.pdf.errors import PdfFormChangedError, PdfSignatureVisibleError, PdfUnusableError
from api.pdf.reading import Deadline, entry, reading, resolve

ALLOWED = frozenset(
    {"/FT", "/T", "/TU", "/V", "/F", "/Ff", "/Rect", "/Type", "/Subtype", "/P", "/AP"}
    | {"/Lock", "/SV", "/MK", "/M", "/NM", "/DA", "/DR", "/H"}
)
"""What a new signature field with its widget may hold: no action, no border, no other field.

iText adds resources and how a click on it looks; nothing of either is seen where there is no area.
"""
KINDS = {"/FT": "/Sig", "/Type": "/Annot", "/Subtype": "/Widget"}
"""Viewers draw icons of their own for annotations of other kinds, however small (§12.5.6)."""
MAX_DEPTH = 64
MAX_FIELDS = 100_000


@dataclass(frozen=True)
class SignatureFields:
    """The fields of two revisions, as far as they differ."""

    all: frozenset[generic.Reference]
    """Every field and widget of the earlier revision."""
    filled: frozenset[generic.Reference]
    """Signature fields of the earlier revision that the later one fills."""
    added: frozenset[generic.Reference]
    """Signature fields of the later revision alone; they show nothing."""
    shown: frozenset[str]
    """Names of those filled fields that show something."""
    signatures: frozenset[generic.Reference]
    """What the filled and the added fields hold."""

    @classmethod
    def of(cls, old: PdfFileReader, new: PdfFileReader) -> "SignatureFields":
        """Find them.

        Raises:
            PdfFormChangedError: a new field is no signature field, or one was removed.
            PdfSignatureVisibleError: a new one shows something.
        """
        before, after = list(top_fields(old)), list(top_fields(new))
        if len(after) < len(before):
            raise PdfFormChangedError("a later revision removes a form field")
        filled: set[generic.Reference] = set()
        shown: set[str] = set()
        signed: list[generic.DictionaryObject] = []
        for (reference, was), (_, now) in zip(before, after, strict=False):
            if _is_reserved(old, was) and "/V" in now:
                filled.add(reference)
                signed.append(now)
                if not _is_invisible(new, now):
                    shown.add(field_name(new, now))
        added = after[len(before) :]
        for _, field in added:
            _check_new(new, field)
            signed.append(field)
        values = [field.raw_get("/V") for field in signed if "/V" in field]
        names = [field_name(new, field) for _, field in after]
        if (added or filled) and len(set(names)) < len(names):
            raise PdfFormChangedError("two form fields of the document have one name")
        return cls(
            frozenset(_all(old)),
            frozenset(filled),
            frozenset(reference for reference, _ in added),
            frozenset(shown),
            frozenset(v.reference for v in values if isinstance(v, generic.IndirectObject)),
        )


def reserved_fields(reader: PdfFileReader) -> frozenset[str]:
    """Return the names of the signature fields that a document leaves empty."""
    with reading():
        return frozenset(
            field_name(reader, field)
            for _, field in top_fields(reader)
            if _is_reserved(reader, field)
        )


def form_of(reader: PdfFileReader) -> generic.DictionaryObject | None:
    """Return the interactive form of a document, if it has one."""
    form = entry(reader, reader.root, "/AcroForm")
    return form if isinstance(form, generic.DictionaryObject) else None


def field_name(reader: PdfFileReader, field: generic.DictionaryObject) -> str:
    """Return the (partial) name of a field."""
    return str(entry(reader, field, "/T") or "")


Nodes = tuple[generic.IndirectObject, ...]


def pages_of(reader: PdfFileReader, deadline: Deadline) -> dict[generic.Reference, Nodes]:
    """Return the references of all pages, each with the nodes above it from the nearest on.

    Raises:
        PdfUnusableError: the pages are not a tree.
    """
    pages: dict[generic.Reference, Nodes] = {}
    nodes: set[generic.Reference] = set()
    stack: list[tuple[generic.PdfObject, Nodes]] = [(reader.root.raw_get("/Pages"), ())]
    while stack:
        deadline.check()
        node, above = stack.pop()
        if (
            not isinstance(node, generic.IndirectObject)
            or node.reference in nodes
            or len(above) > MAX_DEPTH
        ):
            raise PdfUnusableError("the pages of the document are not a tree")
        nodes.add(node.reference)
        kids = entry(reader, resolve(reader, node), "/Kids")
        if isinstance(kids, generic.ArrayObject):
            below = (node, *above)
            stack += [(kids.raw_get(index), below) for index in range(len(kids))]
        else:
            pages[node.reference] = above
    return pages


def inherited(
    reader: PdfFileReader, page: generic.DictionaryObject, above: Nodes, key: str
) -> generic.PdfObject | None:
    """Return the entry that a page has from the nodes above it, as it stands there.

    Some viewers go up by `/Parent`, others down by `/Kids`: nothing where they come to others.
    """
    for node in above:
        parent = page.raw_get("/Parent") if "/Parent" in page else None
        if not isinstance(parent, generic.IndirectObject) or parent.reference != node.reference:
            return None
        found = resolve(reader, node)
        if not isinstance(found, generic.DictionaryObject):
            return None
        if key in found:
            value: generic.PdfObject = found.raw_get(key)
            return value
        page = found
    return None


def are_painted(
    reader: PdfFileReader, pages: Iterable[generic.Reference], deadline: Deadline
) -> bool:
    """Whether all that viewers would paint as the form says brings its own look and style."""
    for page in pages:
        deadline.check()
        annotations = entry(reader, reader.get_object(page), "/Annots")  # type: ignore[no-untyped-call]
        if not isinstance(annotations, generic.ArrayObject):
            continue
        for index in range(len(annotations)):
            item = resolve(reader, annotations.raw_get(index))
            kind = str(entry(reader, item, "/Subtype"))
            if kind not in ("/Widget", "/FreeText") or _is_signature(reader, item):
                continue
            look = entry(reader, entry(reader, item, "/AP"), "/N")
            # Looks for each state are none for other fields than buttons, which have states.
            is_button = str(_of_field(reader, item, "/FT")) == "/Btn"
            looks = generic.DictionaryObject if is_button else generic.StreamObject
            # Browsers lay an input over the look, in the field's style.
            style = _of_field(reader, item, "/DA")
            strings = generic.TextStringObject | generic.ByteStringObject
            if not (isinstance(look, looks) and look and isinstance(style, strings) and style):
                return False
    return True


def _of_field(reader: PdfFileReader, field: object, key: str) -> generic.PdfObject | None:
    """Return what a field has or inherits (ISO 32000-2 §12.7.4.1)."""
    for _ in range(MAX_DEPTH):
        if not isinstance(field, generic.DictionaryObject):
            break
        if key in field:
            return entry(reader, field, key)
        field = entry(reader, field, "/Parent")
    return None


def top_fields(
    reader: PdfFileReader,
) -> Iterator[tuple[generic.Reference, generic.DictionaryObject]]:
    """Yield the fields at the top of a form; all are indirect (ISO 32000-2 Table 224)."""
    fields = entry(reader, form_of(reader), "/Fields")
    if not isinstance(fields, generic.ArrayObject):
        return
    for index in range(len(fields)):
        item = fields.raw_get(index)
        field = resolve(reader, item)
        if not isinstance(item, generic.IndirectObject) or not isinstance(
            field, generic.DictionaryObject
        ):
            raise PdfUnusableError("a form field of the document is broken")
        yield item.reference, field


def _all(reader: PdfFileReader) -> Iterator[generic.Reference]:
    stack = [(reference, field, 0) for reference, field in top_fields(reader)]
    count = 0
    while stack:
        reference, field, depth = stack.pop()
        count += 1
        if depth > MAX_DEPTH or count > MAX_FIELDS:
            raise PdfUnusableError("the form fields of the document are not a tree")
        yield reference
        kids = entry(reader, field, "/Kids")
        if isinstance(kids, generic.ArrayObject):
            for index in range(len(kids)):
                item = kids.raw_get(index)
                kid = resolve(reader, item)
                if isinstance(item, generic.IndirectObject) and isinstance(
                    kid, generic.DictionaryObject
                ):
                    stack.append((item.reference, kid, depth + 1))


def _check_new(reader: PdfFileReader, field: generic.DictionaryObject) -> None:
    is_plain = all(str(entry(reader, field, key) or kind) == kind for key, kind in KINDS.items())
    if (
        entry(reader, field, "/MK")
        or not is_plain
        or not _is_signature(reader, field)
        or not field.keys() <= ALLOWED
    ):
        raise PdfFormChangedError("a later revision adds a form field that is no plain signature")
    if not _is_invisible(reader, field):
        raise PdfSignatureVisibleError(
            "a later revision shows a signature where the document reserved no field for it"
        )


def _is_invisible(reader: PdfFileReader, field: generic.DictionaryObject) -> bool:
    return (
        is_flat(reader, entry(reader, field, "/Rect"))
        and _shows_nothing(reader, entry(reader, field, "/AP"))
        # A border or a background would be painted by viewers themselves.
        and not entry(reader, field, "/MK")
    )


def _is_reserved(reader: PdfFileReader, field: generic.DictionaryObject) -> bool:
    return _is_signature(reader, field) and "/V" not in field and "/Kids" not in field


def _is_signature(reader: PdfFileReader, field: generic.PdfObject) -> bool:
    return str(entry(reader, field, "/FT")) == "/Sig"


def is_flat(reader: PdfFileReader, box: generic.PdfObject | None) -> bool:
    """Whether a rectangle has no area; an absent one has none."""
    if box is None:
        return True
    if not isinstance(box, generic.ArrayObject) or len(box) != 4:
        return False
    sides = [resolve(reader, box.raw_get(index)) for index in range(4)]
    if not all(isinstance(side, generic.NumberObject | generic.FloatObject) for side in sides):
        return False
    left, bottom, right, top = sides
    return bool(left == right or bottom == top)


def _shows_nothing(reader: PdfFileReader, appearance: generic.PdfObject | None) -> bool:
    """Whether an appearance is absent, empty, or confined to a box without area."""
    if appearance is None:
        return True
    if not isinstance(appearance, generic.DictionaryObject):
        return False
    streams = [resolve(reader, appearance.raw_get(key)) for key in appearance]
    return all(
        isinstance(stream, generic.StreamObject)
        and (
            (not stream.encoded_data and "/F" not in stream)
            or ("/BBox" in stream and is_flat(reader, entry(reader, stream, "/BBox")))
        )
        for stream in streams
    )
