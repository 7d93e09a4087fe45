"""Looks at everything that captionbot needs, one thing after the other, and says how to put right what is wrong."""

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from model.errors import CaptionbotError
from roles.start import in_sentences, with_database

if TYPE_CHECKING:
    from settings import Settings

TELEGRAM = r"\d{5,}:[\w-]{30,}"
DISCORD = r"[\w-]{18,}\.[\w-]{5,}\.[\w-]{25,}"
NOT_SET = "not set: it is not started"


@dataclass(frozen=True)
class Finding:
    """said: what was found; and where it is wrong, what to do."""

    what: str
    well: bool
    said: str


def diagnose(settings: "Settings") -> Iterator[Finding]:
    """A finding for each check. That there are settings says that they could be read."""
    yield Finding("settings", True, "readable")
    for what, check in CHECKS.items():
        try:
            yield Finding(what, True, check(settings))
        except ModuleNotFoundError as error:
            yield Finding(what, False, f"{error.name} is not installed here: pip install -e '.[bots,worker]'")
        except CaptionbotError as error:
            yield Finding(what, False, str(error))


def _secret_key(settings: "Settings") -> str:
    from bots.secret_key import secret_key

    with in_sentences():
        secret_key(settings)
    return "set" if settings.secret_key else f"made and kept in {settings.data_dir}"


def _telegram(settings: "Settings") -> str:
    if settings.telegram_token is None:
        return NOT_SET
    if not re.fullmatch(TELEGRAM, settings.telegram_token.get_secret_value(), re.ASCII):
        raise CaptionbotError("TELEGRAM_TOKEN does not look like 123456789:AbC-...: copy it from @BotFather, API Token")
    return f"the token looks right; {'webhook' if settings.telegram_webhook_url else 'polling'}"


def _discord(settings: "Settings") -> str:
    if settings.discord_token is None:
        return NOT_SET
    if not re.fullmatch(DISCORD, settings.discord_token.get_secret_value(), re.ASCII):
        raise CaptionbotError(
            "DISCORD_TOKEN does not look like three parts with dots between: copy it from the developer portal, Bot, "
            "Reset Token (it is neither the client secret nor the public key)"
        )
    return "the token looks right"


def _database(settings: "Settings") -> str:
    from sqlalchemy import make_url

    from db.engine import create_engine
    from db.schema import check_schema

    if not _has_database(settings):
        return "captionbot up will make it, or captionbot migrate"
    with with_database():
        engine = create_engine(settings.database_url)
        check_schema(engine)
        engine.dispose()
    return f"{make_url(settings.database_url).render_as_string()} answers and has the right tables"


def _has_database(settings: "Settings") -> bool:
    """SQLite would make a file that is not there yet."""
    path = settings.database_url.removeprefix("sqlite:///")
    return path == settings.database_url or Path(path).exists()


def _broker(settings: "Settings") -> str:
    if settings.embedded:
        return "in memory: REDIS_URL is not set, so only captionbot up works"
    from bots.web_health import broker_of
    from worker.app import create_app

    app = create_app(settings.broker_url, settings.key_prefix)
    address = app.connection_for_read().as_uri()  # hides the password
    try:
        broker_of(app)()
    except Exception as error:  # whatever a client library raises
        reason = " ".join(str(error).split())
        raise CaptionbotError(
            f"{address} does not answer. Does it run, and is {'REDIS_URL' if settings.redis_url else 'BROKER_URL'} "
            f"right? ({reason})"
        ) from None
    return f"{address} answers"


def _photo_store(settings: "Settings") -> str:
    from db.photo_store import PhotoStore, StoreFull

    try:
        PhotoStore(settings.photo_store).check()
    except StoreFull as error:
        raise CaptionbotError(str(error.__doc__)) from None
    except (OSError, ImportError, ValueError) as error:
        raise CaptionbotError(
            f"{settings.photo_store} cannot be written. Change its owner or PHOTO_STORE. ({error})"
        ) from None
    if "://" in settings.photo_store:
        return f"{settings.photo_store} can be written"
    free = shutil.disk_usage(settings.photo_store).free / 1e9
    return f"{settings.photo_store} can be written, {free:.1f} GB are free"


def _model(settings: "Settings") -> str:
    """Of all folders that serve, whether they are there and whole."""
    from model.checkpoint import load_model

    folders = [settings.model_dir, *(_promoted(settings) if _has_database(settings) else [])]
    return "; ".join(f"{load_model(folder).version} in {folder} is whole" for folder in folders)


def _promoted(settings: "Settings") -> list[Path]:
    from sqlalchemy.exc import SQLAlchemyError

    from db.engine import create_engine, sessions
    from db.model_registry import serving

    try:
        with sessions(create_engine(settings.database_url))() as session:
            now = serving(session)
    except SQLAlchemyError:  # another line says so
        return []
    return [Path(model.folder) for model in (now.stable, now.canary) if model]


def _engine(settings: "Settings") -> str:
    """Captions a grey square: only then is it known that the engine works on this processor."""
    import numpy as np

    from model.captioner import Captioner, choose_engine

    captioner = Captioner.load(settings.model_dir, settings.engine)
    size = captioner.config.photo_size
    captioner.caption([np.full((size, size, 3), 127, np.uint8)], beams=settings.beams)
    return f"{choose_engine(settings.engine)} captions a photo"


CHECKS: dict[str, Callable[["Settings"], str]] = {
    "secret key": _secret_key,
    "Telegram": _telegram,
    "Discord": _discord,
    "database": _database,
    "broker": _broker,
    "photo store": _photo_store,
    "model": _model,
    "engine": _engine,
}
