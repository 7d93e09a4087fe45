"""Errors whose text front-ends show to people. Any other exception is logged, and people see a general apology.

The text of an error is in languages/errors.pot, under the name of its class.
"""

from typing import Any

from bots.i18n import DEFAULT, say


class UserError(Exception):
    """Something that a person asked for was not done."""

    def __init__(self, **values: Any):
        self.values = values
        super().__init__(self.translated(DEFAULT))

    def translated(self, requested: str | None) -> str:
        """The text of the error in the requested language."""
        return say(requested, f"errors.{type(self).__name__}", **self.values)


class UnreadablePhoto(UserError):
    """A file is no photo that we can read."""


class EmptyFile(UnreadablePhoto):
    """A file has no content."""


class OtherPicture(UnreadablePhoto):
    """A file is a picture in a format that we do not read."""


class BrokenPhoto(UnreadablePhoto):
    """A picture is damaged or cut short."""


class PhotoTooLarge(UserError):
    """A photo is larger than a limit."""


class FileTooLarge(PhotoTooLarge):
    """A file has more bytes than MAX_PHOTO_MB allows."""

    def __init__(self, size: int, limit: float):
        """size, limit: in bytes."""
        super().__init__(megabytes=size / 1e6, limit=limit / 1e6)


class TooManyPixels(PhotoTooLarge):
    """A picture has more pixels than MAX_PIXELS allows."""

    def __init__(self, pixels: int, limit: float):
        super().__init__(megapixels=pixels / 1e6, limit=limit / 1e6)


class NotFound(UserError):
    """There is no such caption, or the person may not know of it."""


class DeadLink(NotFound):
    """A link between devices was used, replaced, removed, or has expired."""


class TooManyDevices(UserError):
    """No more devices can join a list."""


class PhotoGone(NotFound):
    """The photo of a caption was deleted."""


class NotReady(UserError):
    """The caption is not finished yet."""


class NoneLeft(UserError):
    """I have nothing else to say about this photo."""


class NotAllowed(UserError):
    """Only the person who sent the photo may do that."""


class WrongKey(UserError):
    """A program sent a key that there is not, or not any more."""


class BadText(UserError):
    """A correction is empty or too long."""


class Later(UserError):
    """It cannot be done right now."""

    def __init__(self, *, retry_after: float):
        self.retry_after = retry_after  # seconds
        super().__init__(retry_after=retry_after)


class TooManyRequests(Later):
    """A person has reached RATE_LIMIT."""


class TooManyWaiting(Later):
    """Many of your photos are waiting already. Please try again {retry_after:in}."""


class Busy(Later):
    """As many photos wait as QUEUE_LIMIT allows."""


class StorageFull(Later):
    """The photo store has no room."""


class StorageUnavailable(Later):
    """The photo store cannot be read or written at the moment."""


class NotFetched(UserError):
    """A picture could not be downloaded from its platform."""


class UnknownModel(UserError):
    """There is no model of this version."""


class ModelNotPassed(UserError):
    """A model must not serve, because the judge has not passed it."""


class NothingToRollBack(UserError):
    """The bundled model serves already."""


class NoFeedback(UserError):
    """Nobody who agreed to training has voted or corrected yet."""


class NoNewFeedback(UserError):
    """The admin has exported all feedback already."""


class ExportTooLarge(UserError):
    """An export is too large for the chat platform."""

    def __init__(self, size: int):
        """size: in bytes."""
        super().__init__(megabytes=size / 1e6)


def one_line(error: BaseException) -> str:
    """The text of an exception for a log: at most 200 characters, without line breaks."""
    return " ".join(str(error).split())[:200] or type(error).__name__


class CannotStart(Exception):
    """A front-end cannot start, for a reason that the operator can fix. The text is shown in English, as it is."""
