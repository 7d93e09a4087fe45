"""captionbot discord in a process of its own, on the small Discord server."""

from pathlib import Path
from typing import Any

from discord_server import DiscordServer
from processes import PATIENCE, Process


def bot_of(discord: DiscordServer) -> dict[str, Any]:
    """Settings for an Installation."""
    return {
        "discord_token": discord.token,
        "discord_api_url": discord.api,
        "discord_gateway_url": discord.gateway.url,
    }


async def ready(discord: DiscordServer, bot: Process, *, worker: bool = False) -> None:
    """Until it listens; worker: and until the worker in the same process is ready."""

    def look() -> bool:
        assert bot.runs(), bot.log
        listens = bool(discord.commands) and any(session.socket for session in discord.gateway.sessions.values())
        return listens and (not worker or "the worker is ready" in bot.log)

    await discord.until(look, PATIENCE)


def held_up(bot: Process) -> float:
    """Seconds for which its event loop could have run, but something else on this machine did. Linux tells."""
    told = Path(f"/proc/{bot._process.pid}/schedstat")
    return int(told.read_text().split()[1]) / 1e9 if told.exists() else 0.0
