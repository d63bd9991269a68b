"""A face image of DG2, whichever format its record has."""

from dataclasses import dataclass

from devices.emrtd.lds.images import EncodedImage

MAX_FACES = 16

# ISO/IEC 19794-5:2005, table 11, and the same numbers in ISO/IEC 39794-5:2019, 7.27.
SOURCES = {
    1: "photograph",
    2: "photograph-digital-camera",
    3: "photograph-scanner",
    4: "video-frame",
    5: "video-frame-analogue-camera",
    6: "video-frame-digital-camera",
}


@dataclass(frozen=True)
class FaceImage(EncodedImage):
    """One encoded face image and what its record says of it; None where it is silent."""

    record_format: str
    """`ISO/IEC 19794-5` or `ISO/IEC 39794-5`."""
    record_width_px: int | None
    """Width by the record; the image file's own is what decoders obey."""
    record_height_px: int | None
    """Height by the record."""
    image_type: str | None
    """`basic`, `full-frontal`, `token-frontal`; `mrtd`, `general-purpose` in ISO/IEC 39794-5."""
    colour_space: str | None
    """`rgb-24`, `rgb-48`, `yuv-422`, `grey-8`, `grey-16` or `other`."""
    source: str | None
    """How the picture was taken: one of `SOURCES`."""
    device_type: int | None
    """The vendor's number of the capture device."""
    feature_points: int
    """How many landmarks the record holds."""
