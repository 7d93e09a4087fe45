"""Finished captions that a chat platform has to deliver. Called by bots/delivery_loop.py."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bots.service.base import Backend
from bots.service.views import Delivery
from db import captions
from db.tables import Caption

LEASE = timedelta(seconds=60)  # for sending; afterwards another process may try
GATHERING = timedelta(seconds=2)  # to wait for another photo of the same album


class Deliveries:
    """`service.deliveries`. `rows` are row ids."""

    def __init__(self, backend: Backend):
        self._backend = backend

    def undelivered(self, front_end: str, limit: int) -> list[Delivery]:
        """Finished or failed captions not shown yet, leased to the caller for a minute. Albums are complete."""
        with self._backend.sessions.begin() as session:
            due = captions.undelivered(session, front_end, limit, LEASE, quiet=GATHERING)
            groups: dict[str, list[Caption]] = defaultdict(list)
            for caption in due:
                groups[caption.album or f"alone {caption.id}"].append(caption)
            return [self._delivery(session, rows) for rows in groups.values()]

    def _delivery(self, session: Session, rows: Sequence[Caption]) -> Delivery:
        ordered = sorted(rows, key=lambda caption: (caption.position, caption.id))
        attempts = max(caption.delivery_attempts for caption in ordered)
        return Delivery(tuple(self._backend.views(session, ordered, person=None)), attempts)

    def delivered(self, rows: Sequence[int], message: str | None) -> list[int]:
        """Note that captions were shown. message: key of the message that shows them, for reactions to it.

        Returns:
            The rows that still exist. The others were removed while they were sent.
        """
        with self._backend.sessions.begin() as session:
            return captions.delivered(session, rows, message)

    def postpone(self, rows: Sequence[int], until: datetime, *, counts: bool = True) -> None:
        """Try again later. counts: whether this was a failed attempt; False if the platform asked to wait."""
        with self._backend.sessions.begin() as session:
            captions.postpone(session, rows, until, counts=counts)

    def close(self, rows: Sequence[int], reason: str) -> None:
        """Give up: the captions can never be shown, for example because the bot was blocked."""
        with self._backend.sessions.begin() as session:
            captions.close(session, rows, reason)
