"""When two objects that hold no others are the same: byte for byte, not by what they read as.

Names and strings are bytes (ISO 32000-2 §7.3.4, §7.3.5), which pyHanko decodes. What decodes to the
same may be something else to a viewer: a palette is a string, and a resource is found by its name.
"""

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import Reference
from pyhanko.pdf_utils.reader import PdfFileReader

TEXT = frozenset(
    {"/Lang", "/T", "/TU", "/TM", "/P", "/Name", "/Contents", "/CA"}
    | {"/Info", "/OutputCondition", "/OutputConditionIdentifier", "/RegistryName"}
)
"""Entries of what a signature rewrites (catalogue, page, form) that are text, if they are strings:
software may write it in another encoding (§7.9.2.2)."""


def is_same(old: generic.PdfObject, new: generic.PdfObject, *, text: bool) -> bool:
    """Compare two objects that hold no others; as text, where that is what they are."""
    if isinstance(old, generic.NumberObject | generic.FloatObject):
        return isinstance(new, generic.NumberObject | generic.FloatObject) and old == new
    if isinstance(old, generic.TextStringObject | generic.ByteStringObject):
        if not isinstance(new, generic.TextStringObject | generic.ByteStringObject):
            return False
        if text and isinstance(old, str) and isinstance(new, str):
            return str(old) == str(new)
        return bool(old.original_bytes == new.original_bytes)
    if isinstance(old, generic.BooleanObject):
        return isinstance(new, generic.BooleanObject) and old.value == new.value
    if isinstance(old, generic.NullObject):
        return isinstance(new, generic.NullObject)
    return isinstance(old, generic.NameObject) and type(old) is type(new) and old == new


def is_absent(*items: generic.PdfObject | None) -> bool:
    """Whether each is false or not there, which is the same where false is the default."""
    return all(
        item is None or (isinstance(item, generic.BooleanObject) and not item.value)
        for item in items
    )


def has_ambiguous_names(item: generic.PdfObject) -> bool:
    """Whether an object is, or has as a key, a name that may stand for other bytes.

    pyHanko reads /#C3#A9 and /#E9 as the same name.
    """
    if isinstance(item, generic.DictionaryObject):
        return any(_is_ambiguous(key) for key in item)
    return isinstance(item, generic.NameObject) and _is_ambiguous(item)


def _is_ambiguous(name: str) -> bool:
    return not name.isascii() and max(name) <= "\xff"


def is_in_place(
    old: PdfFileReader, old_reference: Reference, new: PdfFileReader, new_reference: Reference
) -> bool:
    """Whether two revisions of a file read an object from the same bytes."""
    place = old.xrefs[old_reference]
    if place is None or place != new.xrefs[new_reference]:
        return False
    if isinstance(place, int):
        return True
    container = Reference(place.obj_stream_id)
    return bool(old.xrefs[container] == new.xrefs[container])
