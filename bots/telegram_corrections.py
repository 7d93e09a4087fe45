"""A better sentence: a reply to an answer, or to the question that the pencil asks. Nothing is kept between the two.

The question names its caption in a link, which the reply brings back.
"""

import re

from telegram import ForceReply, Message, MessageEntity, ReplyParameters, Update, User

from bots.telegram_answers import shorten, silent, units
from bots.telegram_buttons import pressed
from bots.telegram_context import Context, chat_key, message_key, message_of, person_key, sender_of, user_of
from bots.telegram_talk import reply, toast
from bots.telegram_votes import ask_consent
from bots.texts import say
from bots.views import CaptionView

LINK = re.compile(r"[?&]start=fix_([\w-]{22})$")
NUMBERED = re.compile(r"\s*(\d{1,2})\s*[.:)]\s*(\S.*)", re.DOTALL)  # "2. A red bicycle": of the second photo
SHOWN = 300  # characters of a sentence in a question
HINT = 64  # characters that Telegram shows in an empty field


async def on_fix(update: Update, context: Context) -> None:
    """The pencil: ask for a better sentence, in a message that opens the field for an answer."""
    tap = pressed(update)
    caption = await context.ask(context.service.result, tap.argument, person=tap.person, chat=tap.chat)
    await toast(tap.query)
    message = tap.query.message
    if message is not None:
        await _ask(message.chat.id, message.message_id, caption, tap.query.from_user, context)


async def ask_in_private(id: str, update: Update, context: Context) -> None:
    """The link in the question was followed."""
    user, message = user_of(update), message_of(update)
    caption = await context.ask(context.service.result, id, person=person_key(user))
    await _ask(message.chat_id, message.message_id, caption, user, context)


async def _ask(chat: int, message: int, caption: CaptionView, user: User, context: Context) -> None:
    """In groups the name of who asked makes the field open for them alone."""
    language, private = await context.language_of(user), chat > 0
    name = "" if private else f"{user.first_name}: "
    pencil = "✏️"
    text = f"{pencil} {name}" + say(language, "telegram.fix", text=shorten(silent(caption.text or ""), SHOWN))
    link = f"https://t.me/{context.bot.username}?start=fix_{caption.id}"
    entities = [MessageEntity(MessageEntity.TEXT_LINK, 0, units(pencil), url=link)]
    if name:
        length = units(user.first_name)
        entities.append(MessageEntity(MessageEntity.TEXT_MENTION, units(pencil) + 1, length, user=user))
    field = ForceReply(selective=not private, input_field_placeholder=say(language, "telegram.fix_hint")[:HINT])
    there = ReplyParameters(message, allow_sending_without_reply=True)
    await context.bot.send_message(chat, text, entities=entities, reply_markup=field, reply_parameters=there)


async def on_reply(update: Update, context: Context) -> bool:
    """A text that answers one of the bot's messages. False: that message is about no caption."""
    message = message_of(update)
    answered, language = message.reply_to_message, await context.language_of(user_of(update))
    if answered is None or answered.from_user is None or answered.from_user.id != context.bot.id:
        return False
    text = message.text or ""
    if asked := _asked_about(answered):
        await _correct(asked, text, update, context)
        return True
    captions = await context.captions_in(message_key(answered))
    if len(captions) > 1:
        numbered = NUMBERED.fullmatch(text)
        if not numbered or not 0 < int(numbered[1]) <= len(captions):
            await reply(update, say(language, "telegram.fix_which", count=len(captions)))
            return True
        captions, text = [captions[int(numbered[1]) - 1]], numbered[2]
    if captions:
        await _correct(captions[0].id, text, update, context)
    return bool(captions)


def _asked_about(question: Message) -> str | None:
    links = [entity.url or "" for entity in question.entities if entity.type == MessageEntity.TEXT_LINK]
    found = [match[1] for link in links if (match := LINK.search(link))]
    return found[0] if found else None


async def _correct(id: str, text: str, update: Update, context: Context) -> None:
    message, user = message_of(update), user_of(update)
    language = await context.language_of(user)
    caption = await context.ask(
        context.service.correct, id, person=person_key(sender_of(message)), text=text, chat=chat_key(message.chat)
    )
    kept = silent(caption.correction or text)
    await reply(update, say(language, "telegram.corrected", text=kept))
    if caption.ask_consent:
        await ask_consent(user, language, context)
