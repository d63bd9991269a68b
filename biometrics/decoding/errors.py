"""Why a picture cannot be used; each code is one thing that the user can do about it."""

from typing import ClassVar

from biometrics.errors import BiometricsError


class ImageError(BiometricsError):
    """A picture cannot be used."""

    code: ClassVar[str] = "image-unreadable"
    retryable: ClassVar[bool] = True


class ImageUnreadableError(ImageError):
    """The bytes are no whole JPEG, PNG, WebP or JPEG 2000 picture, or a damaged one."""


class ImageFormatUnsupportedError(ImageUnreadableError):
    """The file is something else, whatever its name says: save it as JPEG."""

    code: ClassVar[str] = "image-format-unsupported"


class ImageTruncatedError(ImageUnreadableError):
    """The file is empty or ends early: send it again."""

    code: ClassVar[str] = "image-truncated"


class ImageTooLargeError(ImageError):
    """The picture has more bytes or pixels than allowed: send a smaller one."""

    code: ClassVar[str] = "image-too-large"


class ImageTooComplexError(ImageError):
    """The file is built as no camera or chip builds it, and would cost too much to decode."""

    code: ClassVar[str] = "image-too-complex"


class ImageAnimatedError(ImageError):
    """The file holds an animation, not one picture."""

    code: ClassVar[str] = "image-animated"
