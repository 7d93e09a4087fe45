"""What a photo store can do now, and the errors that say so: none of them is the fault of a photo."""

import contextlib
import enum
import errno
from collections.abc import Iterator

NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
NOT_WRITABLE = {errno.EROFS, errno.EACCES, errno.EPERM}


class StoreState(enum.StrEnum):
    """What a photo store can do now."""

    HERE = "ok"
    FULL = "full"
    READ_ONLY = "read-only"
    AWAY = "does not answer"


class StoreUnavailable(Exception):
    """The photo store cannot do that now. It may be mended: no photo is to blame."""

    state = StoreState.AWAY


class StoreAway(StoreUnavailable):
    """The photo store does not answer, or its disk is not mounted."""


class StoreReadOnly(StoreUnavailable):
    """The photo store cannot be written. Change its owner, or mount it so that it can be written."""

    state = StoreState.READ_ONLY


class StoreFull(StoreUnavailable):
    """The photo store has no space left. Free some space at PHOTO_STORE, or lower RETENTION_HOURS."""

    state = StoreState.FULL


@contextlib.contextmanager
def outages(writing: bool = False) -> Iterator[None]:
    """Raise what a store's library raises as StoreUnavailable. writing: being denied means that it is read-only."""
    try:
        yield
    except StoreUnavailable:
        raise
    except Exception as error:
        raise as_outage(error, writing) from error


def as_outage(error: Exception, writing: bool = False) -> StoreUnavailable:
    """What a store's library raised, by its error number."""
    number = error.errno if isinstance(error, OSError) else None
    reason = " ".join(str(error).split()) or type(error).__name__
    if number in NO_SPACE:
        return StoreFull(reason)
    return StoreReadOnly(reason) if writing and number in NOT_WRITABLE else StoreAway(reason)
