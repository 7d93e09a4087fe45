"""Which failures of requests to Discord pass."""

import aiohttp
import discord

UNREACHABLE = (aiohttp.ClientError, OSError, TimeoutError)  # what discord.py raises when the network fails
BUSY_STATUSES = {408, 425, 429}  # of HTTP, besides all from 500 on
BUSY_CODES = {  # error codes of the Discord API that pass, whatever the status they come with
    *(20016, 20022, 20028, 20029, 30046),  # a limit of the channel, the server, or of edits
    *(40004, 40006, 40062, 40333, 130000),  # switched off for a while, limited, an internal failure, overloaded
}


def passes(error: BaseException) -> bool:
    """Whether the same request may succeed later: judged by the codes in the answer, not by the exception's class."""
    if isinstance(error, discord.HTTPException):
        return error.status in BUSY_STATUSES or error.status >= 500 or error.code in BUSY_CODES
    if isinstance(error, aiohttp.ClientResponseError):
        return error.status in BUSY_STATUSES or error.status >= 500
    return isinstance(error, (discord.RateLimited, *UNREACHABLE))
