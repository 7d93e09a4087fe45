"""Runs the Telegram bot, by polling or by webhook; says in a sentence what keeps it from starting."""

import asyncio
import logging
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError

from bots.errors import CannotStart
from bots.telegram_bot import ALLOWED_UPDATES, TelegramApplication
from bots.telegram_intake import seconds_of

if TYPE_CHECKING:
    from settings import Settings

log = logging.getLogger(__name__)

CONNECTIONS = 40  # that Telegram opens to a webhook at the same time


async def serve(application: TelegramApplication, settings: "Settings") -> None:
    """Run until cancelled. Raises CannotStart for what a person has to put right."""
    try:
        await application.initialize()
        assert application.updater is not None
        await _listen(application, settings)
    except (TelegramError, OSError) as error:
        await application.shutdown()
        raise CannotStart(in_a_sentence(error, settings)) from None
    try:
        await application.start()
        log.info("https://t.me/%s listens", application.bot.username)
        await asyncio.Event().wait()
    finally:
        await application.updater.stop()
        await application.stop()
        await application.shutdown()


async def _listen(application: TelegramApplication, settings: "Settings") -> None:
    assert application.updater is not None
    if settings.telegram_webhook_url is None:
        await application.updater.start_polling(allowed_updates=ALLOWED_UPDATES)
        return
    assert settings.telegram_webhook_secret is not None, "the settings need it with a webhook"
    await application.updater.start_webhook(
        listen=settings.telegram_webhook_host,
        port=settings.telegram_webhook_port,
        url_path=urlsplit(settings.telegram_webhook_url).path,
        webhook_url=settings.telegram_webhook_url,
        secret_token=settings.telegram_webhook_secret.get_secret_value(),
        allowed_updates=ALLOWED_UPDATES,
        max_connections=CONNECTIONS,
    )


def in_a_sentence(error: Exception, settings: "Settings") -> str:
    """What is wrong, and what to do. Never with the token, which the library's own words may hold."""
    api = settings.telegram_api_url
    if isinstance(error, (InvalidToken, Forbidden)):
        return f"{api} refuses TELEGRAM_TOKEN. @BotFather shows the right one: /mybots, API Token."
    if isinstance(error, RetryAfter):
        return f"Telegram asks this bot to wait for {seconds_of(error):.0f} s. Start it again then."
    if isinstance(error, BadRequest):
        return f"Telegram refuses TELEGRAM_WEBHOOK_URL: {error}"
    if isinstance(error, NetworkError):
        return f"Telegram cannot be reached at {api}. Is this machine online? Is TELEGRAM_API_URL right?"
    if isinstance(error, OSError):
        port = f"{settings.telegram_webhook_host}:{settings.telegram_webhook_port}"
        return f"The webhook cannot listen on {port}: {error.strerror}. Change TELEGRAM_WEBHOOK_PORT or _HOST."
    return f"Telegram does not let this bot start: {error}"
