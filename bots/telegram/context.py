"""What handlers work with: the context of an update, and the state that all handlers of the application share."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeAlias, TypeVar

from telegram import Chat, Message, Update, User
from telegram.ext import CallbackContext, ExtBot

from bots.i18n import language
from bots.service.outages import is_outage
from bots.service.service import CaptionService
from bots.service.views import CaptionView
from bots.telegram.keys import person_key
from bots.telegram.rate_limiter import RateLimiter
from bots.telegram.reply_target import ReplyTarget
from bots.telegram.update_queue import UpdateQueue
from settings import Settings

P = ParamSpec("P")
R = TypeVar("R")
SECOND_LOOKUP = 1.0  # seconds
Bot: TypeAlias = ExtBot[Any]


@dataclass(frozen=True)
class AppState:
    """What all handlers of one application share."""

    service: CaptionService
    settings: Settings
    update_queue: UpdateQueue
    rate_limiter: RateLimiter
    downloads: asyncio.Semaphore  # limits how many photos are downloaded and checked at the same time
    requested_albums: deque[str] = field(default_factory=lambda: deque(maxlen=200))  # keys, in groups, newest last
    wait_notices: dict[int, float] = field(default_factory=dict)  # chat id -> time.monotonic() at which it expires


class Context(CallbackContext[Bot, dict[Any, Any], dict[Any, Any], dict[Any, Any]]):
    @property
    def state(self) -> AppState:
        state: AppState = self.application.state  # type: ignore[attr-defined]  # see TelegramApplication
        return state

    @property
    def service(self) -> CaptionService:
        return self.state.service

    async def to_thread(self, call: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a blocking call of the service in a thread, so that other updates are processed meanwhile."""
        return await asyncio.to_thread(call, *args, **kwargs)

    async def language_of(self, user: User | None) -> str:
        """The language that a user chose in /settings, else that of their app."""
        if user is None:
            return language(None)
        try:
            preferences = await self.to_thread(self.service.people.preferences, person_key(user))
        except Exception as error:
            if not is_outage(error):
                raise
            return language(user.language_code)  # what was done before is not done again for a matter of language
        return language(preferences.language or user.language_code)

    async def language_of_answer(self, caption: CaptionView) -> str:
        """See `answer_language`. While the database is away it is that of the sender's app."""
        try:
            return await self.to_thread(answer_language, self.service, caption)
        except Exception as error:
            if not is_outage(error):
                raise
            return language(ReplyTarget.from_json(caption.reply_to).language)

    async def captions_in_message(self, key: str) -> list[CaptionView]:
        """The captions that a message of the bot shows, found by its key.

        A message that was sent a moment ago may not be stored yet, so it is looked up twice.
        """
        found = await self.to_thread(self.service.captions.by_message, key)
        if not found:
            await asyncio.sleep(SECOND_LOOKUP)
            found = await self.to_thread(self.service.captions.by_message, key)
        return found


def answer_language(service: CaptionService, caption: CaptionView) -> str:
    """The language of an answer and its buttons: what the photo's sender chose in /settings, else that of their app."""
    preferences = service.people.preferences(caption.sender)
    return language(preferences.language or ReplyTarget.from_json(caption.reply_to).language)


def sender_of(message: Message) -> User | Chat:
    """Who sent a message. Its photo is theirs, whoever asks for the caption."""
    sender = message.sender_chat or message.from_user
    assert sender is not None, "only channel posts have no sender, and the bot does not receive them"
    return sender


def user_of(update: Update) -> User:
    assert update.effective_user is not None, "every update that the bot asks for has a user"
    return update.effective_user


def message_of(update: Update) -> Message:
    assert update.effective_message is not None, "message handlers get updates with a message"
    return update.effective_message
