"""Groups: photos are captioned when somebody asks, by /caption or by a mention, or where an admin switched it on."""

import asyncio
import logging

from telegram import Message, MessageEntity, ReplyParameters, Update
from telegram.error import BadRequest

from bots.errors import UserError
from bots.telegram_answers import answer
from bots.telegram_context import Context, album_key, chat_key, message_key, message_of, source_key, user_of
from bots.telegram_files import picture_in
from bots.telegram_photos import take
from bots.telegram_talk import reply
from bots.texts import say
from bots.views import CaptionView

log = logging.getLogger(__name__)

ALBUM_PAUSES = (0.2, 0.8, 1.5)  # seconds between looks whether a photo of the same album has come with words


async def on_group_picture(update: Update, context: Context) -> None:
    """A picture in a group: if the words with it ask for a caption, or if all are wanted there."""
    message = message_of(update)
    picture, asked = picture_in(message), mentions(message, context)
    assert picture is not None, "the filter has seen one"
    if asked and (album := album_key(message)):
        context.parts.asked_albums.append(album)
    if (await context.ask(context.service.chat, f"telegram:{message.chat_id}")).auto:
        try:
            await take(message, picture, context)
        except UserError as error:
            if asked:
                raise
            log.info("a photo in chat %d is not captioned: %s", message.chat_id, error)
    elif asked or await _album_asked_for(message, context):
        await take(message, picture, context)


async def on_caption(update: Update, context: Context) -> None:
    """/caption as a reply to a photo."""
    message = message_of(update)
    photo = message.reply_to_message
    picture = picture_in(photo) if photo else None
    if photo is None or picture is None:
        await reply(update, say(await context.language_of(user_of(update)), "telegram.caption_how"))
    elif earlier := await context.ask(context.service.by_source, source_key(photo)):
        await _show_again(update, context, earlier[-1])
    else:
        await take(photo, picture, context)


async def _show_again(update: Update, context: Context, caption: CaptionView) -> None:
    """Somebody has asked before: point to the answer, or say it again if that was deleted."""
    if caption.message is None:
        return  # on its way
    message, language = message_of(update), await context.language_of(user_of(update))
    try:
        there = ReplyParameters(int(caption.message.rpartition("/")[2]))
        await context.bot.send_message(message.chat_id, say(language, "telegram.already"), reply_parameters=there)
    except BadRequest:
        text, markup = answer([caption], language, private=chat_key(message.chat) is None)
        again = await message.reply_text(text, reply_markup=markup, do_quote=True)
        await context.ask(context.service.delivered, [caption.row], message_key(again))  # thumbs and replies find it


async def _album_asked_for(message: Message, context: Context) -> bool:
    """Whether the words under another photo of the same album asked for captions."""
    album = album_key(message)
    if album is None:
        return False
    for pause in ALBUM_PAUSES:
        await asyncio.sleep(pause)
        if album in context.parts.asked_albums:
            return True
        if await context.ask(context.service.by_source, album):  # it came to another process behind the same webhook
            return True
    return False


def mentions(message: Message, context: Context) -> bool:
    """Whether the bot is named, or asked by /caption, in a text or under a picture."""
    name = f"@{context.bot.username}".lower()
    kinds: list[str | None] = [MessageEntity.MENTION, MessageEntity.BOT_COMMAND]
    found = message.parse_entities(kinds) if message.text else {}
    if message.caption:
        found = message.parse_caption_entities(kinds)
    return any(word.lower() in (name, "/caption", f"/caption{name}") for word in found.values())
