"""Which errors of the Bot API pass, judged by what they say and not by their class.

The library has a class for each HTTP status, and statuses do not tell: "the file is temporarily unavailable" comes as
400 like a wrong parameter, and "too large" comes in the class of network failures.
"""

import logging
import re

from telegram.error import BadRequest, ChatMigrated, Forbidden, NetworkError, RetryAfter, TelegramError

from bots.errors import NotFetched
from bots.telegram.rate_limiter import retry_after_seconds

PASSES = re.compile(  # descriptions and MTProto's names of errors, in answers of any status
    r"temporar|try again|retry|restart|overload|internal (server )?error|request timeout|timed out"
    r"|FLOOD_WAIT|SLOWMODE_WAIT|RPC_\w+_FAIL|INTERDC_|MSG_WAIT|WORKER_BUSY|SEND_MEDIA_TIMEOUT|^TIMEOUT",
    re.IGNORECASE,
)
STAYS = re.compile(r"too large|too long|\(413\)|\(414\)", re.IGNORECASE)  # in the class of network failures


def seconds_until_retry(error: BaseException | None) -> float | None:
    """The least seconds to wait before the call is made again; None if it can never succeed."""
    if isinstance(error, NotFetched):
        error = error.__cause__
    if isinstance(error, RetryAfter):
        return retry_after_seconds(error)
    return 0.0 if isinstance(error, TelegramError) and _passes(error) else None


def _passes(error: TelegramError) -> bool:
    if isinstance(error, ChatMigrated):
        return False
    if isinstance(error, (BadRequest, Forbidden)):
        return PASSES.search(error.message) is not None
    # Network failures and whatever a proxy in front of the API says; an operator can mend a refused token.
    return not (isinstance(error, NetworkError) and STAYS.search(error.message))


def no_traceback(record: logging.LogRecord) -> bool:
    """Logging filter for answers that are no JSON, such as a proxy's page: the exception that follows quotes them."""
    return record.exc_info is None
