"""Runs `captionbot discord` as a process, on the local Discord server."""

from pathlib import Path
from typing import Any

from tests.support.discord_server import DiscordServer
from tests.support.processes import PATIENCE, Process


def bot_of(discord: DiscordServer) -> dict[str, Any]:
    """Settings for an Installation."""
    return {
        "discord_token": discord.token,
        "discord_api_url": discord.api,
        "discord_gateway_url": discord.gateway.url,
    }


async def ready(discord: DiscordServer, bot: Process, *, worker: bool = False) -> None:
    """Wait until the bot is connected. worker: and until the worker in the same process is ready."""

    def is_ready() -> bool:
        assert bot.is_running(), bot.log
        connected = bool(discord.commands) and any(session.socket for session in discord.gateway.sessions.values())
        return connected and (not worker or "the worker is ready" in bot.log)

    await discord.until(is_ready, PATIENCE)


def held_up(bot: Process) -> float:
    """Seconds for which the process was ready to run but waited for a processor; 0 where Linux does not report it."""
    schedstat = Path(f"/proc/{bot._process.pid}/schedstat")
    return int(schedstat.read_text().split()[1]) / 1e9 if schedstat.exists() else 0.0
