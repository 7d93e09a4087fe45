"""Commands about a person's settings and data: /settings, /forget, /privacy; and /help."""

from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Choice

from bots.discord.buttons import ActionButton, view_of
from bots.discord.command_texts import choices, language_choices, localized
from bots.discord.context import Interaction
from bots.discord.keys import person_key
from bots.discord.replies import acknowledge, language_of
from bots.i18n import language_name, say
from bots.service.outages import when_available
from db.preferences import Preferences

AS_DISCORD = "discord"  # choice of /settings: the language of the person's Discord client


def settings_command() -> Any:
    """/settings, which offers the languages that are there when it is made."""
    command: Any = app_commands.command(name="settings", description=localized("about_settings"))(_settings)
    command = app_commands.describe(
        length=localized("about_length"),
        quality=localized("about_quality"),
        language=localized("about_language"),
        hedging=localized("about_hedging"),
        training=localized("about_training"),
    )(command)
    return app_commands.choices(
        length=choices("length", "short", "normal", "long"),
        quality=choices("quality", "quick", "careful"),
        language=language_choices(AS_DISCORD),
    )(command)


async def _settings(
    interaction: Interaction,
    length: Choice[str] | None = None,
    quality: Choice[str] | None = None,
    language: Choice[str] | None = None,
    hedging: bool | None = None,
    training: bool | None = None,
) -> None:
    """Change the settings that are given, then show all settings."""
    if not await acknowledge(interaction):
        return
    changes: dict[str, Any] = {key: value.value for key, value in (("length", length), ("quality", quality)) if value}
    if language:
        changes["language"] = None if language.value == AS_DISCORD else language.value
    if hedging is not None:
        changes["hedging"] = hedging
    service, person = interaction.client.service, person_key(interaction.user.id)
    if changes:
        await when_available(lambda: service.people.set_preferences(person, **changes))
    if training is not None:
        await when_available(service.people.set_consent, person, training)
    preferences = await when_available(service.people.preferences, person)
    await interaction.edit_original_response(
        content=_settings_text(preferences, preferences.language or interaction.locale.value)
    )


def _settings_text(preferences: Preferences, locale: str) -> str:
    def yes_or_no(value: bool | None) -> str:
        return say(locale, "discord.yes" if value else "discord.no")

    return say(
        locale,
        "discord.settings",
        length=say(locale, f"discord.length_{preferences.length}"),
        quality=say(locale, f"discord.quality_{preferences.quality}"),
        language=language_name(preferences.language)
        if preferences.language
        else say(locale, f"discord.language_{AS_DISCORD}"),
        hedging=yes_or_no(preferences.hedging),
        training=yes_or_no(preferences.training_consent),
    )


@app_commands.command(name="forget", description=localized("about_forget"))
async def forget(interaction: Interaction) -> None:
    """Ask for confirmation. `confirm_forget` then removes the data."""
    locale = interaction.locale.value
    confirm = ActionButton("forget", label=say(locale, "discord.forget_yes"), style=discord.ButtonStyle.danger)
    with interaction.client.acknowledgements:
        await interaction.response.send_message(
            say(locale, "discord.forget_sure"), view=view_of(confirm), ephemeral=True
        )


async def confirm_forget(interaction: Interaction, _: str) -> None:
    """The button that confirms /forget: removes the person's data."""
    if await acknowledge(interaction, update=True):
        language = await language_of(interaction)
        removed = await when_available(interaction.client.service.people.forget, person_key(interaction.user.id))
        text = say(language, "discord.forgotten", count=removed.captions)
        if removed.left:
            text += " " + say(language, "discord.forgotten_left", count=removed.left)
        await interaction.edit_original_response(content=text, view=None)


@app_commands.command(name="privacy", description=localized("about_privacy"))
async def privacy(interaction: Interaction) -> None:
    """Show how long photos are kept, and a button for the rest."""
    if await acknowledge(interaction):
        language = await language_of(interaction)
        more = ActionButton("privacy", label=say(language, "discord.more"))
        await interaction.edit_original_response(content=_privacy(language, interaction), view=view_of(more))


async def more_privacy(interaction: Interaction, _: str) -> None:
    """The button under /privacy: what else there is to know."""
    if await acknowledge(interaction, update=True):
        language = await language_of(interaction)
        rest = say(language, "discord.privacy_more", days=interaction.client.settings.feedback_retention_days)
        await interaction.edit_original_response(content=f"{_privacy(language, interaction)}\n\n{rest}", view=None)


def _privacy(language: str, interaction: Interaction) -> str:
    return say(language, "discord.privacy", count=interaction.client.settings.retention_hours)


@app_commands.command(name="help", description=localized("about_help"))
async def help_(interaction: Interaction) -> None:
    """Show what the bot can do."""
    if await acknowledge(interaction):
        await interaction.edit_original_response(content=say(await language_of(interaction), "discord.help"))
