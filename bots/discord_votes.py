"""Thumbs on Discord: by button, and by reaction to the bot's message, of any age. Taking a reaction back counts too."""

import asyncio
from typing import TYPE_CHECKING

import discord

from bots.discord_buttons import ActionButton, caption_buttons, view_of
from bots.discord_places import Interaction, chat_of, message_key, person_key
from bots.discord_talk import acknowledge, language_of, say_in_private
from bots.errors import UserError
from bots.service import CaptionService
from bots.texts import DEFAULT, say

if TYPE_CHECKING:
    from bots.discord_bot import CaptionBot

THUMBS = {"👍": 1, "👎": -1}
SKIN_TONES = {ord(tone): None for tone in "🏻🏼🏽🏾🏿"}


async def up(interaction: Interaction, id: str) -> None:
    await _vote(interaction, id, 1)


async def down(interaction: Interaction, id: str) -> None:
    await _vote(interaction, id, -1)


async def _vote(interaction: Interaction, id: str, value: int) -> None:
    if not await acknowledge(interaction, update=True):
        return
    service, person = interaction.client.service, person_key(interaction.user.id)
    votes = await asyncio.to_thread(service.vote, id, person=person, value=value, chat=chat_of(interaction))
    await interaction.edit_original_response(view=caption_buttons(id, votes))
    if votes.ask_consent:
        await ask_consent(interaction)


async def ask_consent(interaction: Interaction) -> None:
    """Asked once, of who sent the photo: whether their photos may be kept to learn from."""
    language = await language_of(interaction)
    view = _yes_or_no(language)
    await interaction.followup.send(say(language, "discord.ask_consent"), view=view, ephemeral=True)


def _yes_or_no(language: str) -> discord.ui.View:
    yes = ActionButton("consent-yes", label=say(language, "discord.yes"), style=discord.ButtonStyle.success)
    return view_of(yes, ActionButton("consent-no", label=say(language, "discord.no")))


async def agree(interaction: Interaction, _: str) -> None:
    await _consent(interaction, True)


async def decline(interaction: Interaction, _: str) -> None:
    await _consent(interaction, False)


async def _consent(interaction: Interaction, agreed: bool) -> None:
    if await acknowledge(interaction, update=True):
        await asyncio.to_thread(interaction.client.service.consent, person_key(interaction.user.id), agreed)
        said = say(await language_of(interaction), "discord.consent_given" if agreed else "discord.consent_refused")
        await interaction.edit_original_response(content=said, view=None)


async def count_reaction(bot: "CaptionBot", payload: discord.RawReactionActionEvent) -> None:
    """A reaction that was added or removed, on any message: only people's thumbs on captions count."""
    me = bot.user.id if bot.user else None
    value = THUMBS.get((payload.emoji.name or "").translate(SKIN_TONES))
    by_bot = payload.user_id == me or (payload.member is not None and payload.member.bot)
    if value is None or by_bot or payload.message_author_id not in (None, me):
        return
    if await asyncio.to_thread(_count, bot.service, payload, value):
        await _ask_in_private(bot, payload.user_id)


def _count(service: CaptionService, payload: discord.RawReactionActionEvent, value: int) -> bool:
    """Returns whether to ask for consent."""
    person, ask = person_key(payload.user_id), False
    for caption in service.by_message(message_key(payload.channel_id, payload.message_id)):
        try:
            if payload.event_type == "REACTION_ADD":
                ask |= service.vote(caption.id, person=person, value=value, chat=caption.chat).ask_consent
            elif service.result(caption.id, person=person, chat=caption.chat).votes.mine == value:
                # Whoever changed their mind and takes the first thumb back still means the second.
                service.unvote(caption.id, person=person, chat=caption.chat)
        except UserError:
            pass  # failed, or removed meanwhile: a reaction cannot be answered
    return ask


async def _ask_in_private(bot: "CaptionBot", user_id: int) -> None:
    """A reaction has no answer that only its sender can read."""
    language = (await asyncio.to_thread(bot.service.preferences, person_key(user_id))).language or DEFAULT
    await say_in_private(bot, user_id, say(language, "discord.ask_consent"), _yes_or_no(language))
