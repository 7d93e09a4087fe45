"""Acknowledges interactions in time, reports errors to people, and sends direct messages."""

import logging

import discord

from bots.discord.context import BotClient, Interaction
from bots.discord.failures import UNREACHABLE
from bots.discord.keys import person_key
from bots.discord.reply_target import read_target
from bots.errors import UserError
from bots.i18n import say
from bots.service.outages import when_available
from bots.service.service import CaptionService
from bots.service.views import CaptionView

log = logging.getLogger(__name__)

ALREADY_ACKNOWLEDGED = 40060  # error code of the Discord API


async def acknowledge(interaction: Interaction, *, ephemeral: bool = True, update: bool = False) -> bool:
    """Defer the response to an interaction. Done first, because Discord waits only 3 seconds for it.

    Args:
        ephemeral: only the person who caused the interaction sees the response.
        update: the response will edit the message whose button was pressed. Otherwise Discord shows "captionbot is
            thinking" in a new message.

    Returns:
        False if Discord no longer accepts a response; the caller then stops.
    """
    try:
        with interaction.client.acknowledgements:
            await interaction.response.defer(ephemeral=ephemeral, thinking=not update)
    except (discord.DiscordException, *UNREACHABLE) as error:
        if isinstance(error, discord.HTTPException) and error.code == ALREADY_ACKNOWLEDGED:
            return True  # by an earlier attempt, whose result was lost on the network
        log.warning("interaction %d could not be acknowledged: %s", interaction.id, error)
        return False
    return True


async def language_of(interaction: Interaction) -> str:
    """The language in the person's settings, or else that of their Discord client."""
    service = interaction.client.service
    preferences = await when_available(service.people.preferences, person_key(interaction.user.id))
    return preferences.language or interaction.locale.value


def answer_language(service: CaptionService, caption: CaptionView) -> str:
    """The language of an answer and its buttons: that of who asked for it."""
    target = read_target(caption.reply_to)
    return service.people.preferences(person_key(target.user)).language or target.language


async def report_error(interaction: Interaction, error: BaseException) -> None:
    """The error handler of all commands and components. Logs errors that the person did not cause, then responds."""
    if isinstance(error, UserError):
        text = error.translated(await language_of(interaction))
    elif isinstance(error, discord.Forbidden):
        log.warning("interaction %d: the bot lacks a permission: %s", interaction.id, error)
        text = say(interaction.locale.value, "discord.forbidden")
    else:
        log.error("interaction %d failed", interaction.id, exc_info=error)
        text = say(interaction.locale.value, "discord.trouble")
    try:
        if interaction.response.type is discord.InteractionResponseType.deferred_channel_message:
            await interaction.edit_original_response(content=text)
        elif interaction.response.is_done():
            await interaction.followup.send(text, ephemeral=True)
        else:
            await interaction.response.send_message(text, ephemeral=True)
    except (discord.DiscordException, *UNREACHABLE) as failure:
        log.warning("interaction %d could not be answered: %s", interaction.id, failure)


async def send_direct_message(bot: BotClient, user_id: int, text: str, view: discord.ui.View | None = None) -> None:
    """Send a direct message. Best effort: people can refuse them in Discord's settings."""
    try:
        channel = await bot.create_dm(discord.Object(user_id))
        await (channel.send(text, view=view) if view else channel.send(text))
    except (discord.DiscordException, *UNREACHABLE) as error:
        log.info("a direct message could not be sent: %s", error)
