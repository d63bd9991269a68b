"""What in a document can change what it shows, without a byte of it changing.

A digest binds bytes; a person signs what a page shows. The two are the same only for a document
that is static: no scripts, no action that alters it or leads out of it, no media, no part that lies
in another file, no layer or annotation that is there on screen and not on paper. Those are the
rules of PDF/A, without the ones that are about looking the same in fifty years. Links, bookmarks,
filled forms, comments and layers that are all shown are left alone.

The walk is from the catalogue, and looks for actions only where viewers do: a font may well be
named /AA.

Source: ISO 32000-2 §8.11 (optional content), §12.5.3 (annotation flags), §12.6 (actions); ISO
19005-2 §6.1.7.1, §6.2.8, §6.2.9, §6.3, §6.4, §6.5, §6.9, §6.10.
"""

from collections.abc import Iterator
from enum import Enum, auto

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader

from api.pdf.errors import PdfActiveContentError, PdfUnusableError
from api.pdf.fields import form_of, is_flat
from api.pdf.reading import Deadline, entry, reading, resolve

CLICKED = frozenset({"/GoTo", "/GoToDp", "/Named", "/Thread", "/URI"})
"""Actions of a link: they lead to a place of the document, or to a page of the web."""
AUTOMATIC = frozenset({"/GoTo", "/GoToDp", "/Named"})
"""Actions that nobody has to click on."""
NAMED = frozenset({"/NextPage", "/PrevPage", "/FirstPage", "/LastPage", "/Print"})
STILL_ANNOTATIONS = frozenset(
    {"/Text", "/Link", "/FreeText", "/Line", "/Square", "/Circle", "/Polygon", "/PolyLine"}
    | {"/Highlight", "/Underline", "/Squiggly", "/StrikeOut", "/Caret", "/Stamp", "/Ink", "/Popup"}
    | {"/FileAttachment", "/Widget", "/PrinterMark", "/Watermark"}
)
STILL_USAGE = frozenset({"/CreatorInfo", "/PageElement"})
HIDDEN, NO_VIEW, TOGGLE_NO_VIEW = 1 << 1, 1 << 5, 1 << 8

_ACTIONS = {
    "/JavaScript": "a script",
    "/Launch": "an action that opens a program or another file",
    "/GoToR": "an action that opens another file",
    "/GoToE": "an action that opens another file",
    "/SubmitForm": "an action that sends a form",
    "/ImportData": "an action that fills in a form",
    "/ResetForm": "an action that clears a form",
    "/Hide": "an action that shows or hides something",
    "/SetOCGState": "an action that shows or hides something",
    "/URI": "an action that opens a web page by itself",
}


class _Role(Enum):
    """What an object is there for, and so what its entries mean."""

    ANY = auto()
    CATALOGUE = auto()
    NAMES = auto()
    LAYERS = auto()
    PAGE = auto()
    FORM = auto()
    ANNOTATION = auto()
    """Or a form field, which may be the same object."""
    BOOKMARK = auto()
    OPENING = auto()
    """A destination or an action."""
    TRIGGERS = auto()
    AUTOMATIC = auto()
    CLICKED = auto()


_HOLDS = {
    (_Role.CATALOGUE, "/AA"): _Role.TRIGGERS,
    (_Role.CATALOGUE, "/AcroForm"): _Role.FORM,
    (_Role.CATALOGUE, "/Names"): _Role.NAMES,
    (_Role.CATALOGUE, "/OCProperties"): _Role.LAYERS,
    (_Role.CATALOGUE, "/OpenAction"): _Role.OPENING,
    (_Role.CATALOGUE, "/Outlines"): _Role.BOOKMARK,
    (_Role.CATALOGUE, "/Pages"): _Role.PAGE,
    (_Role.PAGE, "/AA"): _Role.TRIGGERS,
    (_Role.PAGE, "/Annots"): _Role.ANNOTATION,
    (_Role.PAGE, "/Kids"): _Role.PAGE,
    (_Role.FORM, "/Fields"): _Role.ANNOTATION,
    (_Role.ANNOTATION, "/A"): _Role.CLICKED,
    (_Role.ANNOTATION, "/AA"): _Role.TRIGGERS,
    (_Role.ANNOTATION, "/Kids"): _Role.ANNOTATION,
    (_Role.ANNOTATION, "/PA"): _Role.CLICKED,
    (_Role.ANNOTATION, "/Parent"): _Role.ANNOTATION,
    (_Role.ANNOTATION, "/Popup"): _Role.ANNOTATION,
    (_Role.BOOKMARK, "/A"): _Role.CLICKED,
    (_Role.BOOKMARK, "/First"): _Role.BOOKMARK,
    (_Role.BOOKMARK, "/Next"): _Role.BOOKMARK,
    (_Role.OPENING, "/Next"): _Role.AUTOMATIC,
    (_Role.AUTOMATIC, "/Next"): _Role.AUTOMATIC,
    (_Role.CLICKED, "/Next"): _Role.CLICKED,
}


