"""The buttons under answers. They work after a restart: all that a click needs is in the button's id."""

import re
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self, TypeAlias

import discord
from discord import ui

from bots.discord_places import Interaction
from bots.discord_talk import tell
from bots.views import CaptionView, VoteCount

# What a button does: gets the interaction, not yet acknowledged, and the caption's id or "".
Action: TypeAlias = Callable[[Interaction, str], Awaitable[None]]


class ActionButton(ui.DynamicItem[ui.Button[Any]], template=r"do:(?P<name>[a-z-]+):(?P<id>[\w-]{0,22})"):
    """A button that does one of the bot's actions."""

    def __init__(
        self,
        name: str,
        id: str = "",
        *,
        emoji: str | None = None,
        label: str | None = None,
        style: discord.ButtonStyle = discord.ButtonStyle.secondary,
    ):
        super().__init__(ui.Button(style=style, emoji=emoji, label=label, custom_id=f"do:{name}:{id}"))
        self.name, self.caption = name, id

    @classmethod
    async def from_custom_id(  # type: ignore[override]  # of our own client
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(match["name"], match["id"], label="-")

    async def callback(self, interaction: Interaction) -> None:  # type: ignore[override]
        try:
            await interaction.client.actions[self.name](interaction, self.caption)
        except Exception as error:
            await tell(interaction, error)


def view_of(*items: ActionButton) -> ui.View:
    view = ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    return view


def caption_buttons(id: str, votes: VoteCount) -> ui.View:
    """What one can do with a caption: thumbs with their counts, another one, a better one, the bin."""
    return view_of(
        ActionButton("up", id, emoji="👍", label=str(votes.up) if votes.up else None),
        ActionButton("down", id, emoji="👎", label=str(votes.down) if votes.down else None),
        ActionButton("another", id, emoji="🔁"),
        ActionButton("correct", id, emoji="✏️"),
        ActionButton("remove", id, emoji="🗑️"),
    )


def answer_buttons(captions: Sequence[CaptionView]) -> ui.View | None:
    """Those of the one caption, or a numbered button for each: it shows that one with its own buttons."""
    done = [caption for caption in captions if caption.text is not None]
    if not done:
        return None
    if not done[0].reply_to.get("number"):
        return caption_buttons(done[0].id, done[0].votes)
    return view_of(*(ActionButton("pick", one.id, label=str(one.reply_to["number"])) for one in done))
