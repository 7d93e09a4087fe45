"""Runs the Telegram bot, by long polling or behind a webhook. Errors at the start are explained in one sentence."""

import asyncio
import logging
from urllib.parse import urlsplit

from starlette.applications import Starlette
from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError
from telegram.ext import Updater

from bots.errors import CannotStart
from bots.http.server import listen
from bots.http.server import serve as serve_http
from bots.proxies import through_proxy
from bots.telegram.app import ALLOWED_UPDATES, TelegramApplication
from bots.telegram.failures import seconds_until_retry
from bots.telegram.rate_limiter import retry_after_seconds
from bots.telegram.webhook import create_webhook
from settings import Settings
from settings.messages import without_credentials

log = logging.getLogger(__name__)

WEBHOOK_CONNECTIONS = 40  # that Telegram may open at the same time


async def serve(application: TelegramApplication, settings: Settings) -> None:
    """Run until cancelled. Raises CannotStart for errors that the operator can correct."""
    listening = None
    try:
        await application.initialize()
        if settings.telegram_webhook_url is None:
            await _updater(application).start_polling(allowed_updates=ALLOWED_UPDATES)
        else:
            listening = listen(settings.telegram_webhook_host, settings.telegram_webhook_port)
            await _set_webhook(application, settings)
    except (TelegramError, OSError) as error:
        if listening is not None:
            listening.close()
        await application.shutdown()
        raise CannotStart(explain(error, settings)) from None
    try:
        await application.start()
        log.info("https://t.me/%s listens", application.bot.username)
        if listening is None:
            await asyncio.Event().wait()
        else:
            await serve_http(_webhook(application, settings), listening)
    finally:
        if listening is None:
            await _updater(application).stop()
        await application.stop()
        await application.shutdown()


def _updater(application: TelegramApplication) -> Updater:
    assert application.updater is not None
    return application.updater


def _webhook(application: TelegramApplication, settings: Settings) -> Starlette:
    return create_webhook(application, urlsplit(settings.telegram_webhook_url or "").path, _secret(settings))


async def _set_webhook(application: TelegramApplication, settings: Settings) -> None:
    """Tell Telegram where this bot listens. The socket accepts connections already."""
    assert settings.telegram_webhook_url is not None
    await application.bot.set_webhook(
        settings.telegram_webhook_url,
        secret_token=_secret(settings),
        allowed_updates=ALLOWED_UPDATES,
        max_connections=WEBHOOK_CONNECTIONS,
    )


def _secret(settings: Settings) -> str:
    assert settings.telegram_webhook_secret is not None, "the settings require a secret for a webhook"
    return settings.telegram_webhook_secret.get_secret_value()


def explain(error: Exception, settings: Settings) -> str:
    """What is wrong and what to do, without the token, which the library's own messages may contain."""
    api = without_credentials(settings.telegram_api_url)
    if isinstance(error, InvalidToken) and "not found" in str(error.__cause__ or error).lower():  # any 404 is one
        return f"{api} refuses TELEGRAM_TOKEN or is no Bot API server. Is the token whole? Is TELEGRAM_API_URL right?"
    if isinstance(error, (InvalidToken, Forbidden)):
        return f"{api} refuses TELEGRAM_TOKEN. @BotFather shows the right one: /mybots, API Token."
    if isinstance(error, RetryAfter):
        return f"Telegram asks this bot to wait for {retry_after_seconds(error):.0f} s. Start it again then."
    if isinstance(error, BadRequest) and seconds_until_retry(error) is None:
        return f"Telegram refuses TELEGRAM_WEBHOOK_URL: {error}"
    if isinstance(error, NetworkError):
        place = f"{api}{through_proxy(settings.telegram_api_url)}"
        return f"Telegram cannot be reached at {place}. Is this machine online? Is TELEGRAM_API_URL right?"
    if isinstance(error, OSError):
        port = f"{settings.telegram_webhook_host}:{settings.telegram_webhook_port}"
        return f"The webhook cannot listen on {port}: {error.strerror}. Change TELEGRAM_WEBHOOK_PORT or _HOST."
    return f"Telegram does not let this bot start: {error}"
