"""Why a picture shows no usable face; each code is one thing that the person can do about it."""

from typing import ClassVar

from biometrics.errors import BiometricsError


class FaceError(BiometricsError):
    """The picture does not show exactly one usable face."""

    retryable: ClassVar[bool] = True


class FaceMissingError(FaceError):
    """No face was found."""

    code: ClassVar[str] = "face-missing"


class ImageTooSmallError(FaceMissingError):
    """The picture has too few pixels to show a usable face."""

    code: ClassVar[str] = "image-too-small"


class SeveralFacesError(FaceError):
    """A second face is not small compared with the first."""

    code: ClassVar[str] = "several-faces"


class FaceTooSmallError(FaceError):
    """The eyes are too close together in pixels: come closer."""

    code: ClassVar[str] = "face-too-small"


class FaceTooNearError(FaceError):
    """The face is larger than the picture: step back."""

    code: ClassVar[str] = "face-too-near"


class FaceCutOffError(FaceError):
    """A part of the face lies outside the picture: move to the middle."""

    code: ClassVar[str] = "face-cut-off"


class FaceTiltedError(FaceError):
    """The head is tilted: hold it upright."""

    code: ClassVar[str] = "face-tilted"


class FaceSidewaysError(FaceTiltedError):
    """The face lies on its side: turn the picture or the camera."""

    code: ClassVar[str] = "face-sideways"


class FaceUpsideDownError(FaceTiltedError):
    """The face is upside down: turn the picture or the camera."""

    code: ClassVar[str] = "face-upside-down"


class FaceUnclearError(FaceError):
    """Something like a face is there, but not clearly enough for a portrait or probe."""

    code: ClassVar[str] = "face-unclear"
