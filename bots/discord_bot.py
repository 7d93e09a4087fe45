"""The Discord bot: what it listens to and who answers. The table of contents of bots/discord_*.py.

Gateway and API addresses are set on discord.py's classes, which know no other way.
"""

import asyncio
import logging
from typing import TYPE_CHECKING

import discord
import yarl

from bots import discord_commands, discord_corrections, discord_messages, discord_people, discord_removal, discord_votes
from bots.delivery import Deliveries
from bots.discord_another import another
from bots.discord_buttons import Action, ActionButton
from bots.discord_delivery import send
from bots.discord_intake import Intake
from bots.discord_places import Interaction
from bots.discord_talk import UNREACHABLE, Hurry
from bots.discord_tree import create_tree, upload_if_changed
from bots.service import CaptionService

if TYPE_CHECKING:
    from settings import Settings

log = logging.getLogger(__name__)

ACTIONS: dict[str, Action] = {  # of buttons; messages of any age name them
    "up": discord_votes.up,
    "down": discord_votes.down,
    "another": another,
    "correct": discord_corrections.open_form,
    "remove": discord_removal.remove,
    "pick": discord_commands.pick,
    "consent-yes": discord_votes.agree,
    "consent-no": discord_votes.decline,
    "forget": discord_people.forget_all,
}
LONGEST_WAIT = 30.0  # seconds for a rate limit; beyond that an answer is put off, so that others get their turn


def create_bot(service: CaptionService | None = None, settings: "Settings | None" = None) -> "CaptionBot":
    """A fresh bot, not yet started: `await bot.start(token)`. Makes what is not given from the settings."""
    if settings is None:
        from settings import read_settings

        settings = read_settings()
    if service is None:
        from bots.service_setup import create_service

        service = create_service(settings)
    return CaptionBot(service, settings)


def prepare(settings: "Settings") -> None:
    """Addresses for all clients of this process that are made from now on; and what discord.py need not say."""
    discord.http.Route.BASE = settings.discord_api_url
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.discord_gateway_url)
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # it never speaks
    for name in ("discord.client", "discord.shard"):
        logging.getLogger(name).addFilter(without_traceback)


def without_traceback(record: logging.LogRecord) -> bool:
    """A network that is away is one line, however often discord.py tries again."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, UNREACHABLE):
        record.msg, record.args = f"{record.getMessage()} ({error or type(error).__name__})", ()
        record.exc_info = None
    return True


def intents(message_content: bool) -> discord.Intents:
    """As little as will do: servers and channels, messages in them and in private, reactions to them."""
    return discord.Intents(guilds=True, messages=True, reactions=True, message_content=message_content)


class CaptionBot(discord.AutoShardedClient):
    def __init__(self, service: CaptionService, settings: "Settings"):
        prepare(settings)
        super().__init__(
            intents=intents(settings.discord_message_content),
            shard_count=settings.discord_shards or None,  # None: as many as Discord recommends
            allowed_mentions=discord.AllowedMentions.none(),
            max_ratelimit_timeout=LONGEST_WAIT,
            # Nothing is remembered of messages and members: what is needed comes with the events.
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
        )
        self.service, self.settings = service, settings
        self.hurry = Hurry()
        self.intake = Intake(service, self.hurry, int(settings.max_photo_mb * 1e6))
        self.tree, self.actions = create_tree(self), ACTIONS
        self._deliveries = Deliveries(service, "discord", service.wakes)
        self._tasks: set[asyncio.Task[None]] = set()

    async def setup_hook(self) -> None:
        """After the token was accepted, before the first event. `close` closes what is opened here."""
        await self.intake.open()
        self.add_dynamic_items(ActionButton)
        self._tasks = {
            asyncio.create_task(self._deliveries.run(lambda delivery: send(self, delivery))),
            asyncio.create_task(upload_if_changed(self.tree, self.settings)),
        }

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.intake.close()
        await super().close()

    async def on_interaction(self, interaction: Interaction) -> None:
        await discord_corrections.on_interaction(interaction)

    async def on_message(self, message: discord.Message) -> None:
        await discord_messages.on_message(self, message)

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        await discord_votes.count_reaction(self, payload)

    async def on_raw_reaction_remove(self, payload: discord.RawReactionActionEvent) -> None:
        await discord_votes.count_reaction(self, payload)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        await discord_removal.message_deleted(self, payload.message_id)

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        for id in payload.message_ids:
            await discord_removal.message_deleted(self, id)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await asyncio.to_thread(self.service.left_chat, f"discord:{guild.id}")

    async def on_guild_join(self, guild: discord.Guild) -> None:
        await asyncio.to_thread(self.service.set_chat, f"discord:{guild.id}")
