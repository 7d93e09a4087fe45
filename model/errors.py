"""Errors whose text is meant for the person who meets them. The docstring of an error is its default message."""

import inspect


class CaptionbotError(Exception):
    """Captionbot could not do that."""

    def __init__(self, message: str | None = None):
        super().__init__(message or inspect.getdoc(type(self)))


class UnreadablePhoto(CaptionbotError):
    """That file could not be read as a photo. JPEG, PNG, WebP, GIF, HEIC and AVIF work."""


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
