"""Errors whose text front-ends show to people. Any other exception is logged, and people see a general apology.

The docstring of an error is its English text. Translations are in languages/LANGUAGE/errors.toml under the name of the
class, with the same placeholders.
"""

import inspect
from typing import Any

from bots.i18n import DEFAULT, catalogue, fill, language


class UserError(Exception):
    """I could not do that."""

    def __init__(self, **values: Any):
        self.values = values
        super().__init__(self.translated(DEFAULT))

    def translated(self, requested: str | None) -> str:
        """The text of the error in the requested language."""
        code = language(requested)
        english = inspect.getdoc(type(self)) or ""
        return fill(code, catalogue(code).get(f"errors.{type(self).__name__}", english), **self.values)


class UnreadablePhoto(UserError):
    """I could not read that file as a photo. JPEG, PNG, WebP, GIF, HEIC and AVIF work."""


class EmptyFile(UnreadablePhoto):
    """That file is empty."""


class OtherPicture(UnreadablePhoto):
    """I cannot read {format} pictures. JPEG, PNG, WebP, GIF, HEIC and AVIF work."""


class BrokenPhoto(UnreadablePhoto):
    """That picture is broken or cut short. Please send it once more."""


class PhotoTooLarge(UserError):
    """That photo is too large. Please send a smaller one."""


class FileTooLarge(PhotoTooLarge):
    """That file has {megabytes:number} MB, and I take at most {limit:number} MB. Please send a smaller one."""

    def __init__(self, size: int, limit: float):
        """size, limit: in bytes."""
        super().__init__(megabytes=size / 1e6, limit=limit / 1e6)


class TooManyPixels(PhotoTooLarge):
    """That picture has {megapixels:number} megapixels, and I take at most {limit:number}. Please send a smaller one."""

    def __init__(self, pixels: int, limit: float):
        super().__init__(megapixels=pixels / 1e6, limit=limit / 1e6)


class NotFound(UserError):
    """I cannot find that caption. It may have been removed."""


class PhotoGone(NotFound):
    """I no longer have that photo. Please send it once more."""


class NotReady(UserError):
    """That caption is not ready yet. Please wait a moment."""


class NotAllowed(UserError):
    """Only the person who sent the photo can do that."""


class BadText(UserError):
    """Please write a sentence of at most {limit:number} characters."""


class Later(UserError):
    """I cannot do that right now. Please try again {retry_after:in}."""

    def __init__(self, *, retry_after: float):
        self.retry_after = retry_after  # seconds
        super().__init__(retry_after=retry_after)


class TooManyRequests(Later):
    """That was a lot at once. Please try again {retry_after:in}."""


class Busy(Later):
    """Many photos are waiting at the moment. Please try again {retry_after:in}."""


class StorageFull(Later):
    """I have no room for more photos at the moment. Please try again {retry_after:in}."""


class StorageUnavailable(Later):
    """I cannot store or read photos at the moment. Please try again {retry_after:in}."""


class NotFetched(UserError):
    """I could not fetch that picture. Please try once more."""


class UnknownModel(UserError):
    """There is no model {version}."""


class ModelNotPassed(UserError):
    """The judge has not passed {version}, so it cannot serve."""


class NothingToRollBack(UserError):
    """The model that came with me serves already: there is nothing to go back to."""


class NoFeedback(UserError):
    """There is no feedback to export yet: nobody who sent a photo has agreed that it may be kept."""


class NoNewFeedback(UserError):
    """There is no feedback that you do not have yet. To get what you had before, ask for all of it."""


class ExportTooLarge(UserError):
    """The export has {megabytes:number} MB, which is too much to send here. Use: captionbot export"""

    def __init__(self, size: int):
        """size: in bytes."""
        super().__init__(megabytes=size / 1e6)


def one_line(error: BaseException) -> str:
    """The text of an exception for a log: at most 200 characters, without line breaks."""
    return " ".join(str(error).split())[:200] or type(error).__name__


class CannotStart(Exception):
    """A front-end cannot start, for a reason that the operator can fix. The text is shown in English, as it is."""
