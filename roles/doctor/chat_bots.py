"""Checks of the chat bots: their tokens, the files of a Bot API server, proxies and languages."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from model.errors import CaptionbotError, one_line
from roles.doctor.findings import Skipped
from roles.startup import startup_errors
from settings.messages import without_credentials

if TYPE_CHECKING:
    from settings import Settings

TELEGRAM_TOKEN = r"\d{5,}:[\w-]{30,}"
DISCORD_TOKEN = r"[\w-]{18,}\.[\w-]{5,}\.[\w-]{25,}"
NOT_SET = "the token is not set, so this bot does not run"
PROXY_TIMEOUT = 5.0  # seconds


def check_telegram(settings: "Settings") -> str:
    if settings.telegram_token is None:
        raise Skipped(f"TELEGRAM_TOKEN: {NOT_SET}")
    if not re.fullmatch(TELEGRAM_TOKEN, settings.telegram_token.get_secret_value(), re.ASCII):
        raise CaptionbotError("TELEGRAM_TOKEN does not look like 123456789:AbC-...: copy it from @BotFather, API Token")
    ways = ["webhook" if settings.telegram_webhook_url else "polling", *_telegram_files(settings)]
    return f"the token looks right; {'; '.join(ways)}"


def _telegram_files(settings: "Settings") -> Iterator[str]:
    """How files of a Bot API server of one's own are read, if a folder is shared with it."""
    folder, token = settings.telegram_files_dir, settings.telegram_token
    if folder is None or token is None:
        return
    bot = token.get_secret_value().partition(":")[0]
    try:
        own = [path for path in folder.iterdir() if path.name.startswith((f"{bot}:", f"{bot}~"))]  # named by the token
        for path in own:
            next(path.iterdir(), None)
    except OSError as error:  # its text may show the token
        raise CaptionbotError(
            f"TELEGRAM_FILES_DIR is {folder}, which cannot be read ({error.strerror}); it should be where this machine "
            "has the folder of your Bot API server. Share it, and let this user read what the server writes"
        ) from None
    yield f"files are read from {folder}" + ("" if own else ", where this bot has none yet")


def check_discord(settings: "Settings") -> str:
    if settings.discord_token is None:
        raise Skipped(f"DISCORD_TOKEN: {NOT_SET}")
    if not re.fullmatch(DISCORD_TOKEN, settings.discord_token.get_secret_value(), re.ASCII):
        raise CaptionbotError(
            "DISCORD_TOKEN should be three parts separated by dots: copy it from the developer portal, Bot, Reset "
            "Token (it is neither the client secret nor the public key)"
        )
    return "the token looks right"


def check_proxies(settings: "Settings") -> str:
    """Connect to the proxy of each bot that runs. What it does with a request is for the bot to find out."""
    import socket
    from urllib.parse import urlsplit

    from bots.proxies import proxy_of

    bots = [(settings.telegram_token, settings.telegram_api_url), (settings.discord_token, settings.discord_api_url)]
    proxies = dict.fromkeys(proxy for token, url in bots if token and (proxy := proxy_of(url)))
    if not proxies:
        raise Skipped("no bot runs, or none uses a proxy (HTTPS_PROXY, ALL_PROXY)")
    for proxy in proxies:
        address = urlsplit(proxy)
        port = address.port or {"https": 443, "http": 80}.get(address.scheme, 1080)
        try:
            socket.create_connection((address.hostname or "", port), PROXY_TIMEOUT).close()
        except OSError as error:
            raise CaptionbotError(
                f"the proxy {without_credentials(proxy)} does not answer. Does it run, and is HTTPS_PROXY right? "
                f"({one_line(error)})"
            ) from None
    return ", ".join(f"{without_credentials(proxy)} answers" for proxy in proxies)


def check_languages(settings: "Settings") -> str:
    """The languages that are there, with the share of texts that are translated."""
    from bots.i18n import DEFAULT, catalogue, languages, load

    with startup_errors():
        load(settings.languages_dir)
    own = {
        code: [text.language == code for text in catalogue(code).values()] for code in languages() if code != DEFAULT
    }
    return ", ".join(["English", *(f"{code} ({sum(texts)} of {len(texts)} texts)" for code, texts in own.items())])
