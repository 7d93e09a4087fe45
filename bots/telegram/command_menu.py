"""Registers the commands that Telegram suggests as people type, for each scope of chats and each language."""

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

from bots.i18n import DEFAULT, languages, say
from bots.telegram.context import Bot
from bots.telegram.keys import user_ids

log = logging.getLogger(__name__)

PRIVATE = ("help", "settings", "mine", "privacy", "forget")
GROUP = ("caption", "help", "privacy")
ADMIN = ("stats", "models", "promote", "rollback", "export")


async def register_commands(bot: Bot, admin_ids: Iterable[str]) -> None:
    """Set the menus of all scopes. The bot works without them, so errors are only logged."""
    try:
        await _register(bot, BotCommandScopeAllPrivateChats(), PRIVATE)
        await _register(bot, BotCommandScopeAllGroupChats(), GROUP)
        await _register(bot, BotCommandScopeAllChatAdministrators(), (*GROUP, "auto"))
    except TelegramError as error:
        log.warning("the commands could not be registered: %s", error)
    for user_id in user_ids(admin_ids):
        try:
            await _register(bot, BotCommandScopeChat(user_id), (*PRIVATE, *ADMIN))
        except TelegramError as error:  # they have not started the bot yet
            log.info("no menu of admin commands for %d yet: %s", user_id, error)


async def _register(bot: Bot, scope: BotCommandScope, names: Iterable[str]) -> None:
    codes: dict[str, str] = {}
    for language in languages():
        codes.setdefault(language.partition("_")[0], language)  # Telegram knows no regions
    for code, language in codes.items():
        if len(code) == 2:  # others it refuses
            commands = [BotCommand(name, say(language, f"telegram.about_{name}")) for name in names]
            await bot.set_my_commands(commands, scope, None if language == DEFAULT else code)
