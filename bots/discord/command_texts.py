"""Localized names and descriptions of commands."""

import discord
from discord import app_commands
from discord.app_commands import Choice, locale_str

from bots.i18n import DEFAULT, language, say


def localized(key: str) -> locale_str:
    """A text of discord.toml, translated when the commands are uploaded."""
    return locale_str(say(DEFAULT, f"discord.{key}"), key=f"discord.{key}")


def choices(prefix: str, *values: str) -> list[Choice[str]]:
    """A choice for each value; its name is PREFIX_VALUE in discord.toml."""
    return [Choice(name=localized(f"{prefix}_{value}"), value=value) for value in values]


class CommandTranslator(app_commands.Translator):
    """Translates `localized` texts. Discord itself falls back to the default language where there is no translation."""

    async def translate(
        self, string: locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        key = string.extras.get("key")
        return say(locale.value, key) if key and language(locale.value) != DEFAULT else None
