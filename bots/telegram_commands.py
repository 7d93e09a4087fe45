"""Commands that talk about the bot, and all that is said to it without being a command, a photo or a button."""

from telegram import Chat, InlineKeyboardButton, InlineKeyboardMarkup, Update

from bots.telegram_context import Context, message_of, user_of
from bots.telegram_corrections import ask_in_private, on_reply
from bots.telegram_groups import mentions, on_caption
from bots.telegram_people import on_forget, on_mine, on_settings
from bots.telegram_talk import reply
from bots.texts import say

IN_PRIVATE = {"settings": on_settings, "mine": on_mine, "forget": on_forget}


async def on_start(update: Update, context: Context) -> None:
    """/start, perhaps from a link: to a command that is for private chats, or to correct a caption."""
    wanted = (context.args or [""])[0]
    if wanted in IN_PRIVATE and message_of(update).chat.type == Chat.PRIVATE:
        await IN_PRIVATE[wanted](update, context)
    elif wanted.startswith("fix_"):
        await ask_in_private(wanted.removeprefix("fix_"), update, context)
    else:
        await reply(update, say(await context.language_of(user_of(update)), "telegram.start"))


async def on_help(update: Update, context: Context) -> None:
    """/help: what one can do here."""
    language, private = await context.language_of(user_of(update)), message_of(update).chat.type == Chat.PRIVATE
    await reply(update, say(language, "telegram.help" if private else "telegram.help_group"))


async def on_privacy(update: Update, context: Context) -> None:
    """/privacy: what is kept, and for how long."""
    settings = context.parts.settings
    said = say(
        await context.language_of(user_of(update)),
        "telegram.privacy",
        hours=settings.retention_hours,
        days=settings.feedback_retention_days,
    )
    await reply(update, said)


async def on_private_command_in_group(update: Update, context: Context) -> None:
    """/settings, /mine and /forget are nobody else's business: a button leads to the private chat."""
    command = (message_of(update).text or "").split()[0].partition("@")[0].removeprefix("/")
    language = await context.language_of(user_of(update))
    link = f"https://t.me/{context.bot.username}?start={command}"
    button = InlineKeyboardButton(say(language, "telegram.open_private"), url=link)
    await reply(update, say(language, "telegram.in_private"), reply_markup=InlineKeyboardMarkup([[button]]))


async def on_text(update: Update, context: Context) -> None:
    """A correction, if it answers one of the bot's messages; a request, if it names the bot in a group."""
    if await on_reply(update, context):
        return
    if message_of(update).chat.type == Chat.PRIVATE:
        await on_anything_else(update, context)
    elif mentions(message_of(update), context):
        await on_caption(update, context)


async def on_anything_else(update: Update, context: Context) -> None:
    """In private: what works."""
    await reply(update, say(await context.language_of(user_of(update)), "telegram.what_works"))


async def on_unknown_command(update: Update, context: Context) -> None:
    """In private, or with the bot's name; in groups other commands are for other bots."""
    command = (message_of(update).text or "").split()[0].lower()
    if message_of(update).chat.type == Chat.PRIVATE or command.endswith(f"@{context.bot.username}".lower()):
        await reply(update, say(await context.language_of(user_of(update)), "telegram.unknown_command"))
