"""The words of the command list, in the languages that Discord shows it in."""

import discord
from discord import app_commands
from discord.app_commands import Choice, locale_str

from bots.texts import DEFAULT, language, say


def told(key: str) -> locale_str:
    """A sentence of discord.toml that is translated when the command list is uploaded."""
    return locale_str(say(DEFAULT, f"discord.{key}"), key=f"discord.{key}")


def choices(prefix: str, *values: str) -> list[Choice[str]]:
    """One for each value; PREFIX_VALUE is its name in discord.toml."""
    return [Choice(name=told(f"{prefix}_{value}"), value=value) for value in values]


class Words(app_commands.Translator):
    async def translate(
        self, string: locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        key = string.extras.get("key")
        return say(locale.value, key) if key and language(locale.value) != DEFAULT else None
