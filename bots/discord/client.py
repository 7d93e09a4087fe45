"""The Discord client: its settings, the events it listens to, and the handler of each.

discord.py has no public setting for the URLs of the API and the gateway, so `prepare` sets attributes of its classes.
"""

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING

import discord
import yarl

from bots import i18n
from bots.delivery_loop import DeliveryLoop
from bots.discord import account, commands, corrections, messages, removal, votes
from bots.discord.acknowledgements import PendingAcknowledgements
from bots.discord.buttons import ActionButton
from bots.discord.command_tree import create_tree, upload_if_changed
from bots.discord.context import Action, BotClient, Interaction
from bots.discord.delivery import send
from bots.discord.failures import UNREACHABLE
from bots.discord.keys import FRONT_END, server_key
from bots.discord.removal import delete_answers
from bots.discord.submissions import Submissions
from bots.errors import CannotStart
from bots.proxies import proxy_of
from bots.service.outages import when_available
from bots.service.service import CaptionService

if TYPE_CHECKING:
    from settings import Settings

log = logging.getLogger(__name__)

TESTED_SERIES = "2.7."  # of discord.py: `prepare` sets attributes that another series may not have

ACTIONS: dict[str, Action] = {  # of buttons; custom ids in messages that were already sent contain these names
    "up": votes.up,
    "down": votes.down,
    "another": commands.another,
    "correct": corrections.open_modal,
    "remove": removal.remove,
    "pick": commands.pick,
    "consent-yes": votes.agree,
    "consent-no": votes.decline,
    "forget": account.confirm_forget,
    "privacy": account.more_privacy,
}
MAX_RATE_LIMIT_WAIT = (
    30.0  # seconds; an answer that would have to wait longer is retried later, so that others go first
)


def create_bot(service: CaptionService | None = None, settings: "Settings | None" = None) -> "CaptionBot":
    """Create a bot that is not yet started: `await bot.start(token)`. Reads the settings unless they are given."""
    if settings is None:
        from settings import read_settings

        settings = read_settings()
    if service is None:
        from bots.service.setup import create_service

        service = create_service(settings)
    return CaptionBot(service, settings)


def prepare(settings: "Settings") -> None:
    """Before a client is made: load the languages, set the URLs of API and gateway, and shorten discord.py's logs.

    Raises:
        CannotStart: one of the URLs is configured and the installed discord.py is not of the tested series.
        BadTranslation: a translation cannot be used.
    """
    i18n.load(settings.languages_dir)
    if discord.__version__.startswith(TESTED_SERIES):
        discord.http.Route.BASE = settings.discord_api_url
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.discord_gateway_url)
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # captionbot joins no voice channels
    elif {"discord_api_url", "discord_gateway_url"} & settings.model_fields_set:
        raise CannotStart(
            f"DISCORD_API_URL and DISCORD_GATEWAY_URL work with discord.py {TESTED_SERIES}x; "
            f"{discord.__version__} is installed. Install that series, or remove these settings."
        )
    for name in ("discord.client", "discord.shard"):
        logging.getLogger(name).addFilter(without_traceback)


def without_traceback(record: logging.LogRecord) -> bool:
    """Logging filter: network failures in one line. discord.py logs a traceback at each attempt to reconnect."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, UNREACHABLE):
        record.msg, record.args = f"{record.getMessage()} ({error or type(error).__name__})", ()
        record.exc_info = None
    return True


def intents(message_content: bool) -> discord.Intents:
    """The fewest intents that suffice: servers and channels, messages in them and in private, reactions to messages."""
    return discord.Intents(guilds=True, messages=True, reactions=True, message_content=message_content)


class CaptionBot(BotClient):
    """The client with all of its handlers, and the loop that delivers captions."""

    def __init__(self, service: CaptionService, settings: "Settings"):
        prepare(settings)
        super().__init__(
            intents=intents(settings.discord_message_content),
            shard_count=settings.discord_shards or None,  # None: the number that Discord recommends
            allowed_mentions=discord.AllowedMentions.none(),
            max_ratelimit_timeout=MAX_RATE_LIMIT_WAIT,
            # Messages and members are not cached: events carry what handlers need.
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            proxy=proxy_of(settings.discord_api_url),
        )
        self.service, self.settings = service, settings
        self.acknowledgements = PendingAcknowledgements()
        self.submissions = Submissions(service, self.acknowledgements, settings.max_photo_bytes)
        self.tree, self.actions = create_tree(self), ACTIONS
        self._deliveries = DeliveryLoop(service, FRONT_END, service.notifier)
        self._tasks: set[asyncio.Task[None]] = set()

    async def setup_hook(self) -> None:
        """Called by discord.py after the login, before the first event. `close` ends what is started here."""
        await self.submissions.open()
        self.add_dynamic_items(ActionButton)
        self._tasks = {
            asyncio.create_task(self._deliveries.run(partial(send, self), partial(delete_answers, self))),
            asyncio.create_task(upload_if_changed(self.tree, self.settings)),
        }

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.submissions.close()
        await super().close()

    async def on_interaction(self, interaction: Interaction) -> None:
        await corrections.on_interaction(interaction)

    async def on_message(self, message: discord.Message) -> None:
        await messages.on_message(self, message)

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        await votes.count_reaction(self, payload)

    async def on_raw_reaction_remove(self, payload: discord.RawReactionActionEvent) -> None:
        await votes.count_reaction(self, payload)

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        await removal.message_deleted(self, payload.message_id)

    async def on_raw_bulk_message_delete(self, payload: discord.RawBulkMessageDeleteEvent) -> None:
        for message_id in payload.message_ids:
            await removal.message_deleted(self, message_id)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        await when_available(self.service.chats.leave, server_key(guild.id))

    async def on_guild_join(self, guild: discord.Guild) -> None:
        await when_available(self.service.chats.change, server_key(guild.id))
