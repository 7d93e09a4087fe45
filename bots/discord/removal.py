"""Removes captions and their answers: by button, and when the message with the photo is deleted."""

import logging
from collections.abc import Iterable, Sequence

import discord

from bots.discord.buttons import answer_buttons
from bots.discord.context import BotClient, Interaction
from bots.discord.failures import UNREACHABLE
from bots.discord.keys import parse_message_key, person_key, source_key
from bots.discord.rendering import answer_text
from bots.discord.replies import acknowledge, answer_language
from bots.discord.reply_target import ORIGINAL, InteractionTarget, read_target
from bots.errors import NotAllowed
from bots.service.outages import when_available
from bots.service.views import CaptionView

log = logging.getLogger(__name__)


async def remove(interaction: Interaction, id: str) -> None:
    """Button, for the sender only: remove the caption, its photo, and the answers with any caption of it."""
    if not await acknowledge(interaction, update=True):
        return
    bot, person = interaction.client, person_key(interaction.user.id)
    if (await when_available(bot.service.captions.get, id, person=None)).sender != person:
        raise NotAllowed
    removed = await when_available(bot.service.captions.remove, id, person=person)
    await interaction.delete_original_response()
    await delete_answers(bot, removed, deleted=interaction.message)


async def message_deleted(bot: BotClient, message_id: int) -> None:
    """Remove the captions of a message that was deleted, and their answers."""
    source = source_key(message_id)
    # Most messages have no captions, and a query is cheaper than a write.
    if await when_available(bot.service.captions.by_source, source):
        await delete_answers(bot, await when_available(bot.service.captions.remove_source, source))


async def delete_answers(
    bot: BotClient, removed: Iterable[CaptionView], deleted: discord.Message | None = None
) -> None:
    """Delete the messages that show removed captions, or what they show of them. deleted: is deleted already."""
    by_answer = {(caption.message, caption.reply_to.get("token")): caption for caption in removed}
    for caption in by_answer.values():
        if deleted and caption.message and parse_message_key(caption.message)[1] == deleted.id:
            continue
        key = caption.message
        remaining = await when_available(bot.service.captions.by_message, key) if key else []
        try:
            await _edit_answer(bot, caption, remaining)
        except (discord.DiscordException, *UNREACHABLE) as error:
            row = caption.row
            log.info("the answer with caption %d could not be deleted: %s", row, error, extra={"caption": row})


async def _edit_answer(bot: BotClient, removed: CaptionView, remaining: Sequence[CaptionView]) -> None:
    """Delete the message that shows a removed caption, or show only the remaining captions in it.

    An ephemeral message can be edited only until the interaction's token expires.
    """
    target = read_target(removed.reply_to)
    language = await when_available(answer_language, bot.service, removed)
    content = answer_text(remaining, language) if remaining else None
    view = answer_buttons(remaining, language) if remaining else None
    if isinstance(target, InteractionTarget) and not target.expired:
        webhook = target.webhook(bot)
        if remaining:
            await webhook.edit_message(ORIGINAL, content=content, view=view)
        else:
            await webhook.delete_message(ORIGINAL)
    elif removed.message and not (isinstance(target, InteractionTarget) and target.ephemeral):
        channel_id, message_id = parse_message_key(removed.message)
        message = bot.get_partial_messageable(channel_id).get_partial_message(message_id)
        if remaining:
            await message.edit(content=content, view=view)
        else:
            await message.delete()
