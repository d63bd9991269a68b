"""What the command line reads from photos of cards."""

from collections.abc import Callable
from pathlib import Path

from api.cli.output import read_input
from biometrics.manifest import load_manifest
from biometrics.onnx import model_bytes
from biometrics.weights.errors import ModelMissingError
from devices.card_photo import MAX_BYTES
from devices.card_scan import CardScan, scan_card_photo
from devices.mrz_scan import MrzScanner, ScannerModels
from devices.qr import QrMissingError

DETECTION = "pp-ocrv6-det-small"
RECOGNITION = "pp-ocrv6-rec-small"


def open_scanner() -> MrzScanner:
    """Return the MRZ scanner with the manifest's models.

    Raises:
        ModelMissingError: a model is not installed.
        WeightsError: it is damaged, or the cache cannot be read.
    """
    manifest = load_manifest()
    return MrzScanner(
        ScannerModels(
            model_bytes(manifest, DETECTION),
            model_bytes(manifest, RECOGNITION),
            manifest.model(RECOGNITION).threshold("character"),
        )
    )


def scan_file(path: Path) -> CardScan:
    """Return what a photo shows; without the models its QR code alone.

    Raises:
        InputUnusableError: the file cannot be read.
        ModelMissingError: it shows no QR code, and the models for the MRZ are not installed.
        DeviceError: it cannot be read, or not for certain (`devices.card_scan`).
    """
    photo = read_input(path, MAX_BYTES)
    return _scan(lambda scanner: scan_card_photo(photo, mrz=scanner))


def scan_before_camera(number: int, timeout_s: float) -> CardScan:
    """Return what a camera sees of a card, and say on standard error why a frame is not enough.

    Raises:
        ModelMissingError: there is no QR code, and the models for the MRZ are not installed.
        DeviceError: no camera, or nothing could be read in time (`devices.camera`).
    """
    from rich.console import Console

    from devices.camera import scan_with_camera

    with Console(stderr=True, markup=False).status("show the card to the camera") as status:

        def look(scanner: MrzScanner | None) -> CardScan:
            return scan_with_camera(
                number,
                mrz=scanner,
                timeout_s=timeout_s,
                progress=lambda reason: status.update(str(reason)),
            )

        return _scan(look)


def _scan(scan: Callable[[MrzScanner | None], CardScan]) -> CardScan:
    try:
        scanner = open_scanner()
    except ModelMissingError as missing:
        try:
            return scan(None)
        except QrMissingError:
            raise missing from None
    return scan(scanner)
