"""What a bot has done at the local Bot API server, and waiting for it."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.telegram_people import Query

Json = dict[str, Any]
PATIENCE = 90.0  # seconds to wait for the bot, on a busy machine


@dataclass
class Call:
    method: str
    params: Json
    at: float  # time.monotonic()
    code: int = 200  # HTTP status of the response; 0 until it is sent


class Observation:
    bot: Json
    calls: list[Call]
    messages: dict[tuple[int, int], Json]
    pending: list[Json]
    _posts: set[asyncio.Task[None]]

    def calls_of(self, method: str, chat: Json | None = None, code: int | None = 200) -> list[Call]:
        """Calls of a method that were answered with this HTTP status; with code=None all of them."""
        found = [call for call in self.calls if call.method == method and code in (None, call.code)]
        return [call for call in found if chat is None or call.params.get("chat_id") == str(chat["id"])]

    def bot_messages(self, chat: Json) -> list[Json]:
        """The messages that the bot has sent to a chat, oldest first. A person stands for their private chat."""
        return [one for (where, _), one in self.messages.items() if where == chat["id"] and one["from"] == self.bot]

    def bot_replies(self, message: Json) -> list[Json]:
        """The messages of the bot that reply to this one."""
        number = message["message_id"]
        sent = self.bot_messages(message["chat"])
        return [one for one in sent if one.get("reply_to_message", {}).get("message_id") == number]

    async def bot_reply(self, message: Json, seconds: float = PATIENCE) -> Json:
        """Wait for a reply of the bot; the latest one if there are several."""
        replies: list[Json] = await self.wait_until(lambda: self.bot_replies(message), seconds)
        return replies[-1]

    async def query_answer(self, query: Query, seconds: float = PATIENCE) -> str:
        """Wait until the bot has answered a callback query. Returns the text of the answer."""
        answers: list[str] = await self.wait_until(lambda: query.answers, seconds)
        return answers[-1]

    async def all_confirmed(self, seconds: float = PATIENCE) -> None:
        """Wait until the bot has confirmed all updates."""
        await self.wait_until(lambda: not self.pending and not self._posts, seconds)

    async def wait_until(self, condition: Callable[[], Any], seconds: float = PATIENCE) -> Any:
        """Wait until the condition is true, and return its value. Raises TimeoutError."""
        end = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > end:
                raise TimeoutError(f"not within {seconds} s")
            await asyncio.sleep(0.01)
        return value