def check_static(reader: PdfFileReader, deadline: Deadline) -> None:
    """Refuse a document that can show something else than it shows now.

    Args:
        reader: the document.
        deadline: for all that is read of it.

    Raises:
        PdfActiveContentError: it has scripts, actions, media, switching layers, or parts elsewhere.
        PdfUnusableError: its form is shown differently by different viewers, or it is broken.
        PdfTooComplexError: the time is over.
    """
    with reading():
        _check_form(reader)
        root = reader.root_ref
        start = generic.IndirectObject(root.idnum, root.generation, reader)  # type: ignore[no-untyped-call]
        stack: list[tuple[generic.PdfObject, _Role]] = [(start, _Role.CATALOGUE)]
        seen: set[tuple[generic.Reference, _Role]] = set()
        while stack:
            deadline.check()
            item, role = stack.pop()
            if isinstance(item, generic.IndirectObject):
                if (item.reference, role) in seen:
                    continue
                seen.add((item.reference, role))
                item = resolve(reader, item)
            if isinstance(item, generic.DictionaryObject):
                found = next(_findings(reader, item, role), None)
                if found is not None:
                    raise PdfActiveContentError(
                        f"the document holds {found}, so it may show something else later; "
                        "print it to PDF/A, and open the session for that file"
                    )
            stack += _held(item, role)


def _check_form(reader: PdfFileReader) -> None:
    form = form_of(reader)
    if entry(reader, form, "/XFA") is not None:
        raise PdfUnusableError("the document has an XFA form, which viewers show differently")
    needs = entry(reader, form, "/NeedAppearances")
    if isinstance(needs, generic.BooleanObject) and needs.value:
        raise PdfUnusableError(
            "the document leaves it to viewers what its form fields show; print it to a PDF"
        )


def _held(item: generic.PdfObject, role: _Role) -> Iterator[tuple[generic.PdfObject, _Role]]:
    """Yield what may hold something in turn."""
    held: Iterator[tuple[generic.PdfObject, _Role]] = iter(())
    if isinstance(item, generic.ArrayObject):
        inner = _Role.ANY if role is _Role.OPENING else role
        held = ((item.raw_get(index), inner) for index in range(len(item)))
    elif isinstance(item, generic.DictionaryObject):
        other = _Role.AUTOMATIC if role is _Role.TRIGGERS else _Role.ANY
        held = ((item.raw_get(key), _HOLDS.get((role, key), other)) for key in item)
    containers = generic.IndirectObject | generic.ArrayObject | generic.DictionaryObject
    return (pair for pair in held if isinstance(pair[0], containers))


