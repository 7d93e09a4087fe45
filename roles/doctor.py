"""The checks of `captionbot doctor`: everything that captionbot needs, and how to repair what is wrong."""

import contextlib
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bots.log_redaction import without_secrets
from model.errors import CaptionbotError, one_line
from roles.startup import database_errors, startup_errors
from settings.messages import without_credentials

if TYPE_CHECKING:
    from db.photo_store import PhotoStore
    from settings import Settings

TELEGRAM_TOKEN = r"\d{5,}:[\w-]{30,}"
DISCORD_TOKEN = r"[\w-]{18,}\.[\w-]{5,}\.[\w-]{25,}"
NOT_SET = "the token is not set, so this bot does not run"
PROXY_TIMEOUT = 5.0  # seconds


@dataclass(frozen=True)
class Finding:
    """The result of a check."""

    check: str
    ok: bool
    message: str  # what was found and, if it is wrong, what to do
    skipped: bool = False  # it is switched off, so there is nothing to check

    @property
    def status(self) -> str:
        """In one word: ok, skip or WRONG."""
        return "skip" if self.skipped else "ok" if self.ok else "WRONG"


class Skipped(Exception):
    """What a check is about is switched off. The text says how to switch it on."""


def diagnose(settings: "Settings") -> Iterator[Finding]:
    """Run each check. None of them creates anything. That the settings can be read is known, because they are given."""
    for name, check in CHECKS.items():
        try:
            yield Finding(name, True, without_secrets(check(settings), settings.secrets))
        except Skipped as reason:
            yield Finding(name, True, str(reason), skipped=True)
        except ModuleNotFoundError as error:
            yield Finding(name, False, f"{error.name} is not installed here: pip install -e '.[bots,worker]'")
        except CaptionbotError as error:
            yield Finding(name, False, without_secrets(str(error), settings.secrets))


def _settings(settings: "Settings") -> str:
    """What was set, as it was written, and names that are no setting but nearly one."""
    from settings.given import given_settings, misspelt_settings

    if wrong := misspelt_settings():
        raise CaptionbotError("; ".join(f"{name}: did you mean {meant}?" for name, meant in wrong.items()))
    given = ", ".join(f"{name}={value}" for name, value in given_settings(settings).items())
    return f"set: {given}" if given else "nothing is set; all have their defaults"


def _environment(settings: "Settings") -> str:
    from settings.environment import check_environment

    with startup_errors():
        check_environment(settings)
    return "no variable that libraries read is wrong"


def _secret_key(settings: "Settings") -> str:
    from bots.web.secret_key import secret_key

    if settings.embedded and not settings.secret_key and not (settings.data_dir / "secret_key").exists():
        _check_can_create(settings.data_dir, "DATA_DIR")
        return f"will be generated and stored in {settings.data_dir}"
    with startup_errors():
        secret_key(settings)
    return "set" if settings.secret_key else f"generated and stored in {settings.data_dir}"


def _telegram(settings: "Settings") -> str:
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


def _discord(settings: "Settings") -> str:
    if settings.discord_token is None:
        raise Skipped(f"DISCORD_TOKEN: {NOT_SET}")
    if not re.fullmatch(DISCORD_TOKEN, settings.discord_token.get_secret_value(), re.ASCII):
        raise CaptionbotError(
            "DISCORD_TOKEN should be three parts separated by dots: copy it from the developer portal, Bot, Reset "
            "Token (it is neither the client secret nor the public key)"
        )
    return "the token looks right"


def _languages(settings: "Settings") -> str:
    """The languages that are there, with the share of texts that are translated."""
    from bots.i18n import DEFAULT, catalogue, languages, load

    with startup_errors():
        load(settings.languages_dir)
    own = {
        code: [text.language == code for text in catalogue(code).values()] for code in languages() if code != DEFAULT
    }
    return ", ".join(["English", *(f"{code} ({sum(texts)} of {len(texts)} texts)" for code, texts in own.items())])


def _proxies(settings: "Settings") -> str:
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


