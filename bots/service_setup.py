"""The service as the settings want it."""

from collections.abc import Callable
from functools import partial

from bots.limits import Limits
from bots.service import CaptionService
from bots.views import Policy
from db.engine import create_engine, sessions
from db.photo_store import PhotoStore
from db.schema import check_schema
from settings import Settings
from worker.app import Wakes, create_app, create_wakes, send


def create_service(
    settings: Settings, *, enqueue: Callable[[int], None] | None = None, wakes: Wakes | None = None
) -> CaptionService:
    """enqueue, wakes: of a worker in the same process; otherwise the broker's and Redis' are used.

    Raises OldSchema when the database must be migrated first.
    """
    engine = create_engine(settings.database_url)
    check_schema(engine)
    return CaptionService(
        sessions(engine),
        PhotoStore(settings.photo_store),
        enqueue or partial(send, create_app(settings.broker_url, settings.key_prefix)),
        limits=Limits(settings.rate_limit, settings.redis_url, settings.key_prefix),
        policy=policy_of(settings),
        wakes=wakes or create_wakes(settings.redis_url, settings.key_prefix),
    )


def policy_of(settings: Settings) -> Policy:
    return Policy(
        beams=settings.beams,
        max_bytes=round(settings.max_photo_mb * 1e6),
        max_pixels=settings.max_pixels,
        queue_limit=settings.queue_limit,
        retention=settings.retention_hours * 3600,
        feedback_retention=settings.feedback_retention_days * 86400,
        admins=frozenset(settings.admin_ids),
        exports=settings.data_dir / "exports",
    )