def _findings(reader: PdfFileReader, item: generic.DictionaryObject, role: _Role) -> Iterator[str]:
    """Yield what an object without those that it holds can change, in words."""
    if isinstance(item, generic.StreamObject):
        yield from _of_stream(reader, item)
    kind = _name(reader, item, "/Type")
    if kind == "/OCG":
        yield from _of_layer(reader, item)
    elif kind == "/OCMD" and (
        _name(reader, item, "/P") not in (None, "/AnyOn", "/AllOn") or "/VE" in item
    ):
        yield "something that shows when a layer is hidden"
    if role is _Role.CATALOGUE and entry(reader, item, "/Collection") is not None:
        yield "a portfolio, of which viewers show other files than its pages"
    elif role is _Role.NAMES:
        yield from _of_names(reader, item)
    elif role is _Role.LAYERS:
        configuration = entry(reader, item, "/D")
        off = entry(reader, configuration, "/OFF")
        if off or _name(reader, configuration, "/BaseState") not in (None, "/ON"):
            yield "a hidden layer"
    elif role is _Role.PAGE and entry(reader, item, "/PresSteps") is not None:
        yield "steps of a presentation"
    elif role is _Role.ANNOTATION:
        yield from _of_annotation(reader, item)
    elif role in (_Role.CLICKED, _Role.AUTOMATIC, _Role.OPENING):
        yield from _of_action(reader, item, CLICKED if role is _Role.CLICKED else AUTOMATIC)


def _of_stream(reader: PdfFileReader, stream: generic.StreamObject) -> Iterator[str]:
    if any(entry(reader, stream, key) is not None for key in ("/F", "/OPI", "/Ref")):
        yield "a part that lies in another file"
    if entry(reader, stream, "/Alternates") is not None:
        yield "a picture that is printed differently"
    if "/PS" in (_name(reader, stream, "/Subtype"), _name(reader, stream, "/Subtype2")):
        yield "a PostScript program"


def _of_layer(reader: PdfFileReader, layer: generic.DictionaryObject) -> Iterator[str]:
    """Look at the usage alone: some viewers heed it whether the document asks them to or not."""
    usage = entry(reader, layer, "/Usage")
    states = {"/View": "/ViewState", "/Print": "/PrintState", "/Export": "/ExportState"}
    for key in usage if isinstance(usage, generic.DictionaryObject) else ():
        if key in states:
            if _name(reader, entry(reader, usage, key), states[key]) not in (None, "/ON"):
                yield "a layer that is shown on screen or in print only"
        elif key not in STILL_USAGE:
            yield "a layer that viewers show or hide by themselves"


def _of_names(reader: PdfFileReader, names: generic.DictionaryObject) -> Iterator[str]:
    for key, what in (
        ("/JavaScript", "a script"),
        ("/Renditions", "media"),
        ("/AlternatePresentations", "another presentation of itself"),
    ):
        tree = entry(reader, names, key)
        if entry(reader, tree, "/Names") or entry(reader, tree, "/Kids"):
            yield what


def _of_annotation(reader: PdfFileReader, item: generic.DictionaryObject) -> Iterator[str]:
    kind = _name(reader, item, "/Subtype")
    if kind is not None and kind not in STILL_ANNOTATIONS:
        yield "media, or an annotation of an unknown kind"
    flags = entry(reader, item, "/F")
    bits = int(flags) if isinstance(flags, generic.NumberObject | generic.FloatObject) else 0
    is_hidden = bits & HIDDEN or is_flat(reader, entry(reader, item, "/Rect"))
    if bits & (NO_VIEW | TOGGLE_NO_VIEW) and not is_hidden:
        yield "an annotation that is shown in print only, or when pointed at"
    appearances = entry(reader, item, "/AP")
    shown, pointed_at = (entry(reader, appearances, key) for key in ("/N", "/R"))
    # Checkboxes have a look for each of their states; many programs shade them under the pointer.
    if isinstance(shown, generic.StreamObject) and pointed_at not in (None, shown):
        yield "an annotation that shows something else when pointed at"
    file = entry(reader, item, "/FS")
    if file is not None and entry(reader, file, "/EF") is None:
        yield "a reference to another file"


def _of_action(
    reader: PdfFileReader, action: generic.DictionaryObject, allowed: frozenset[str]
) -> Iterator[str]:
    kind = _name(reader, action, "/S")
    if kind not in allowed:
        yield _ACTIONS.get(kind or "", "an action of a kind that may change what is shown")
    elif kind == "/Named" and _name(reader, action, "/N") not in NAMED:
        yield "an action that runs a command of the viewer"
    elif kind == "/Thread" and entry(reader, action, "/F") is not None:
        yield _ACTIONS["/GoToR"]


def _name(reader: PdfFileReader, dictionary: object, key: str) -> str | None:
    value = entry(reader, dictionary, key)
    return None if value is None else str(value)
