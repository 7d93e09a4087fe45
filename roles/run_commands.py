"""The commands that run captionbot: everything in one process, or each role in a process of its own.

Heavy imports are inside the commands, so that `captionbot --help` starts quickly.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from model.errors import CaptionbotError
from roles.startup import configure, database_errors, migrate_database, startup_errors

if TYPE_CHECKING:
    from roles.process import Process
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

    That is the web page and a worker, and the Telegram and Discord bots if their tokens are set. It needs neither Redis
    nor PostgreSQL. Ctrl-C stops it; photos that wait are captioned after the next start.
    """
    settings = configure()
    from roles.process import Process

    if settings.database_url.startswith("sqlite"):  # no other process uses its tables
        migrate_database(settings)
    process = Process(settings)
    components = [process.web(), process.worker()]
    if settings.telegram_token:
        components.append(process.telegram(required=False))
    if settings.discord_token:
        components.append(process.discord(required=False))
    process.run(*components)


@app.command(
    epilog="""\b
Examples:
  captionbot web
  WEB_HOST=0.0.0.0 captionbot web"""
)
def web() -> None:
    """Run the web page alone.

    Workers get the photos through Redis.
    """
    process = _distributed(configure())
    process.run(process.web())


@app.command(
    epilog="""\b
Examples:
  captionbot telegram
  TELEGRAM_TOKEN=123456:ABC captionbot telegram
  TELEGRAM_WEBHOOK_URL=https://bot.example/hook TELEGRAM_WEBHOOK_SECRET=long_and_random captionbot telegram"""
)
def telegram() -> None:
    """Run the Telegram bot alone.

    Workers get the photos through Redis. Without Redis, a worker runs in the same process.
    """
    settings = configure()
    if settings.telegram_token is None:
        from bots.telegram.app import NO_TOKEN

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
    invite: Annotated[bool, typer.Option("--invite", help="Print the links that add the bot, and exit.")] = False,
    sync: Annotated[bool, typer.Option("--sync", help="Upload the list of commands to Discord, and exit.")] = False,
) -> None:
    """Run the Discord bot alone.

    Workers get the photos through Redis. Without Redis, a worker runs in the same process.
    """
    settings = configure()
    import asyncio

    from bots.discord import run

    if settings.discord_token is None:
        raise CaptionbotError(run.NO_TOKEN)
    if sync or invite:
        from settings.environment import check_environment

        with startup_errors():
            check_environment(settings)
    if sync:
        with startup_errors():
            print(f"Discord has {asyncio.run(run.sync(settings))} commands.")
    if invite:
        with startup_errors():
            server, person = asyncio.run(run.invite(settings))
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
    check: Annotated[
        bool, typer.Option("--check", help="Only check whether a worker runs on this machine, and exit.")
    ] = False,
) -> None:
    """Run a worker alone.

    It captions the photos that the front-ends put into the queue. Start as many as you like, on as many machines as you
    like. SIGTERM stops a worker after it has finished the photos it holds.
    """
    settings = configure()
    if check:
        print(_workers_here(settings))
        return
    process = _distributed(settings)
    process.run(process.worker())


def _run_bot(settings: "Settings", name: str) -> None:
    """Run one chat bot. Without a broker no worker in another process can be reached, so one runs in this process."""
    from roles.process import Process

    if settings.embedded and settings.database_url.startswith("sqlite"):  # no other process uses its tables
        migrate_database(settings)
    process = Process(settings)
    bot = process.telegram(required=True) if name == "telegram" else process.discord(required=True)
    process.run(bot, *([process.worker()] if settings.embedded else []))


def _distributed(settings: "Settings") -> "Process":
    """A process that works with others. Raises CaptionbotError if there is no broker to reach them."""
    if settings.embedded:
        raise CaptionbotError("REDIS_URL is not set; it should be redis://HOST:6379/0. Without it use: captionbot up")
    from roles.process import Process

    return Process(settings)


def _workers_here(settings: "Settings") -> str:
    """The workers that are alive on this machine, with their models. Raises CaptionbotError if there is none."""
    import socket

    from db.engine import create_engine, sessions
    from db.workers import alive

    with database_errors(), sessions(create_engine(settings.database_url))() as session:
        loaded = [worker for worker in alive(session) if worker.versions]
    here = [worker for worker in loaded if worker.name.startswith(f"{socket.gethostname()}:")]
    if not here:
        raise CaptionbotError("No worker runs on this machine, or it has not loaded its model yet.")
    return "\n".join(f"{worker.name} holds {', '.join(worker.versions)}" for worker in here)
