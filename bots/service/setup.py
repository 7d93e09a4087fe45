"""Creates the service from the settings."""

from collections.abc import Callable
from functools import partial

from bots.service.base import Backend
from bots.service.rate_limits import RateLimits
from bots.service.service import CaptionService
from bots.service.views import Policy
from db.engine import create_engine
from db.photos import open_store
from db.schema import check_schema
from settings import Settings
from worker.job_queue import Notifier, create_app, create_notifier, send


def create_service(
    settings: Settings, *, enqueue: Callable[[int], None] | None = None, notifier: Notifier | None = None
) -> CaptionService:
    """Connect to the database, the photo store and the queue.

    Args:
        enqueue, notifier: those of a worker in the same process; None uses the broker and Redis.

    Raises:
        OldSchema: the database must be migrated first.
        NewSchema: a newer version of captionbot migrated the database.
    """
    engine = create_engine(settings.database_url)
    check_schema(engine)
    backend = Backend(
        engine,
        open_store(settings.photo_store, engine),
        enqueue or partial(send, create_app(settings.broker_url, settings.key_prefix, settings.broker_transport)),
        limits=RateLimits(settings.rate_limit, settings.redis_url, settings.key_prefix),
        policy=policy_of(settings),
        notifier=notifier or create_notifier(settings.redis_url, settings.key_prefix),
    )
    return CaptionService(backend)


def policy_of(settings: Settings) -> Policy:
    """The limits and retention times in the settings."""
    return Policy(
        beams=settings.beams,
        max_bytes=settings.max_photo_bytes,
        max_pixels=settings.max_pixels,
        queue_limit=settings.queue_limit,
        person_queue_limit=settings.person_queue_limit,
        chat_queue_limit=settings.chat_queue_limit,
        retention=settings.retention_hours * 3600,
        feedback_retention=settings.feedback_retention_days * 86400,
        admins=frozenset(settings.admin_ids),
        exports=settings.data_dir / "exports",
        label_captions=settings.label_captions,
    )
