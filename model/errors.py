"""Errors with a message for the person who runs captionbot. The docstring of an error is its default message."""

import inspect


def one_line(reason: object, max_length: int = 200) -> str:
    """The text of a reason, such as an exception, on one line of limited length; its type's name if it has no text."""
    return " ".join(str(reason).split())[:max_length] or type(reason).__name__


class CaptionbotError(Exception):
    """Captionbot could not do that."""

    def __init__(self, message: str | None = None):
        super().__init__(message or inspect.getdoc(type(self)))


class UnreadablePhoto(CaptionbotError):
    """That file could not be read as a photo. JPEG, PNG, WebP, GIF, HEIC and AVIF work."""


class EmptyFile(UnreadablePhoto):
    """the file is empty (0 bytes)"""


class NoImage(UnreadablePhoto):
    """this is not a picture; JPEG, PNG, WebP, GIF, HEIC and AVIF work"""


class OtherFormat(UnreadablePhoto):
    """An image in a format that is not accepted."""

    def __init__(self, format: str):
        self.format = format
        super().__init__(f"{format} pictures are not supported; JPEG, PNG, WebP, GIF, HEIC and AVIF work")


class BrokenImage(UnreadablePhoto):
    """An image in an accepted format that cannot be decoded."""

    def __init__(self, reason: object, format: str | None = None):
        super().__init__(f"the {f'{format} ' if format else ''}picture is broken or cut short ({one_line(reason)})")


class FileTooLarge(UnreadablePhoto):
    """A file with too many bytes."""

    def __init__(self, size: int, limit: float):
        self.size, self.limit = size, limit
        super().__init__(f"the file has {size / 1e6:.1f} MB, the limit is {limit / 1e6:g} MB")


class TooManyPixels(UnreadablePhoto):
    """An image with too many pixels, or an animation with such a frame."""

    def __init__(self, pixels: int, limit: int, size: tuple[int, int] | None = None):
        self.pixels, self.limit = pixels, limit
        counted = f"{size[0]} x {size[1]} pixels are" if size else "its pixels are"
        millions = f"{pixels / 1e6:.1f} million, the limit is {limit / 1e6:.1f} million"
        super().__init__(f"the picture is too large: {counted} {millions}")


class DamagedModel(CaptionbotError):
    """The model folder is damaged. Fetch it again, or choose another with --model."""


class MissingWeights(CaptionbotError):
    """The pretrained weights are not on this machine. Download them elsewhere and pass the file."""


class BadData(CaptionbotError):
    """The data set could not be read. Check the path and the format."""


class BadRecipe(CaptionbotError):
    """The training recipe is wrong. Check the name and the value of each setting."""


class UnavailableEngine(CaptionbotError):
    """That engine is not installed here. Install the extra that brings it, or choose --engine auto."""
