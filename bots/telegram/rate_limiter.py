"""Limits how fast the Bot API is called, and says whether a group has room for another message right now."""

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from aiolimiter import AsyncLimiter
from telegram.constants import FloodLimit
from telegram.error import RetryAfter
from telegram.ext import BaseRateLimiter

from bots.telegram.keys import is_private

Result: TypeAlias = bool | dict[str, Any] | list[dict[str, Any]]
MAX_GROUPS = 512  # limiters to keep before unused ones are removed


class RateLimiter(BaseRateLimiter[None]):
    """Allows 30 calls a second to all chats together, and 20 a minute to each group.

    A call that Telegram rejects with RetryAfter is not repeated here: the error goes to the caller, who leaves the
    answer in the database or the update with Telegram, where they outlive this process.
    """

    def __init__(self) -> None:
        self.all_chats = AsyncLimiter(FloodLimit.MESSAGES_PER_SECOND, 1)
        self.groups: dict[int | str, AsyncLimiter] = {}

    async def initialize(self) -> None:
        """There is nothing to open."""

    async def shutdown(self) -> None:
        """There is nothing to close."""

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Result]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: None,
    ) -> Result:
        """Call the Bot API once, as soon as the limits of the chat allow it. Calls without a chat are not limited."""
        chat = data.get("chat_id")
        if chat is not None:
            if isinstance(chat, str) or not is_private(chat):  # a channel may be given by its @name
                await self._group(chat).acquire()
            await self.all_chats.acquire()
        return await callback(*args, **kwargs)

    def has_capacity(self, chat_id: int) -> bool:
        """Whether the limit of this chat would let a call pass at once. Private chats have no limit of their own."""
        return is_private(chat_id) or self._group(chat_id).has_capacity()

    def _group(self, chat: int | str) -> AsyncLimiter:
        if len(self.groups) > MAX_GROUPS:
            self.groups = {
                key: limiter for key, limiter in self.groups.items() if not limiter.has_capacity(limiter.max_rate)
            }
        return self.groups.setdefault(chat, AsyncLimiter(FloodLimit.MESSAGES_PER_MINUTE_PER_GROUP, 60))


def retry_after_seconds(error: RetryAfter) -> float:
    """How long Telegram asks to wait."""
    delay = error.retry_after  # an int today, always a timedelta in the library's next major version
    return float(delay if isinstance(delay, int) else delay.total_seconds())
