"""Handlers of corrections: a reply to an answer, or to the question that the ✏️ button asks.

Nothing is remembered between the question and the reply: the question contains a link with the caption's id, and
Telegram sends the question along with the reply.
"""

import re
from typing import Any

from telegram import ForceReply, Message, MessageEntity, ReplyParameters, Update, User
from telegram.error import ChatMigrated
from telegram.helpers import create_deep_linked_url

from bots.ai_label import labelled_text
from bots.i18n import say
from bots.service.views import CaptionView
from bots.telegram.buttons import button_press
from bots.telegram.context import Context, message_of, sender_of, user_of
from bots.telegram.keys import (
    correction_payload,
    group_key,
    is_private,
    message_key,
    parse_correction_link,
    person_key,
)
from bots.telegram.rendering import is_hidden, spoilers, truncate, without_mentions
from bots.telegram.replies import answer_query, reply
from bots.telegram.votes import ask_for_consent

NUMBERED = re.compile(r"\s*(\d{1,2})\s*[.:)]\s*(\S.*)", re.DOTALL)  # "2. A red bicycle": of an album's second photo
QUOTE_LENGTH = 300  # characters of the caption that the question quotes


async def on_correct_button(update: Update, context: Context) -> None:
    """The ✏️ button: ask for a better sentence."""
    press, service = button_press(update), context.service
    caption = await context.to_thread(service.captions.get, press.argument, person=press.person, chat=press.chat)
    await answer_query(press.query)
    message = press.query.message
    if message is not None:
        await _ask(message.chat.id, message.message_id, caption, press.query.from_user, context)


async def on_correction_link(caption_id: str, update: Update, context: Context) -> None:
    """The link in the question was followed to the private chat: ask there."""
    user, message = user_of(update), message_of(update)
    caption = await context.to_thread(context.service.captions.get, caption_id, person=person_key(user))
    await _ask(message.chat_id, message.message_id, caption, user, context)


async def _ask(chat: int, message: int, caption: CaptionView, user: User, context: Context) -> None:
    """Send the question. In a group it mentions the person, so that only their app opens a reply field."""
    language, private = await context.language_of(user), is_private(chat)
    pencil, name = "✏️", "" if private else f"{user.first_name}: "
    quote = truncate(without_mentions(labelled_text(caption, language) or ""), QUOTE_LENGTH)
    text = f"{pencil} {name}" + say(language, "telegram.fix", text=quote)
    link = create_deep_linked_url(context.bot.username, correction_payload(caption.id))
    entities = [MessageEntity(MessageEntity.TEXT_LINK, 0, len(pencil), url=link)]
    if name:
        entities.append(MessageEntity(MessageEntity.TEXT_MENTION, len(pencil) + 1, len(user.first_name), user=user))
    if is_hidden(caption):
        start, end = _last(text, quote)
        entities.append(MessageEntity(MessageEntity.SPOILER, start, end - start))
    hint = say(language, "telegram.fix_hint")[: ForceReply.MAX_INPUT_FIELD_PLACEHOLDER]
    content: dict[str, Any] = {
        "text": text,
        "entities": MessageEntity.adjust_message_entities_to_utf_16(text, entities),
        "reply_markup": ForceReply(selective=not private, input_field_placeholder=hint),
    }
    try:
        await context.bot.send_message(chat, reply_parameters=ReplyParameters(message), **content)
    except ChatMigrated as error:  # the button was under a message from before the group became a supergroup
        await context.bot.send_message(error.new_chat_id, **content)


async def on_reply(update: Update, context: Context) -> bool:
    """Handle a text that replies to the bot. Returns False if the message it replies to is about no caption."""
    message = message_of(update)
    replied, language = message.reply_to_message, await context.language_of(user_of(update))
    if replied is None or replied.from_user is None or replied.from_user.id != context.bot.id:
        return False
    text = message.text or ""
    if caption_id := _caption_asked_about(replied):
        await _correct(caption_id, text, update, context)
        return True
    captions = await context.captions_in_message(message_key(replied.chat_id, replied.message_id))
    if len(captions) > 1:
        numbered = NUMBERED.fullmatch(text)
        if not numbered or not 0 < int(numbered[1]) <= len(captions):
            await reply(update, say(language, "telegram.fix_which", count=len(captions)))
            return True
        captions, text = [captions[int(numbered[1]) - 1]], numbered[2]
    if captions:
        await _correct(captions[0].id, text, update, context)
    return bool(captions)


def _caption_asked_about(question: Message) -> str | None:
    """The public id in the question's link, or None if the message is no such question."""
    links = [entity.url or "" for entity in question.entities if entity.type == MessageEntity.TEXT_LINK]
    return next(filter(None, map(parse_correction_link, links)), None)


async def _correct(caption_id: str, text: str, update: Update, context: Context) -> None:
    message, user = message_of(update), user_of(update)
    language = await context.language_of(user)
    person, chat = person_key(sender_of(message)), group_key(message.chat)
    caption = await context.to_thread(context.service.feedback.correct, caption_id, person=person, text=text, chat=chat)
    correction = without_mentions(caption.correction or text)
    answer = say(language, "telegram.corrected", text=correction)
    await reply(update, answer, entities=spoilers(answer, [_last(answer, correction)] if is_hidden(caption) else []))
    if caption.ask_consent:
        await ask_for_consent(user, language, context)


def _last(text: str, part: str) -> tuple[int, int]:
    """Where the last occurrence of a part starts and ends."""
    start = text.rindex(part)
    return start, start + len(part)
