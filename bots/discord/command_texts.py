"""Localized names and descriptions of commands."""

import discord
from discord import app_commands
from discord.app_commands import Choice, locale_str

from bots.i18n import DEFAULT, language_name, languages, say

MAX_CHOICES = 25  # that Discord allows


def localized(key: str) -> locale_str:
    """A text of discord.pot, translated when the commands are uploaded."""
    return locale_str(say(DEFAULT, f"discord.{key}"), key=f"discord.{key}")


def choices(prefix: str, *values: str) -> list[Choice[str]]:
    """A choice for each value; its name is PREFIX_VALUE in discord.pot."""
    return [Choice(name=localized(f"{prefix}_{value}"), value=value) for value in values]


def language_choices(unset: str) -> list[Choice[str]]:
    """A choice for each language, as it calls itself, after one that sets none."""
    names = [Choice(name=language_name(code), value=code) for code in languages()]
    return [*choices("language", unset), *names][:MAX_CHOICES]


class CommandTranslator(app_commands.Translator):
    """Translates `localized` texts. Discord itself falls back to the default language where there is no translation."""

    async def translate(
        self, string: locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        key = string.extras.get("key")
        text = say(locale.value, key) if key else string.message
        return text if text != string.message else None
