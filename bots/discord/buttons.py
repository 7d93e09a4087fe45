"""The buttons under answers. They still work after a restart, because their custom id has all that a handler needs."""

import re
from collections.abc import Sequence
from typing import Any, Self

import discord
from discord import ui

from bots.discord.context import Interaction
from bots.discord.keys import BUTTON_PATTERN, button_id
from bots.discord.replies import report_error
from bots.discord.reply_target import read_target
from bots.i18n import say
from bots.service.views import CaptionView, VoteCount

EMOJI = {"up": "👍", "down": "👎", "another": "🔁", "correct": "✏️", "remove": "🗑️"}  # of the actions for a caption


class ActionButton(ui.DynamicItem[ui.Button[Any]], template=BUTTON_PATTERN):
    """A button that calls one of the bot's actions, for one caption or for none."""

    def __init__(
        self,
        action: str,
        caption: str = "",
        *,
        emoji: str | None = None,
        label: str | None = None,
        style: discord.ButtonStyle = discord.ButtonStyle.secondary,
    ):
        super().__init__(ui.Button(style=style, emoji=emoji, label=label, custom_id=button_id(action, caption)))
        self.action, self.caption = action, caption

    @classmethod
    async def from_custom_id(  # type: ignore[override]  # Interaction is that of our own client
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(match["action"], match["caption"], label="-")  # only its callback is used

    async def callback(self, interaction: Interaction) -> None:  # type: ignore[override]
        try:
            await interaction.client.actions[self.action](interaction, self.caption)
        except Exception as error:
            await report_error(interaction, error)


def view_of(*items: ActionButton) -> ui.View:
    """A persistent view: it does not time out."""
    view = ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    return view


def caption_buttons(id: str, votes: VoteCount, language: str) -> ui.View:
    """The buttons of one caption: votes with their counts, another caption, correct, remove."""
    counts = {"up": votes.up, "down": votes.down}
    return view_of(
        *(
            ActionButton(
                action,
                id,
                emoji=emoji,
                label=f"{say(language, f'discord.button_{action}')} {counts.get(action) or ''}".strip(),
            )
            for action, emoji in EMOJI.items()
        )
    )


def answer_buttons(captions: Sequence[CaptionView], language: str) -> ui.View | None:
    """The buttons of an answer with these captions; None if none succeeded.

    A single caption has its own buttons. Several have a numbered button each, which shows that caption with its own.
    """
    described = [caption for caption in captions if caption.text is not None]
    if not described:
        return None
    numbers = [read_target(caption.reply_to).number for caption in described]
    if not numbers[0]:
        return caption_buttons(described[0].id, described[0].votes, language)
    return view_of(
        *(
            ActionButton("pick", caption.id, label=str(number))
            for caption, number in zip(described, numbers, strict=True)
        )
    )
