"""What people did that cannot be done. Front-ends show the sentence; everything else is logged and answered calmly.

The docstring of an error is its sentence in English, with the same placeholders as the other languages have for it in
languages/LANGUAGE/errors.toml under the name of the class.
"""

import inspect
from typing import Any

from bots.texts import DEFAULT, catalogue, fill, language


class UserError(Exception):
    """I could not do that."""

    def __init__(self, **values: Any):
        self.values = values
        super().__init__(self.said(DEFAULT))

    def said(self, wanted: str | None) -> str:
        """The sentence in a person's language."""
        code = language(wanted)
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


class TooManyPixels(PhotoTooLarge):
    """That picture has {megapixels:number} megapixels, and I take at most {limit:number}. Please send a smaller one."""


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


class CannotStart(Exception):
    """A front-end cannot start, for a reason that whoever runs it can put right. Shown as it is, in English."""
