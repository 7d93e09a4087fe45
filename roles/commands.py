"""The commands that run captionbot: everything in one process, or each role by itself.

Heavy imports stand inside the commands, so that `captionbot --help` answers at once.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from model.errors import CaptionbotError
from roles.start import begin, in_sentences, migrated, with_database

if TYPE_CHECKING:
    from roles.parts import Parts
    from settings import Settings

app = typer.Typer()


# In an epilog \b keeps the line breaks of its paragraph.
@app.command(
    epilog="""\b
Examples:
  captionbot up
  WEB_PORT=8080 captionbot up
  TELEGRAM_TOKEN=123456:ABC captionbot up"""
)
def up() -> None:
    """Run everything in one process.

    The web page and a worker; Telegram and Discord too where their tokens are set. Needs neither Redis nor PostgreSQL.
    Ctrl-C stops it and loses nothing.
    """
    settings = begin()
    from roles.parts import Parts

    if settings.database_url.startswith("sqlite"):  # nobody else's tables
        migrated(settings)
    parts = Parts(settings)
    chosen = [parts.web(), parts.worker()]
    if settings.telegram_token:
        chosen.append(parts.telegram(needed=False))
    if settings.discord_token:
        chosen.append(parts.discord(needed=False))
    parts.run(*chosen)


@app.command(
    epilog="""\b
Examples:
  captionbot web
  WEB_HOST=0.0.0.0 captionbot web"""
)
def web() -> None:
    """Run the web page alone.

    Workers are reached over Redis.
    """
    parts = _shared(begin())
    parts.run(parts.web())


@app.command(
    epilog="""\b
Examples:
  captionbot telegram
  TELEGRAM_TOKEN=123456:ABC captionbot telegram
  TELEGRAM_WEBHOOK_URL=https://bot.example/hook TELEGRAM_WEBHOOK_SECRET=long_and_random captionbot telegram"""
)
def telegram() -> None:
    """Run the Telegram bot alone.

    Workers are reached over Redis. Without Redis one works in the same process.
    """
    settings = begin()
    if settings.telegram_token is None:
        from bots.telegram_bot import NO_TOKEN

        raise CaptionbotError(NO_TOKEN)
    _run_bot(settings, "telegram")


@app.command(
    epilog="""\b
Examples:
  captionbot discord
  captionbot discord --invite
  captionbot discord --sync"""
)
def discord(
    invite: Annotated[bool, typer.Option("--invite", help="Print the links that add the bot, and end.")] = False,
    sync: Annotated[bool, typer.Option("--sync", help="Upload the list of commands, and end.")] = False,
) -> None:
    """Run the Discord bot alone.

    Workers are reached over Redis. Without Redis one works in the same process.
    """
    settings = begin()
    import asyncio

    from bots import discord_run

    if settings.discord_token is None:
        raise CaptionbotError(discord_run.NO_TOKEN)
    if sync:
        with in_sentences():
            print(f"Discord has {asyncio.run(discord_run.sync(settings))} commands.")
    if invite:
        with in_sentences():
            server, person = asyncio.run(discord_run.invite(settings))
        print(f"For a server:  {server}\nFor yourself:  {person}")
    if not sync and not invite:
        _run_bot(settings, "discord")


@app.command(
    epilog="""\b
Examples:
  captionbot worker
  ENGINE=torch CUDA_VISIBLE_DEVICES=1 captionbot worker
  captionbot worker --check"""
)
def worker(
    check: Annotated[bool, typer.Option("--check", help="Only say whether one runs on this machine.")] = False,
) -> None:
    """Run a worker alone.

    It captions what the front-ends put into the queue. Start as many as you like, on as many machines. SIGTERM lets it
    finish what it holds.
    """
    settings = begin()
    if check:
        print(_worker_here(settings))
        return
    parts = _shared(settings)
    parts.run(parts.worker())


def _run_bot(settings: "Settings", name: str) -> None:
    """One chat bot, with a worker where no other process could have one."""
    from roles.parts import Parts

    if settings.embedded and settings.database_url.startswith("sqlite"):  # nobody else's tables
        migrated(settings)
    parts = Parts(settings)
    bot = parts.telegram(needed=True) if name == "telegram" else parts.discord(needed=True)
    parts.run(bot, *([parts.worker()] if settings.embedded else []))


def _shared(settings: "Settings") -> "Parts":
    """Raises CaptionbotError where the process would be alone."""
    if settings.embedded:
        raise CaptionbotError("REDIS_URL is not set; it should be redis://HOST:6379/0. Without it use: captionbot up")
    from roles.parts import Parts

    return Parts(settings)


def _worker_here(settings: "Settings") -> str:
    """Which one is alive on this machine, with its model. Raises CaptionbotError if none is."""
    import socket

    from bots.metrics import ALIVE
    from db.engine import create_engine, sessions
    from db.workers import alive

    with with_database(), sessions(create_engine(settings.database_url))() as session:
        found = [worker for worker in alive(session, ALIVE) if worker.versions]
    here = [worker for worker in found if worker.name.startswith(f"{socket.gethostname()}:")]
    if not here:
        raise CaptionbotError("No worker runs on this machine, or it has not loaded its model yet.")
    return "\n".join(f"{worker.name} holds {', '.join(worker.versions)}" for worker in here)
