"""Handlers of /start, /help and /privacy, of texts, and of messages that no other handler takes."""

from telegram import Chat, InlineKeyboardButton, InlineKeyboardMarkup, Update
from telegram.helpers import create_deep_linked_url

from bots.i18n import say
from bots.telegram.account import on_forget, on_mine, on_settings
from bots.telegram.attachments import find_missing
from bots.telegram.buttons import button_press
from bots.telegram.context import Context, message_of, user_of
from bots.telegram.corrections import on_correction_link, on_reply
from bots.telegram.groups import mentions_bot, on_caption
from bots.telegram.keys import callback_data, parse_correction_payload
from bots.telegram.replies import answer_query, edit_text, reply

PRIVATE_COMMANDS = {"settings": on_settings, "mine": on_mine, "forget": on_forget}


async def on_start(update: Update, context: Context) -> None:
    """/start, from a link perhaps with a payload: a command for private chats, or a caption to correct."""
    payload = (context.args or [""])[0]
    if payload in PRIVATE_COMMANDS and message_of(update).chat.type == Chat.PRIVATE:
        await PRIVATE_COMMANDS[payload](update, context)
    elif (caption_id := parse_correction_payload(payload)) is not None:
        await on_correction_link(caption_id, update, context)
    else:
        await reply(update, say(await context.language_of(user_of(update)), "telegram.start"))


async def on_help(update: Update, context: Context) -> None:
    """/help: what the bot can do, in private chats and in groups."""
    language, private = await context.language_of(user_of(update)), message_of(update).chat.type == Chat.PRIVATE
    await reply(update, say(language, "telegram.help" if private else "telegram.help_group"))


async def on_privacy(update: Update, context: Context) -> None:
    """/privacy: how long photos are kept, and a button that shows the rest."""
    language = await context.language_of(user_of(update))
    more = InlineKeyboardButton(say(language, "telegram.more"), callback_data=callback_data("privacy", "more"))
    await reply(update, _privacy(language, context), reply_markup=InlineKeyboardMarkup([[more]]))


async def on_privacy_button(update: Update, context: Context) -> None:
    """The button under /privacy: what else there is to know."""
    query = button_press(update).query
    language = await context.language_of(query.from_user)
    rest = say(language, "telegram.privacy_more", days=context.state.settings.feedback_retention_days)
    await answer_query(query)
    await edit_text(query, f"{_privacy(language, context)}\n\n{rest}")


def _privacy(language: str, context: Context) -> str:
    return say(language, "telegram.privacy", count=context.state.settings.retention_hours)


async def on_private_command_in_group(update: Update, context: Context) -> None:
    """/settings, /mine and /forget in a group: a button that opens them in the private chat."""
    command = (message_of(update).text or "").split()[0].partition("@")[0].removeprefix("/")
    language = await context.language_of(user_of(update))
    link = create_deep_linked_url(context.bot.username, command)
    button = InlineKeyboardButton(say(language, "telegram.open_private"), url=link)
    await reply(update, say(language, "telegram.in_private"), reply_markup=InlineKeyboardMarkup([[button]]))


async def on_text(update: Update, context: Context) -> None:
    """A text: a correction if it replies to the bot, a request if it mentions the bot in a group or, in private, quotes
    another chat.
    """
    if await on_reply(update, context):
        return
    private = message_of(update).chat.type == Chat.PRIVATE
    if private and not message_of(update).external_reply:
        await on_other_message(update, context)
    elif private or mentions_bot(message_of(update), context):
        await on_caption(update, context)


async def on_other_message(update: Update, context: Context) -> None:
    """A message in a private chat that the bot cannot use: say what it lacks, or which ones work."""
    missing = find_missing(message_of(update))
    key = f"telegram.no_image_but_{missing}" if missing else "telegram.what_works"
    await reply(update, say(await context.language_of(user_of(update)), key))


async def on_unknown_command(update: Update, context: Context) -> None:
    """Answered in private chats and if addressed to this bot. In groups it may be meant for another bot."""
    command = (message_of(update).text or "").split()[0].lower()
    if message_of(update).chat.type == Chat.PRIVATE or command.endswith(f"@{context.bot.username}".lower()):
        await reply(update, say(await context.language_of(user_of(update)), "telegram.unknown_command"))
