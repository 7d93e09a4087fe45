"""Photos in: loads the picture of a message and gives it to the service. The answer comes by telegram_delivery.py."""

import asyncio
import contextlib
from typing import Any

from telegram import Chat, Message, Update, User
from telegram.constants import ChatAction
from telegram.error import BadRequest, TelegramError

from bots.errors import FileTooLarge, PhotoTooLarge
from bots.telegram_context import Context, album_key, chat_key, message_of, person_key, sender_of, source_key
from bots.telegram_files import Picture, picture_in
from bots.texts import language


async def on_picture(update: Update, context: Context) -> None:
    """A photo, a picture file, a sticker, an animation or a video in private."""
    message = message_of(update)
    picture = picture_in(message)
    assert picture is not None, "the filter has seen one"
    await take(message, picture, context)


async def on_edited_picture(update: Update, context: Context) -> None:
    """Another picture was put into a message: it is captioned anew, if the old one was. Other words change nothing."""
    message = message_of(update)
    picture = picture_in(message)
    assert picture is not None, "the filter has seen one"
    before = await context.ask(context.service.by_source, source_key(message))
    if before and picture.unique not in {caption.reply_to["file"] for caption in before}:
        await take(message, picture, context, edited=True)


async def take(message: Message, picture: Picture, context: Context, *, edited: bool = False) -> None:
    """Load a picture and submit it in the name of its sender. Raises UserError, and what the network raises."""
    sender, source = sender_of(message), source_key(message)
    album = None if edited else album_key(message)
    settings = context.parts.settings
    if picture.bytes and picture.bytes > settings.max_photo_mb * 1e6:
        raise FileTooLarge(megabytes=picture.bytes / 1e6, limit=settings.max_photo_mb)
    async with context.parts.downloads:
        data = await _load(message, picture, context)
        await context.ask(
            context.service.submit,
            data,
            sender=person_key(sender),
            front_end="telegram",
            source=f"{source}/{picture.unique}" if edited else source,
            reply_to=reply_to(message, picture, sender) | {"album": album},
            chat=chat_key(message.chat),
            album=album,
            position=message.message_id,
        )


def reply_to(message: Message, picture: Picture, sender: User | Chat) -> dict[str, Any]:
    """All that an answer to a photo needs to know."""
    return {
        "chat": message.chat_id,
        "message": message.message_id,
        "thread": message.message_thread_id if message.is_topic_message else None,
        "language": language(sender.language_code if isinstance(sender, User) else None),
        "kind": picture.kind,
        "file": picture.unique,
        "source": source_key(message),
    }


async def _load(message: Message, picture: Picture, context: Context) -> bytes:
    _, data = await asyncio.gather(_say_typing(message, context), _download(picture, context))
    return data


async def _say_typing(message: Message, context: Context) -> None:
    """In private, while few photos are on their way: it counts against the limit of answers."""
    if message.chat.type == Chat.PRIVATE and not context.parts.downloads.locked():
        with contextlib.suppress(TelegramError):
            await context.bot.send_chat_action(message.chat_id, ChatAction.TYPING)


async def _download(picture: Picture, context: Context) -> bytes:
    try:
        file = await context.bot.get_file(picture.file)
        return bytes(await file.download_as_bytearray())
    except BadRequest as error:
        if "too big" in error.message:
            raise PhotoTooLarge from None
        raise
