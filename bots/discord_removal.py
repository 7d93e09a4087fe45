"""What takes answers away: the bin, and the deletion of the message with the photo."""

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import discord

from bots.discord_answers import answer_text
from bots.discord_buttons import answer_buttons
from bots.discord_places import ORIGINAL, Interaction, answer_of, parse_message, person_key
from bots.discord_talk import UNREACHABLE, acknowledge
from bots.errors import NotAllowed
from bots.views import CaptionView

if TYPE_CHECKING:
    from bots.discord_bot import CaptionBot

log = logging.getLogger(__name__)


async def remove(interaction: Interaction, id: str) -> None:
    """The bin: the caption and the photo go, the answer, and the answers of all who asked for another one."""
    if not await acknowledge(interaction, update=True):
        return
    bot, person = interaction.client, person_key(interaction.user.id)
    if (await asyncio.to_thread(bot.service.result, id, person=None)).sender != person:
        raise NotAllowed
    gone = await asyncio.to_thread(bot.service.remove, id, person=person)
    await interaction.delete_original_response()
    await take_away(bot, gone, but=interaction.message)


async def message_deleted(bot: "CaptionBot", id: int) -> None:
    """What was said about the photos of a message goes with it."""
    source = f"discord:{id}"
    if await asyncio.to_thread(bot.service.by_source, source):  # few messages are; the others cost no write
        await take_away(bot, await asyncio.to_thread(bot.service.remove_source, source))


async def take_away(bot: "CaptionBot", gone: Iterable[CaptionView], but: discord.Message | None = None) -> None:
    """Take removed captions out of the messages they stand in. but: a message that is gone already."""
    messages = {(one.message, one.reply_to.get("token")): one for one in gone}
    for caption in messages.values():
        if but and caption.message and parse_message(caption.message)[1] == but.id:
            continue
        left = await asyncio.to_thread(bot.service.by_message, caption.message) if caption.message else []
        try:
            await _rewrite(bot, caption, left)
        except (discord.DiscordException, *UNREACHABLE) as error:
            log.info("the answer to caption %d stays: %s", caption.row, error)


async def _rewrite(bot: "CaptionBot", gone: CaptionView, left: Sequence[CaptionView]) -> None:
    """Delete the message of a caption, or show what is left in it. Ephemeral ones can be reached for 15 minutes."""
    reply_to = gone.reply_to
    content = answer_text(left, reply_to["language"]) if left else None
    view = answer_buttons(left) if left else None
    if reply_to.get("token") and reply_to["until"] > time.time():
        answer = answer_of(bot, reply_to)
        if left:
            await answer.edit_message(ORIGINAL, content=content, view=view)
        else:
            await answer.delete_message(ORIGINAL)
    elif gone.message and not reply_to.get("ephemeral"):
        channel, id = parse_message(gone.message)
        message = bot.get_partial_messageable(channel).get_partial_message(id)
        if left:
            await message.edit(content=content, view=view)
        else:
            await message.delete()
