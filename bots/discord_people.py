"""Commands about oneself and the bot: /settings, /forget, /privacy, /help."""

import asyncio
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Choice

from bots.discord_buttons import ActionButton, view_of
from bots.discord_places import Interaction, person_key
from bots.discord_talk import acknowledge, language_of
from bots.discord_words import choices, told
from bots.texts import say
from bots.views import Preferences

AS_DISCORD = "discord"  # the language that the person's Discord is set to


@app_commands.command(name="settings", description=told("about_settings"))
@app_commands.describe(
    length=told("about_length"),
    quality=told("about_quality"),
    language=told("about_language"),
    hedging=told("about_hedging"),
    training=told("about_training"),
)
@app_commands.choices(
    length=choices("length", "short", "normal", "long"),
    quality=choices("quality", "quick", "careful"),
    language=choices("language", AS_DISCORD, "en", "de"),
)
async def settings(
    interaction: Interaction,
    length: Choice[str] | None = None,
    quality: Choice[str] | None = None,
    language: Choice[str] | None = None,
    hedging: bool | None = None,
    training: bool | None = None,
) -> None:
    """Change what is given, then show all."""
    if not await acknowledge(interaction):
        return
    changes: dict[str, Any] = {key: value.value for key, value in (("length", length), ("quality", quality)) if value}
    if language:
        changes["language"] = None if language.value == AS_DISCORD else language.value
    if hedging is not None:
        changes["hedging"] = hedging
    service, person = interaction.client.service, person_key(interaction.user.id)
    if changes:
        await asyncio.to_thread(lambda: service.set_preferences(person, **changes))
    if training is not None:
        await asyncio.to_thread(service.consent, person, training)
    chosen = await asyncio.to_thread(service.preferences, person)
    await interaction.edit_original_response(content=_in_words(chosen, chosen.language or interaction.locale.value))


def _in_words(chosen: Preferences, locale: str) -> str:
    def yes(value: bool | None) -> str:
        return say(locale, "discord.yes" if value else "discord.no")

    return say(
        locale,
        "discord.settings",
        length=say(locale, f"discord.length_{chosen.length}"),
        quality=say(locale, f"discord.quality_{chosen.quality}"),
        language=say(locale, f"discord.language_{chosen.language or AS_DISCORD}"),
        hedging=yes(chosen.hedging),
        training=yes(chosen.training_consent),
    )


@app_commands.command(name="forget", description=told("about_forget"))
async def forget(interaction: Interaction) -> None:
    """Asks once more before anything is removed."""
    locale = interaction.locale.value
    sure = ActionButton("forget", label=say(locale, "discord.forget_yes"), style=discord.ButtonStyle.danger)
    with interaction.client.hurry:
        await interaction.response.send_message(say(locale, "discord.forget_sure"), view=view_of(sure), ephemeral=True)


async def forget_all(interaction: Interaction, _: str) -> None:
    if await acknowledge(interaction, update=True):
        language = await language_of(interaction)
        gone = await asyncio.to_thread(interaction.client.service.forget, person_key(interaction.user.id))
        said = say(language, "discord.forgotten", count=gone.captions)
        await interaction.edit_original_response(content=said, view=None)


@app_commands.command(name="privacy", description=told("about_privacy"))
async def privacy(interaction: Interaction) -> None:
    """What is kept, and for how long."""
    if await acknowledge(interaction):
        hours = interaction.client.settings.retention_hours
        said = say(await language_of(interaction), "discord.privacy", hours=hours)
        await interaction.edit_original_response(content=said)


@app_commands.command(name="help", description=told("about_help"))
async def help_(interaction: Interaction) -> None:
    """What one can do here."""
    if await acknowledge(interaction):
        await interaction.edit_original_response(content=say(await language_of(interaction), "discord.help"))
