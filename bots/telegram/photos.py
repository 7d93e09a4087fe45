"""Handlers of photos: download the image and submit it. The answer is sent by delivery.py when the caption is done."""

import asyncio
import contextlib
import logging

from telegram import Chat, Message, Update, User
from telegram.constants import ChatAction
from telegram.error import TelegramError

from bots.errors import FileTooLarge, NotFetched, PhotoTooLarge
from bots.i18n import language
from bots.telegram.attachments import ImageFile, find_image
from bots.telegram.context import Context, message_of, sender_of
from bots.telegram.files import NotShared, read_file
from bots.telegram.keys import FRONT_END, album_key, edited_source_key, group_key, person_key, source_key
from bots.telegram.reply_target import ReplyTarget
from db.caption_requests import CaptionRequest

log = logging.getLogger(__name__)


async def on_photo(update: Update, context: Context) -> None:
    """A photo, an image file, a sticker, an animation or a video in a private chat."""
    message = message_of(update)
    image = find_image(message)
    assert image is not None, "the filter requires an image"
    await submit_photo(message, image, context)


async def on_edited_photo(update: Update, context: Context) -> None:
    """The photo of a message was replaced: it gets a new caption if the old one got one. Edited text is ignored."""
    message = message_of(update)
    image = find_image(message)
    assert image is not None, "the filter requires an image"
    earlier = await context.to_thread(context.service.captions.by_source, source_key(message))
    known_files = {ReplyTarget.from_json(caption.reply_to).file for caption in earlier}
    if earlier and image.file_unique_id not in known_files:
        await submit_photo(message, image, context, edited=True)


async def submit_photo(message: Message, image: ImageFile, context: Context, *, edited: bool = False) -> None:
    """Download the image of a message and submit it in the name of its sender. Raises UserError."""
    sender, settings = sender_of(message), context.state.settings
    album = None if edited else album_key(message)
    if image.file_size and image.file_size > settings.max_photo_bytes:
        raise FileTooLarge(image.file_size, settings.max_photo_bytes)
    target = ReplyTarget(
        chat=message.chat_id,
        message=message.message_id,
        thread=message.message_thread_id if message.is_topic_message else None,
        language=language(sender.language_code if isinstance(sender, User) else None),
        kind=image.kind,
        file=image.file_unique_id,
        source=source_key(message),
        album=album,
        spoiler=image.spoiler,
    )
    async with context.state.downloads:
        data, _ = await asyncio.gather(_download(image, context), _send_typing(message, context))
        request = CaptionRequest(
            sender=person_key(sender),
            front_end=FRONT_END,
            source=edited_source_key(message, image.file_unique_id) if edited else target.source,
            reply_to=target.to_json(),
            chat=group_key(message.chat),
            album=album,
            position=message.message_id,
        )
        submitted = await context.to_thread(context.service.submissions.submit, data, request)
    row = submitted.row
    log.debug("photo %s is caption %d", target.source, row, extra={"caption": row})


async def _download(image: ImageFile, context: Context) -> bytes:
    """Raises PhotoTooLarge, NotFetched."""
    try:
        return await read_file(context.bot, image.file_id, context.state.settings.telegram_files_dir)
    except (TelegramError, NotShared) as error:
        if "too big" in str(error):
            raise PhotoTooLarge from None
        raise NotFetched from error


async def _send_typing(message: Message, context: Context) -> None:
    """Show "typing" in a private chat, unless many photos are coming in: it counts against the limit of answers."""
    if message.chat.type == Chat.PRIVATE and not context.state.downloads.locked():
        with contextlib.suppress(TelegramError):
            await context.bot.send_chat_action(message.chat_id, ChatAction.TYPING)
