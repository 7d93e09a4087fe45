"""How fast Telegram is called: the library's limiter, which can also say whether a group has room for a message now."""

import logging

from telegram.ext import AIORateLimiter

# It writes a traceback whenever Telegram puts something off, which is nothing out of the ordinary.
logging.getLogger("telegram.ext.AIORateLimiter").setLevel(logging.CRITICAL)


class Limiter(AIORateLimiter):
    """30 calls a second that go to chats, 20 a minute to a group.

    It does not try again by itself: what Telegram puts off goes back to the database or to Telegram's own queue, where
    it outlives this process.
    """

    def __init__(self) -> None:
        super().__init__(max_retries=0)

    def has_room(self, chat: int) -> bool:
        """Whether a call for this chat would go out at once. In private there is always room."""
        return chat > 0 or self._get_group_limiter(chat).has_capacity()
