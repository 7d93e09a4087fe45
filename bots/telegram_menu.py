"""The commands that Telegram offers people as they type: others in groups, more for administrators and for admins."""

import logging
from collections.abc import Iterable

from telegram import (
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
)
from telegram.error import TelegramError

from bots.telegram_context import Bot
from bots.texts import DEFAULT, LANGUAGES, say

log = logging.getLogger(__name__)

PRIVATE = ("help", "settings", "mine", "privacy", "forget")
GROUP = ("caption", "help", "privacy")
ADMIN = ("stats", "models", "promote", "rollback", "export")


async def register_commands(bot: Bot, admins: Iterable[str]) -> None:
    """Tell Telegram, in all our languages. A bot works without, so what fails is only noted."""
    try:
        await _register(bot, BotCommandScopeAllPrivateChats(), PRIVATE)
        await _register(bot, BotCommandScopeAllGroupChats(), GROUP)
        await _register(bot, BotCommandScopeAllChatAdministrators(), (*GROUP, "auto"))
    except TelegramError as error:
        log.warning("the commands could not be registered: %s", error)
    for admin in telegram_ids(admins):
        try:
            await _register(bot, BotCommandScopeChat(admin), (*PRIVATE, *ADMIN))
        except TelegramError as error:  # they have never written to the bot
            log.info("no menu of admin commands for %d yet: %s", admin, error)


def telegram_ids(admins: Iterable[str]) -> list[int]:
    """Of ADMIN_IDS those who are on Telegram."""
    return [int(key.removeprefix("telegram:")) for key in admins if key.startswith("telegram:")]


async def _register(bot: Bot, scope: BotCommandScope, names: Iterable[str]) -> None:
    for language in LANGUAGES:
        commands = [BotCommand(name, say(language, f"telegram.about_{name}")) for name in names]
        await bot.set_my_commands(commands, scope, None if language == DEFAULT else language)
