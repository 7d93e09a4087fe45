"""What every Telegram handler works with: the service, the settings, and the names of people, chats and messages."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ParamSpec, TypeAlias, TypeVar

from telegram import Chat, Message, Update, User
from telegram.ext import CallbackContext, ExtBot

from bots.service import CaptionService
from bots.texts import language
from bots.views import CaptionView

if TYPE_CHECKING:
    from bots.telegram_intake import Intake
    from bots.telegram_limits import Limiter
    from settings import Settings

P = ParamSpec("P")
R = TypeVar("R")
LOOK_AGAIN = 1.0  # seconds
Bot: TypeAlias = ExtBot[Any]


@dataclass(frozen=True)
class Parts:
    """What the handlers share."""

    service: CaptionService
    settings: "Settings"
    intake: "Intake"
    limiter: "Limiter"
    downloads: asyncio.Semaphore  # photos that are loaded and checked at the same time
    asked_albums: deque[str] = field(default_factory=lambda: deque(maxlen=200))  # in groups, the last ones
    told_to_wait: dict[int, float] = field(default_factory=dict)  # chat -> until when, by time.monotonic()


class Context(CallbackContext[Bot, dict[Any, Any], dict[Any, Any], dict[Any, Any]]):
    @property
    def parts(self) -> Parts:
        parts: Parts = self.application.parts  # type: ignore[attr-defined]  # see TelegramApplication
        return parts

    @property
    def service(self) -> CaptionService:
        return self.parts.service

    async def ask(self, call: Callable[P, R], *args: P.args, **values: P.kwargs) -> R:
        """Something of the service, which may take a while: aside, so that other updates go on."""
        return await asyncio.to_thread(call, *args, **values)

    async def language_of(self, user: User | None) -> str:
        """As they chose, or as their app is set."""
        if user is None:
            return language(None)
        chosen = await self.ask(self.service.preferences, person_key(user))
        return language(chosen.language or user.language_code)

    async def captions_in(self, message: str) -> list[CaptionView]:
        """What stands in a message, by its key. One that was sent a moment ago may not be written down yet."""
        found = await self.ask(self.service.by_message, message)
        if not found:
            await asyncio.sleep(LOOK_AGAIN)
            found = await self.ask(self.service.by_message, message)
        return found


def person_key(person: User | Chat) -> str:
    """A chat stands for those who write in its name: channels and anonymous administrators."""
    return f"telegram:{person.id}"


def chat_key(chat: Chat) -> str | None:
    """None in private."""
    return None if chat.type == Chat.PRIVATE else f"telegram:{chat.id}"


def message_key(message: Message) -> str:
    """Where an answer stands, for reactions and replies to it."""
    return f"telegram:{message.chat_id}/{message.message_id}"


def source_key(message: Message) -> str:
    """The request that a message is. Photos of an album have the album's as their beginning."""
    if message.media_group_id:
        return f"{album_key(message)}/{message.message_id}"
    return message_key(message)


def album_key(message: Message) -> str | None:
    return f"telegram:{message.chat_id}/album{message.media_group_id}" if message.media_group_id else None


def sender_of(message: Message) -> User | Chat:
    """Who sent a message: it is their photo, whoever asks about it."""
    sender = message.sender_chat or message.from_user
    assert sender is not None, "only in channels, which send no such updates"
    return sender


def user_of(update: Update) -> User:
    assert update.effective_user is not None, "there is one in every update that is asked for"
    return update.effective_user


def message_of(update: Update) -> Message:
    assert update.effective_message is not None, "handlers of messages get one"
    return update.effective_message
