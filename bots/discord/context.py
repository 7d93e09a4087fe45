"""What all handlers of the Discord bot work with."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import discord

from bots.discord.acknowledgements import PendingAcknowledgements
from bots.discord.submissions import Submissions
from bots.service.service import CaptionService
from settings import Settings


class BotClient(discord.AutoShardedClient):
    """The part of the bot that handlers use. client.py implements it."""

    service: CaptionService
    settings: Settings
    acknowledgements: PendingAcknowledgements
    submissions: Submissions
    actions: "dict[str, Action]"  # of buttons, by the action in their custom ids


Interaction: TypeAlias = discord.Interaction[BotClient]

# The handler of a button. It receives the interaction, not yet acknowledged, and the caption's public id or "".
Action: TypeAlias = Callable[[Interaction, str], Awaitable[None]]
