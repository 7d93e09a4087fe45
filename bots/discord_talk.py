"""Acknowledging interactions in time, and telling people what went wrong: a sentence, never a traceback."""

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

import aiohttp
import discord

from bots.discord_places import Interaction, person_key
from bots.errors import UserError
from bots.texts import say

if TYPE_CHECKING:
    from bots.discord_bot import CaptionBot

log = logging.getLogger(__name__)

IN_TIME = 3.0  # seconds that Discord gives
ALREADY = 40060  # Discord's code for an interaction that was acknowledged before
UNREACHABLE = (aiohttp.ClientError, OSError, TimeoutError)  # what discord.py lets through when the network fails


class Hurry:
    """While interactions wait to be acknowledged, what can wait does: reading and checking photos takes processor time.

    with hurry: ...        acknowledge
    await hurry.over()     then begin with what takes longer
    """

    def __init__(self) -> None:
        self._waiting = 0
        self._over = asyncio.Event()
        self._over.set()

    def __enter__(self) -> None:
        self._waiting += 1
        self._over.clear()

    def __exit__(self, *error: object) -> None:
        self._waiting -= 1
        if not self._waiting:
            self._over.set()

    async def over(self) -> None:
        """Returns when nobody waits any more, or when waiting would help nobody."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), IN_TIME)


async def acknowledge(interaction: Interaction, *, ephemeral: bool = True, update: bool = False) -> bool:
    """Say within 3 seconds that the answer is on its way: before anything that could take long.

    update: of the message whose button was pressed; otherwise "captionbot is thinking" for a new one. False: Discord
    no longer takes an answer.
    """
    try:
        with interaction.client.hurry:
            await interaction.response.defer(ephemeral=ephemeral, thinking=not update)
    except (discord.DiscordException, *UNREACHABLE) as error:
        if isinstance(error, discord.HTTPException) and error.code == ALREADY:
            return True  # by an earlier try whose answer got lost
        log.warning("interaction %d could not be acknowledged: %s", interaction.id, error)
        return False
    return True


async def language_of(interaction: Interaction) -> str:
    """The language of the person: as they chose, or as their Discord is set."""
    service = interaction.client.service
    chosen = await asyncio.to_thread(service.preferences, person_key(interaction.user.id))
    return chosen.language or interaction.locale.value


async def tell(interaction: Interaction, error: BaseException) -> None:
    """The error handler of all commands and buttons: log what is not the person's doing, then tell the person."""
    if isinstance(error, UserError):
        sentence = error.said(await language_of(interaction))
    elif isinstance(error, discord.Forbidden):
        log.warning("Discord does not allow it: %s", error)
        sentence = say(interaction.locale.value, "discord.forbidden")
    else:
        log.error("interaction %d failed", interaction.id, exc_info=error)
        sentence = say(interaction.locale.value, "discord.trouble")
    try:
        if interaction.response.type is discord.InteractionResponseType.deferred_channel_message:
            await interaction.edit_original_response(content=sentence)
        elif interaction.response.is_done():
            await interaction.followup.send(sentence, ephemeral=True)
        else:
            await interaction.response.send_message(sentence, ephemeral=True)
    except (discord.DiscordException, *UNREACHABLE) as unsaid:
        log.warning("interaction %d: %s", interaction.id, unsaid)


async def say_in_private(bot: "CaptionBot", user_id: int, said: str, view: discord.ui.View | None = None) -> None:
    """A direct message, as far as the person allows that."""
    try:
        direct = await bot.create_dm(discord.Object(user_id))
        await (direct.send(said, view=view) if view else direct.send(said))
    except (discord.DiscordException, *UNREACHABLE) as error:
        log.info("somebody cannot be told in private: %s", error)
