"""What a later revision changed, compared object by object with the one before.

A PDF can be changed without touching a byte of it: an appended revision redefines objects, and
shadow attacks prepare the first one so that the change looks harmless. So both revisions are read
as documents of their own, the earlier from its own bytes alone, and walked from their catalogues
side by side. All must be equal, however objects are numbered and wherever they lie, except in the
few places where attachments, signatures and their validation data go. Equal is not enough: layers
are switched by which object a reference is, so each object has one counterpart. The walk visits
each pair of objects once; it follows no cross-reference history, which a hostile document could
write as it likes.

Source: ISO 32000-2 §7.7.2 (catalogue), §7.11.4 (embedded files), §12.7 (forms), §12.8.4.3 (DSS);
Mainka, Mladenov, Rohlmann, "Shadow Attacks", NDSS 2021.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple, NoReturn

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

from api.pdf.attachment_names import OURS
from api.pdf.embedded_files import embedded_files
from api.pdf.equality import TEXT, has_ambiguous_names, is_absent, is_in_place, is_same
from api.pdf.errors import (
    PdfAttachmentChangedError,
    PdfChangedError,
    PdfFormChangedError,
    PdfPageChangedError,
)
from api.pdf.fields import SignatureFields, are_painted, inherited, pages_of
from api.pdf.reading import (
    Deadline,
    entry,
    hybrid_sections,
    numbers_of_cross_references,
    reading,
    resolve,
)

FREE_IN_CATALOGUE = frozenset({"/DSS", "/Extensions", "/Metadata", "/Version"})
"""Not shown on any page: validation data, markers of extensions, XMP metadata, PDF version."""
FREE_IN_INFORMATION = frozenset({"/ModDate", "/Producer"})
FREE_IN_SIGNED_FIELD = frozenset({"/V", "/AP", "/MK", "/M"})
DEFAULTS = frozenset({"/DA", "/DR"})
"""How viewers paint fields that bring no look of their own; iText 5 and PDFBox add some."""
INHERITABLE = frozenset({"/MediaBox", "/CropBox", "/Resources", "/Rotate"})
"""What a page has from its parents (§7.7.3.4); iText 5 writes it into pages that it changes."""
NEW_FORM = frozenset({"/Type", "/Fields", "/SigFlags"}) | DEFAULTS


class _Role(Enum):
    """What an object is there for, and so what may change in it."""

    ANY = auto()
    CATALOGUE = auto()
    PAGE = auto()
    FORM = auto()
    SIGNED_FIELD = auto()
    """A signature field that the earlier revision reserves and the later one fills."""


@dataclass(frozen=True)
class Changes:
    """What a later revision added, all of it allowed."""

    attachments: tuple[str, ...]
    """Names of attachments."""
    shown_signatures: tuple[str, ...]
    """Names of reserved signature fields that show something now."""


def compare(old: PdfFileReader, new: PdfFileReader, deadline: Deadline) -> Changes:
    """Compare two revisions, and refuse whatever is not an attachment of ours or a signature.

    Args:
        old: the earlier revision, from its bytes alone.
        new: the later one, from all its bytes.
        deadline: for the whole document.

    Raises:
        PdfPageChangedError: pages, or what is on them, differ.
        PdfFormChangedError: form fields differ.
        PdfAttachmentChangedError: an attachment was removed or changed, or a foreign one added.
        PdfSignatureVisibleError: a new signature field shows something.
        PdfChangedError: something else differs.
        PdfUnusableError: one of the revisions cannot be read.
        PdfTooComplexError: the time is over.
    """
    with reading():
        if hybrid_sections(new) > hybrid_sections(old):
            raise PdfChangedError("a later revision shows different objects to older viewers")
        return _Comparison(old, new, deadline).run()


class _Pair(NamedTuple):
    """An object of the earlier revision, and the one that must be it in the later."""

    old: generic.PdfObject
    new: generic.PdfObject
    role: _Role
    place: str
    """Where they are, for the reason."""
    rewritten: bool = True
    """Whether the later one may stand in other bytes than the earlier."""
    is_text: bool = False
    """Whether they are text, if they are strings."""


class _Comparison:
    def __init__(self, old: PdfFileReader, new: PdfFileReader, deadline: Deadline) -> None:
        self.old, self.new, self.deadline = old, new, deadline
        self.pages = pages_of(old, deadline)
        self.fields = SignatureFields.of(old, new)
        self.before, self.after = embedded_files(old), embedded_files(new)
        self.added = tuple(name for name in self.after if name not in self.before)
        self.of_cross_references = numbers_of_cross_references(new)
        self.counterparts: dict[generic.Reference, generic.Reference] = {}
        self.origins: dict[generic.Reference, generic.Reference] = {}

    def run(self) -> Changes:
        if not set(self.added) <= OURS:
            raise PdfAttachmentChangedError("a later revision adds an attachment of another kind")
        if not self.before.keys() <= self.after.keys():
            raise PdfAttachmentChangedError("a later revision removes an attachment")
        self._compare_information()
        seen: set[tuple[generic.Reference, generic.Reference, _Role, bool]] = set()
        stack = [
            _Pair(_indirect(self.old), _indirect(self.new), _Role.CATALOGUE, "catalogue"),
            *(_Pair(self.before[n], self.after[n], _Role.ANY, "attachment") for n in self.before),
        ]
        while stack:
            self.deadline.check()
            pair = stack.pop()
            old, new = pair.old, pair.new
            if isinstance(old, generic.IndirectObject) and isinstance(new, generic.IndirectObject):
                pair = self._entered(pair, old.reference, new.reference)
                key = (old.reference, new.reference, pair.role, pair.is_text)
                if key in seen:
                    continue
                seen.add(key)
            elif isinstance(old, generic.IndirectObject) or isinstance(new, generic.IndirectObject):
                _refuse(pair.place)
            stack.extend(self._children(pair))
        return Changes(self.added, tuple(sorted(self.fields.shown)))

    def _entered(self, pair: _Pair, old: generic.Reference, new: generic.Reference) -> _Pair:
        """Return a pair of references as one of objects, each the only counterpart of the other."""
        role, place = self._role(old, pair.role, pair.place)
        if (
            self.counterparts.setdefault(old, new) != new
            or self.origins.setdefault(new, old) != old
            # Not all readers find what takes the number of an older cross-reference stream.
            or (new.idnum != old.idnum and new.idnum in self.of_cross_references)
        ):
            _refuse(place)
        return pair._replace(
            old=resolve(self.old, pair.old),
            new=resolve(self.new, pair.new),
            role=role,
            place=place,
            rewritten=not is_in_place(self.old, old, self.new, new),
        )

    def _role(self, reference: generic.Reference, role: _Role, place: str) -> tuple[_Role, str]:
        if reference in self.pages:
            return _Role.PAGE, "page"
        if reference in self.fields.filled:
            return _Role.SIGNED_FIELD, "form"
        if reference in self.fields.all:
            return role, "form"
        if reference == self.old.root_ref:
            return _Role.CATALOGUE, place
        return role, place

    def _children(self, pair: _Pair) -> Iterator[_Pair]:
        """Compare two objects without what they hold, and yield the pairs that they hold."""
        old, new, _, place, rewritten, is_text = pair
        if _encoded(old) != _encoded(new) or (rewritten and has_ambiguous_names(old)):
            _refuse(place)
        if isinstance(old, generic.DictionaryObject) and isinstance(new, generic.DictionaryObject):
            for key in sorted(old.keys() | new.keys()):
                before = old.raw_get(key) if key in old else None
                after = new.raw_get(key) if key in new else None
                yield from self._entry(key, before, after, pair)
        elif isinstance(old, generic.ArrayObject) and isinstance(new, generic.ArrayObject):
            if len(old) != len(new):
                _refuse(place)
            for index in range(len(old)):
                yield _Pair(old.raw_get(index), new.raw_get(index), _Role.ANY, place, rewritten)
        elif not is_same(old, new, text=is_text):
            _refuse(place)

    def _entry(
        self,
        key: str,
        before: generic.PdfObject | None,
        after: generic.PdfObject | None,
        holder: _Pair,
    ) -> Iterator[_Pair]:
        role, place = holder.role, holder.place
        if _is_free(role, key, before, after):
            return
        if role is _Role.CATALOGUE and key == "/Names":
            yield from self._names(before, after)
        elif role is _Role.CATALOGUE and key == "/AF":
            yield from self._appended(before, after, self._specifications(), "attachment")
        elif role is _Role.CATALOGUE and key == "/AcroForm" and after is not None:
            yield from self._form(before, after)
        elif role is _Role.CATALOGUE and key == "/Perms" and before is None:
            self._check_permissions(after)
        elif role is _Role.PAGE and key == "/Annots":
            yield from self._appended(before, after, self.fields.added, "page")
        elif role is _Role.FORM and key == "/Fields":
            yield from self._appended(before, after, self.fields.added, "form")
        elif role is _Role.FORM and key in DEFAULTS and before is None:
            self._check_painted()
        elif role is _Role.PAGE and key in INHERITABLE and before is None and after is not None:
            before = self._inherited(holder.old, key)
            if before is None:
                _refuse(place)
            yield _Pair(before, after, _Role.ANY, place)
        elif before is None or after is None:
            _refuse(place)
        else:
            if role is _Role.CATALOGUE and key == "/Pages":
                place = "page"
            yield _Pair(before, after, _Role.ANY, place, holder.rewritten, key in TEXT)

    def _inherited(self, page: generic.PdfObject, key: str) -> generic.PdfObject | None:
        reference = page.container_ref
        if not isinstance(page, generic.DictionaryObject) or reference not in self.pages:
            return None
        return inherited(self.old, page, self.pages[reference], key)

    def _names(
        self, before: generic.PdfObject | None, after: generic.PdfObject | None
    ) -> Iterator[_Pair]:
        """Compare the names beside the attachments; those themselves are compared one by one."""
        old = resolve(self.old, before) if before is not None else generic.DictionaryObject()  # type: ignore[no-untyped-call]
        new = resolve(self.new, after) if after is not None else generic.DictionaryObject()  # type: ignore[no-untyped-call]
        if not (
            isinstance(old, generic.DictionaryObject) and isinstance(new, generic.DictionaryObject)
        ):
            _refuse("catalogue")
        for key in sorted((old.keys() | new.keys()) - {"/EmbeddedFiles"}):
            if key not in old or key not in new:
                _refuse("catalogue")
            yield _Pair(old.raw_get(key), new.raw_get(key), _Role.ANY, "catalogue")

    def _form(self, before: generic.PdfObject | None, after: generic.PdfObject) -> Iterator[_Pair]:
        new = resolve(self.new, after)
        if before is not None:
            yield _Pair(resolve(self.old, before), new, _Role.FORM, "form")
        elif not isinstance(new, generic.DictionaryObject) or not new.keys() <= NEW_FORM:
            raise PdfFormChangedError("a later revision adds a form that is not for signatures")
        else:
            if new.keys() & DEFAULTS:
                self._check_painted()
            fields = new.raw_get("/Fields") if "/Fields" in new else None
            yield from self._appended(None, fields, self.fields.added, "form")

    def _check_painted(self) -> None:
        if not are_painted(self.old, self.pages, self.deadline):
            _refuse("form")

    def _check_permissions(self, after: generic.PdfObject | None) -> None:
        """Let a new signature certify the document (§12.8.6); what it then forbids is its own."""
        permissions = resolve(self.new, after) if after is not None else None
        if isinstance(permissions, generic.DictionaryObject) and set(permissions) == {"/DocMDP"}:
            signature = permissions.raw_get("/DocMDP")
            if (
                isinstance(signature, generic.IndirectObject)
                and signature.reference in self.fields.signatures
            ):
                return
        _refuse("catalogue")

    def _appended(
        self,
        before: generic.PdfObject | None,
        after: generic.PdfObject | None,
        allowed: frozenset[generic.Reference],
        place: str,
    ) -> Iterator[_Pair]:
        """Compare two arrays of which the later may go on with some known objects."""
        old = resolve(self.old, before) if before is not None else generic.ArrayObject()
        new = resolve(self.new, after) if after is not None else generic.ArrayObject()
        if not (isinstance(old, generic.ArrayObject) and isinstance(new, generic.ArrayObject)):
            _refuse(place)
        if len(new) < len(old):
            _refuse(place)
        for index in range(len(new)):
            item = new.raw_get(index)
            if index < len(old):
                yield _Pair(old.raw_get(index), item, _Role.ANY, place)
            elif not isinstance(item, generic.IndirectObject) or item.reference not in allowed:
                _refuse(place)

    def _specifications(self) -> frozenset[generic.Reference]:
        added = (self.after[name] for name in self.added)
        return frozenset(f.reference for f in added if isinstance(f, generic.IndirectObject))

    def _compare_information(self) -> None:
        old, new = (
            resolve(reader, reader.trailer.raw_get("/Info")) if "/Info" in reader.trailer else None
            for reader in (self.old, self.new)
        )
        keys = {key for d in (old, new) if isinstance(d, generic.DictionaryObject) for key in d}
        for key in sorted(keys - FREE_IN_INFORMATION):
            before, after = entry(self.old, old, key), entry(self.new, new, key)
            if (before is None) != (after is None) or (
                before is not None and after is not None and not is_same(before, after, text=True)
            ):
                raise PdfChangedError("a later revision changes what the document says of itself")


def _indirect(reader: PdfFileReader) -> generic.IndirectObject:
    root = reader.root_ref
    return generic.IndirectObject(root.idnum, root.generation, reader)  # type: ignore[no-untyped-call]


def _is_free(
    role: _Role, key: str, before: generic.PdfObject | None, after: generic.PdfObject | None
) -> bool:
    """Whether an entry may become what it became, without a look at what it holds."""
    if role is _Role.CATALOGUE:
        return key in FREE_IN_CATALOGUE and after is not None
    if role is _Role.SIGNED_FIELD:
        return key in FREE_IN_SIGNED_FIELD and after is not None
    if role is _Role.FORM and key == "/SigFlags":
        return isinstance(after, generic.NumberObject)
    # Software that signs leaves it out: false is what holds without it (ISO 32000-2 Table 224).
    return role is _Role.FORM and key == "/NeedAppearances" and is_absent(before, after)


def _encoded(item: generic.PdfObject) -> bytes | None:
    return bytes(item.encoded_data) if isinstance(item, generic.StreamObject) else None


def _refuse(place: str) -> NoReturn:
    if place == "page":
        raise PdfPageChangedError("a later revision changes a page or what is on it")
    if place == "form":
        raise PdfFormChangedError("a later revision changes the form")
    if place == "attachment":
        raise PdfAttachmentChangedError("a later revision changes an attachment")
    raise PdfChangedError("a later revision changes the document")