def _check_can_create(folder: Path, setting: str) -> None:
    """Raise CaptionbotError if a folder that is missing could not be created. It is removed again."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CaptionbotError(f"{folder} cannot be created ({error.strerror}). Change {setting}.") from None
    finally:
        for path in missing:
            with contextlib.suppress(OSError):
                path.rmdir()


def _database(settings: "Settings") -> str:
    from db.engine import create_engine
    from db.schema import check_schema

    if not _has_database(settings):
        return "it does not exist yet; captionbot up or captionbot migrate creates it"
    with database_errors():
        engine = create_engine(settings.database_url)
        check_schema(engine)
        engine.dispose()
    return f"{without_credentials(settings.database_url)} answers and has the right tables"


def _has_database(settings: "Settings") -> bool:
    """Whether there is a database to check. Connecting to an SQLite file that does not exist would create it."""
    from db.engine import database_address

    address = database_address(settings.database_url)
    return address.drivername != "sqlite" or Path(address.database or "").exists()


def _broker(settings: "Settings") -> str:
    if settings.embedded:
        return "in memory: REDIS_URL is not set, so captionbot up, telegram and discord work, but not web and worker"
    from bots.web.health import broker_check
    from worker.job_queue import create_app

    app = create_app(settings.broker_url, settings.key_prefix, settings.broker_transport)
    address = without_credentials(settings.broker_url or "")
    try:
        broker_check(app)()
    except Exception as error:  # client libraries raise errors of many types
        raise CaptionbotError(
            f"{address} does not answer. Does it run, and is {'REDIS_URL' if settings.redis_url else 'BROKER_URL'} "
            f"right? ({one_line(error)})"
        ) from None
    return f"{address} answers"


def _photo_store(settings: "Settings") -> str:
    from db.photo_store import MARK, UnusableStore
    from db.store_state import StoreAway, StoreFull, StoreUnavailable

    if "://" not in settings.photo_store and not Path(settings.photo_store).exists():
        _check_can_create(Path(settings.photo_store), "PHOTO_STORE")
        return f"{settings.photo_store} does not exist yet; the first photo creates it"
    place = without_credentials(settings.photo_store) if "://" in settings.photo_store else settings.photo_store
    try:
        _open_store(settings).check()
    except StoreFull as error:
        raise CaptionbotError(str(error.__doc__)) from None
    except UnusableStore as error:
        raise CaptionbotError(str(error)) from None
    except StoreUnavailable as error:
        if isinstance(error, StoreAway) and MARK in str(error):
            raise CaptionbotError(
                f"{place} has none of the photos that the database knows: is the disk of PHOTO_STORE mounted? If they "
                f"are lost, make an empty file {MARK} in it, and it is taken as a new store"
            ) from None
        raise CaptionbotError(
            f"{place} cannot be written. Change its owner or PHOTO_STORE. ({one_line(error)})"
        ) from None
    if "://" in settings.photo_store:
        return f"{place} can be written"
    free = shutil.disk_usage(settings.photo_store).free / 1e9
    return f"{place} can be written, {free:.1f} GB are free"


def _open_store(settings: "Settings") -> "PhotoStore":
    from sqlalchemy.exc import SQLAlchemyError

    from db.engine import create_engine
    from db.photo_store import PhotoStore
    from db.photos import open_store

    if _has_database(settings):
        with contextlib.suppress(SQLAlchemyError):  # the check of the database reports it
            return open_store(settings.photo_store, create_engine(settings.database_url))
    return PhotoStore(settings.photo_store)


def _model(settings: "Settings") -> str:
    """Check every model folder that serves: MODEL_DIR and the promoted models."""
    from model.model_folder import load_model

    folders = [settings.model_dir, *(_promoted(settings) if _has_database(settings) else [])]
    return "; ".join(f"{load_model(folder).version} in {folder} is complete" for folder in folders)


def _promoted(settings: "Settings") -> list[Path]:
    from sqlalchemy.exc import SQLAlchemyError

    from db.engine import create_engine, sessions
    from db.model_registry import serving

    try:
        with sessions(create_engine(settings.database_url))() as session:
            current = serving(session)
    except SQLAlchemyError:  # the check of the database reports it
        return []
    return [Path(model.folder) for model in (current.stable, current.canary) if model]


def _engine(settings: "Settings") -> str:
    """Caption a grey square: only that shows whether the engine works on this processor."""
    import numpy as np

    from model.captioner import Captioner, choose_engine

    captioner = Captioner.load(settings.model_dir, settings.engine)
    size = captioner.config.photo_size
    captioner.caption([np.full((size, size, 3), 127, np.uint8)], beams=settings.beams)
    return f"{choose_engine(settings.engine)} captions a photo"


CHECKS: dict[str, Callable[["Settings"], str]] = {
    "settings": _settings,
    "environment": _environment,
    "secret key": _secret_key,
    "Telegram": _telegram,
    "Discord": _discord,
    "proxies": _proxies,
    "languages": _languages,
    "database": _database,
    "broker": _broker,
    "photo store": _photo_store,
    "model": _model,
    "engine": _engine,
}
