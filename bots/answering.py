"""Finished captions on their way to a chat platform. See delivery.py for what calls these."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bots.caption_views import caption_views
from bots.service_base import ServiceBase
from bots.views import Delivery
from db import captions
from db.tables import Caption

LEASE = timedelta(seconds=60)  # for sending; then somebody else may try
GATHERING = timedelta(seconds=2)  # for which the photos of an album may come in one after the other


class Answering(ServiceBase):
    def undelivered(self, front_end: str, limit: int) -> list[Delivery]:
        """What is done or failed and not yet shown, leased to the caller for a minute. Albums come whole."""
        with self._sessions.begin() as session:
            due = captions.undelivered(session, front_end, limit, LEASE, quiet=GATHERING)
            together: dict[str, list[Caption]] = defaultdict(list)
            for caption in due:
                together[caption.album or f"alone {caption.id}"].append(caption)
            return [_delivery(session, rows) for rows in together.values()]

    def delivered(self, rows: Sequence[int], message: str | None) -> None:
        """They were shown; message: where, so that reactions find them."""
        with self._sessions.begin() as session:
            captions.delivered(session, rows, message)

    def postpone(self, rows: Sequence[int], until: datetime, *, counts: bool = True) -> None:
        """Not now; come back then. counts: as an attempt that failed, and not as waiting for the platform."""
        with self._sessions.begin() as session:
            captions.postpone(session, rows, until, counts=counts)

    def close(self, rows: Sequence[int], reason: str) -> None:
        """They can never be shown: blocked, deleted, expired."""
        with self._sessions.begin() as session:
            captions.close(session, rows, reason)


def _delivery(session: Session, rows: Sequence[Caption]) -> Delivery:
    ordered = sorted(rows, key=lambda caption: (caption.position, caption.id))
    attempts = max(caption.delivery_attempts for caption in ordered)
    return Delivery(tuple(caption_views(session, ordered, person=None)), attempts)
