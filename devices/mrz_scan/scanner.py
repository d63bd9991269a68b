"""From a photo to the machine-readable zone that it shows."""

import threading
from dataclasses import dataclass

from devices.card_photo import GrayPicture
from devices.emrtd.lds.mrz import Mrz
from devices.mrz_scan.alignment import AlignedLine, align
from devices.mrz_scan.blocks import Block, cut_rows, find_blocks, ways_to_read
from devices.mrz_scan.decision import decide_mrz
from devices.mrz_scan.errors import MrzAmbiguousError, MrzMissingError, MrzUnsureError
from devices.mrz_scan.formats import CITIZEN_CARD, LAYOUTS, Layout
from devices.mrz_scan.models import FloatArray
from devices.mrz_scan.recognition import TextRecogniser
from devices.mrz_scan.text_lines import TextLineDetector

_LONGER_SIDES_PX = (640, 1088)
"""The picture is looked at small first: a card that fills half of it is found so."""
_LINES_READ = 2
"""A third line holds the name alone."""
_MAX_READINGS = 6
"""Blocks times formats times ways up that are read at one size."""


@dataclass(frozen=True)
class ScannerModels:
    """What the scanner needs; the manifest names the files, their digests and the threshold."""

    detection: bytes
    """The text detection model, ONNX."""
    recognition: bytes
    """The text recognition model, ONNX."""
    min_confidence: float
    """Least confidence of every character, 0 to 1."""


class MrzScanner:
    """Reads machine-readable zones from photos. Safe to share between threads.

    The models are loaded when the first photo comes.
    """

    def __init__(self, models: ScannerModels) -> None:
        self._models = models
        self._lock = threading.Lock()
        self._loaded: tuple[TextLineDetector, TextRecogniser] | None = None

    def scan(self, picture: GrayPicture, *, quick: bool = False) -> Mrz:
        """Return the MRZ in a picture, at any angle.

        Args:
            picture: gray.
            quick: look once, where a card that is far away may be missed.

        Raises:
            MrzMissingError: nothing in it looks like one.
            MrzUnsureError: something does, and cannot be read for certain.
            MrzAmbiguousError: there are several.
            ScannerUnusableError: a model cannot be loaded or run.
        """
        unsure: MrzUnsureError | None = None
        for longer_side_px in _LONGER_SIDES_PX[: 1 if quick else None]:
            try:
                return self._scan_at(picture, longer_side_px)
            except MrzMissingError:
                continue
            except MrzUnsureError as error:
                unsure = error
                if error.legible:
                    break
        raise unsure or MrzMissingError(
            "the photo shows no MRZ: take it again, nearer and straight"
        )

    def _scan_at(self, picture: GrayPicture, longer_side_px: int) -> Mrz:
        detector, recogniser = self._load()
        found: Mrz | None = None
        unsure: MrzUnsureError | None = None
        done: list[Block] = []
        for block, name in ways_to_read(
            find_blocks(detector.find(picture, longer_side_px)), _MAX_READINGS
        ):
            if any(block.shares_lines_with(other) for other in done):
                continue
            rows = cut_rows(picture, block, LAYOUTS[name].line_length)[:_LINES_READ]
            lines, layout = _align_all(recogniser.read(rows), LAYOUTS[name])
            try:
                mrz = decide_mrz(lines, layout, self._models.min_confidence)
            except MrzUnsureError as error:
                if unsure is None or error.legible:
                    unsure = error
                if error.legible:
                    done.append(block)
                continue
            if found is not None and mrz != found:
                raise MrzAmbiguousError("the photo shows the MRZs of several documents")
            found = mrz
            done.append(block)
        if found is None:
            raise unsure or MrzMissingError("the photo shows no MRZ")
        return found

    def _load(self) -> tuple[TextLineDetector, TextRecogniser]:
        with self._lock:
            if self._loaded is None:
                models = self._models
                self._loaded = (
                    TextLineDetector(models.detection),
                    TextRecogniser(models.recognition),
                )
            return self._loaded


def _align_all(probabilities: FloatArray, layout: Layout) -> tuple[list[AlignedLine], Layout]:
    """Return the lines, read as a citizen card's if they begin as one."""
    lines = _align(probabilities, layout)
    if layout.format == CITIZEN_CARD.format and lines[0].text[2:5] == "VNM":
        return _align(probabilities, CITIZEN_CARD), CITIZEN_CARD
    return lines, layout


def _align(probabilities: FloatArray, layout: Layout) -> list[AlignedLine]:
    return [align(row, mask) for row, mask in zip(probabilities, layout.allowed, strict=True)]
