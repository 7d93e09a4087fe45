"""Votes, by button or by reaction to an answer. Removing the reaction withdraws the vote."""

import discord

from bots.discord.buttons import ActionButton, caption_buttons, view_of
from bots.discord.context import BotClient, Interaction
from bots.discord.keys import chat_key, message_key, person_key
from bots.discord.replies import acknowledge, answer_language, language_of, send_direct_message
from bots.errors import UserError
from bots.i18n import DEFAULT, say
from bots.service.outages import when_available
from bots.service.service import CaptionService

REACTION_VALUES = {"👍": 1, "👎": -1}
SKIN_TONES = {ord(tone): None for tone in "🏻🏼🏽🏾🏿"}


async def up(interaction: Interaction, id: str) -> None:
    await _vote(interaction, id, 1)


async def down(interaction: Interaction, id: str) -> None:
    await _vote(interaction, id, -1)


async def _vote(interaction: Interaction, id: str, value: int) -> None:
    if not await acknowledge(interaction, update=True):
        return
    service, person = interaction.client.service, person_key(interaction.user.id)
    votes = await when_available(service.feedback.vote, id, person=person, value=value, chat=chat_key(interaction))
    await interaction.edit_original_response(view=caption_buttons(id, votes, await _buttons_language(interaction, id)))
    if votes.ask_consent:
        await ask_consent(interaction)


async def _buttons_language(interaction: Interaction, id: str) -> str:
    """The language of the buttons stays that of the answer, unless only the person who pressed sees them."""
    if interaction.message is not None and interaction.message.flags.ephemeral:
        return await language_of(interaction)
    caption = await when_available(interaction.client.service.captions.get, id, person=None)
    return await when_available(answer_language, interaction.client.service, caption)


async def ask_consent(interaction: Interaction) -> None:
    """Ask the sender of a photo whether their photos may be used for training, in an ephemeral follow-up."""
    language = await language_of(interaction)
    view = _consent_buttons(language)
    await interaction.followup.send(say(language, "discord.ask_consent"), view=view, ephemeral=True)


def _consent_buttons(language: str) -> discord.ui.View:
    yes = ActionButton("consent-yes", label=say(language, "discord.yes"), style=discord.ButtonStyle.success)
    return view_of(yes, ActionButton("consent-no", label=say(language, "discord.no")))


async def agree(interaction: Interaction, _: str) -> None:
    await _consent(interaction, True)


async def decline(interaction: Interaction, _: str) -> None:
    await _consent(interaction, False)


async def _consent(interaction: Interaction, agreed: bool) -> None:
    if await acknowledge(interaction, update=True):
        await when_available(interaction.client.service.people.set_consent, person_key(interaction.user.id), agreed)
        text = say(await language_of(interaction), "discord.consent_given" if agreed else "discord.consent_refused")
        await interaction.edit_original_response(content=text, view=None)


async def count_reaction(bot: BotClient, payload: discord.RawReactionActionEvent) -> None:
    """Handle a reaction that was added or removed: people's thumbs on captions count as votes, others are ignored."""
    me = bot.user.id if bot.user else None
    value = REACTION_VALUES.get((payload.emoji.name or "").translate(SKIN_TONES))
    by_bot = payload.user_id == me or (payload.member is not None and payload.member.bot)
    if value is None or by_bot or payload.message_author_id not in (None, me):
        return
    if await when_available(_count, bot.service, payload, value):
        await _ask_by_direct_message(bot, payload.user_id)


def _count(service: CaptionService, payload: discord.RawReactionActionEvent, value: int) -> bool:
    """Store or withdraw a vote for each caption in the message. Returns whether to ask for consent."""
    person, ask = person_key(payload.user_id), False
    for caption in service.captions.by_message(message_key(payload.channel_id, payload.message_id)):
        try:
            if payload.event_type == "REACTION_ADD":
                ask |= service.feedback.vote(caption.id, person=person, value=value, chat=caption.chat).ask_consent
            elif service.captions.get(caption.id, person=person, chat=caption.chat).votes.mine == value:
                # With both thumbs the second one counts, so removing the first withdraws nothing.
                service.feedback.unvote(caption.id, person=person, chat=caption.chat)
        except UserError:
            pass  # the caption failed or was removed; there is no way to respond to a reaction
    return ask


async def _ask_by_direct_message(bot: BotClient, user_id: int) -> None:
    """Ask for consent by direct message, because there is no ephemeral response to a reaction."""
    language = (await when_available(bot.service.people.preferences, person_key(user_id))).language or DEFAULT
    await send_direct_message(bot, user_id, say(language, "discord.ask_consent"), _consent_buttons(language))
