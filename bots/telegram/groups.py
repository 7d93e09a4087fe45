"""Handlers of photos in groups: captioned when somebody asks by /caption or a mention, or when /auto is on."""

import asyncio
import logging

from telegram import ExternalReplyInfo, Message, MessageEntity, Update
from telegram.error import BadRequest

from bots.errors import UserError
from bots.i18n import say
from bots.service.views import CaptionView
from bots.telegram.attachments import find_image, find_missing
from bots.telegram.context import Context, message_of, user_of
from bots.telegram.failures import seconds_until_retry
from bots.telegram.keys import album_key, chat_key, group_key, message_key, parse_message_key, source_key
from bots.telegram.photos import submit_photo
from bots.telegram.rendering import render_answer
from bots.telegram.replies import is_reply_missing, only_as_reply, reply

log = logging.getLogger(__name__)

ALBUM_DELAYS = (0.2, 0.8, 1.5)  # seconds between checks whether another photo of the album came with a request


async def on_group_photo(update: Update, context: Context) -> None:
    """A photo in a group: submitted if its caption text asks for it, or if /auto is on."""
    message = message_of(update)
    image, requested = find_image(message), mentions_bot(message, context)
    assert image is not None, "the filter requires an image"
    if requested and (album := album_key(message)):
        context.state.requested_albums.append(album)
    if (await context.to_thread(context.service.chats.get, chat_key(message.chat_id))).auto:
        try:
            await submit_photo(message, image, context)
        except UserError as error:
            if requested or seconds_until_retry(error) is not None:
                raise
            log.info("a photo in chat %d is not captioned: %s", message.chat_id, error)
    elif requested or await _is_album_requested(message, context):
        await submit_photo(message, image, context)


async def on_caption(update: Update, context: Context) -> None:
    """/caption as a reply to a photo, of this chat or of another one."""
    message = message_of(update)
    photo, elsewhere = message.reply_to_message, message.external_reply
    if photo and (image := find_image(photo)):
        if earlier := await context.to_thread(context.service.captions.by_source, source_key(photo)):
            await _show_again(update, context, earlier[-1])
        else:
            await submit_photo(photo, image, context)
    elif elsewhere and (image := find_image(elsewhere)):
        await submit_photo(message, image, context)  # it is the photo of whoever asks, and the answer replies to that
    else:
        await _explain(update, context, photo or elsewhere)


async def on_other_media(update: Update, context: Context) -> None:
    """A message that asks for a caption of what it carries, but carries no image."""
    if mentions_bot(message_of(update), context):
        await _explain(update, context, message_of(update))


async def _explain(update: Update, context: Context, asked: Message | ExternalReplyInfo | None) -> None:
    """Say why there is nothing to describe. asked: the message that was asked about, if any."""
    missing = find_missing(asked) if asked else "story" if message_of(update).reply_to_story else None
    key = f"no_image_but_{missing}" if missing else "no_image" if asked else "caption_how"
    await reply(update, say(await context.language_of(user_of(update)), f"telegram.{key}"))


async def _show_again(update: Update, context: Context, caption: CaptionView) -> None:
    """The photo has a caption already: point to the answer, or send it again if it was deleted."""
    if caption.message is None:
        return  # it will be delivered soon
    message, language = message_of(update), await context.language_of(user_of(update))
    chat_id, answer_id = parse_message_key(caption.message)
    if chat_id == message.chat_id:  # otherwise it is from before the group became a supergroup
        try:
            text = say(language, "telegram.already")
            await context.bot.send_message(chat_id, text, reply_parameters=only_as_reply(answer_id))
            return
        except BadRequest as error:
            if not is_reply_missing(error):
                raise
    answer = render_answer([caption], language, private=group_key(message.chat) is None)
    again = await message.reply_text(**answer, do_quote=True)
    key = message_key(again.chat_id, again.message_id)  # stored, so that reactions and replies find the caption
    await context.to_thread(context.service.deliveries.delivered, [caption.row], key)


async def _is_album_requested(message: Message, context: Context) -> bool:
    """Whether the text under another photo of the same album asks for captions."""
    album = album_key(message)
    if album is None:
        return False
    for delay in ALBUM_DELAYS:
        await asyncio.sleep(delay)
        if album in context.state.requested_albums:
            return True
        # Another process behind the same webhook may have received that photo.
        if await context.to_thread(context.service.captions.by_source, album):
            return True
    return False


def mentions_bot(message: Message, context: Context) -> bool:
    """Whether the text of a message, or under its photo, mentions the bot or contains /caption."""
    name = f"@{context.bot.username}".lower()
    types: list[str | None] = [MessageEntity.MENTION, MessageEntity.BOT_COMMAND]
    found = message.parse_entities(types) if message.text else {}
    if message.caption:
        found = message.parse_caption_entities(types)
    return any(word.lower() in (name, "/caption", f"/caption{name}") for word in found.values())
