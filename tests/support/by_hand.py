"""A worker without a model: captions by the database's own functions. "Sentence 1.", "Sentence 2.", ..."""

import asyncio
from datetime import timedelta
from typing import Any

from db import captions
from db.engine import create_engine
from db.engine import sessions as sessions_of
from db.tables import Caption, Vote
from worker.job_queue import Notifier


class Hand:
    """Captions at once what is enqueued. While `idle` nothing is done; `work` makes up for it.

    `fails`: the sentence of failures.
    """

    def __init__(self, database_url: str, notifier: Notifier, front_end: str):
        self._engine = create_engine(database_url)
        self._sessions, self._notifier = sessions_of(self._engine), notifier
        self._front_end = front_end
        self.said = 0
        self.idle = False
        self.waiting: list[int] = []
        self.fails: str | None = None

    def enqueue(self, row: int) -> None:
        if self.idle:
            self.waiting.append(row)
        else:
            self._caption(row)

    def work(self) -> None:
        self.idle, waiting, self.waiting = False, self.waiting, []
        for row in waiting:
            self._caption(row)

    def close(self) -> None:
        self._engine.dispose()

    def _caption(self, row: int) -> None:
        self.said += 1
        text = f"Sentence {self.said}."
        result = captions.Result(
            text=text,
            confidence=0.8,
            hedged=False,
            is_photo=True,
            words=text.rstrip(".").lower().split(),
            alternatives=[],
            attention=None,
            model_version="by-hand",
            milliseconds=1.0,
            batch_size=1,
        )
        with self._sessions.begin() as session:
            captions.claim(session, row, "hand", timedelta(hours=1))
            if self.fails:
                captions.fail(session, row, "hand", self.fails)
            else:
                captions.finish(session, row, "hand", result)
        self._notifier.notify({self._front_end: [row]})

    def rows(self) -> list[Caption]:
        with self._sessions() as session:
            return list(session.query(Caption).order_by(Caption.id))

    def votes(self) -> dict[int, int]:
        """Row of the caption -> sum of its thumbs."""
        with self._sessions() as session:
            found: dict[int, int] = {}
            for vote in session.query(Vote):
                found[vote.caption_id] = found.get(vote.caption_id, 0) + vote.value
            return found


async def close(*worlds: Any) -> None:
    """Stop bots, and close their connections when no thread that a bot has left behind uses them any more."""
    for world in worlds:
        await world.stop()
    await asyncio.get_running_loop().shutdown_default_executor()
    for world in worlds:
        world.service.backend.engine.dispose()
        world.hand.close()
