"""Checks of where things are kept: the database, the broker and the photo store."""

import contextlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from model.errors import CaptionbotError, one_line
from roles.doctor.findings import check_can_create
from roles.startup import database_errors
from settings.messages import without_credentials

if TYPE_CHECKING:
    from db.photo_store import PhotoStore
    from settings import Settings


def check_database(settings: "Settings") -> str:
    from db.engine import create_engine
    from db.schema import check_schema

    if not has_database(settings):
        return "it does not exist yet; captionbot up or captionbot migrate creates it"
    with database_errors():
        engine = create_engine(settings.database_url)
        check_schema(engine)
        engine.dispose()
    return f"{without_credentials(settings.database_url)} answers and has the right tables"


def has_database(settings: "Settings") -> bool:
    """Whether there is a database to check. Connecting to an SQLite file that does not exist would create it."""
    from db.engine import database_address

    address = database_address(settings.database_url)
    return address.drivername != "sqlite" or Path(address.database or "").exists()


def check_broker(settings: "Settings") -> str:
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


def check_photo_store(settings: "Settings") -> str:
    from db.photo_store import MARK, UnusableStore
    from db.store_state import StoreAway, StoreFull, StoreUnavailable

    if "://" not in settings.photo_store and not Path(settings.photo_store).exists():
        check_can_create(Path(settings.photo_store), "PHOTO_STORE")
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

    if has_database(settings):
        with contextlib.suppress(SQLAlchemyError):  # the check of the database reports it
            return open_store(settings.photo_store, create_engine(settings.database_url))
    return PhotoStore(settings.photo_store)
