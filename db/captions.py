"""State changes of a caption: queued, claimed by a worker, finished, delivered. See caption_requests.py for inserts.

Each change is one UPDATE whose WHERE clause names the state before it. If two processes try the same change at the
same time, one of them succeeds, and repeating a change is harmless. The caller commits the transaction.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, false, or_, select, update
from sqlalchemy.orm import Session, aliased

from db import caption_requests, turns
from db.caption_options import CaptionOptions
from db.engine import commit_at_once
from db.tables import Caption, Person, Photo, State, now

MAX_ATTEMPTS = 4  # leases that may expire before a caption fails: the first with others, three alone (suspects.py)
GAVE_UP = "I could not describe this photo. Please try another one."
NONE_LEFT = "I have nothing else to say about this photo."
MOST_SENTENCES = 10  # of one photo; each "another one" is searched with one beam more
LONGEST_LEASE = timedelta(minutes=10)  # one that ends later was taken by a clock that was ahead
AHEAD = timedelta(minutes=1)  # by which clocks may differ
LONGEST_POSTPONEMENT = timedelta(days=1)
BATCH = 1000  # rows that one call of `requeue_stale` returns at most


@dataclass(frozen=True)
class Result:
    """The model's output for one photo, as it is stored. See the columns of the same names in tables.py."""

    text: str
    confidence: float | None
    hedged: bool
    is_photo: bool
    words: list[str]
    alternatives: list[str]
    attention: dict[str, Any] | None
    model_version: str
    milliseconds: float
    batch_size: int
    encode_milliseconds: float | None = None


@dataclass(frozen=True)
class Claimed:
    """The columns of a claimed row that a worker needs. Loading the whole row would take several times as long."""

    id: int
    front_end: str
    chat: str | None
    person: str  # key
    rank: int
    options: CaptionOptions
    sha256: str  # of the photo


def claim(session: Session, caption_id: int, worker: str, lease: timedelta) -> Claimed | None:
    """Claim one row for a worker. None if another worker holds it, or if it is finished or deleted."""
    claimed = claim_many(session, [caption_id], worker, lease)
    return claimed[0] if claimed else None


def claim_next(session: Session, count: int, worker: str, lease: timedelta) -> list[Claimed]:
    """Claim the queued rows whose turn it is, at most so many; see turns.py. Fewer if only suspects are queued."""
    commit_at_once(session)
    turns.take_turns(session)
    return claim_many(session, turns.whose_turn(session, count), worker, lease)


def claim_newcomers(session: Session, count: int, worker: str, lease: timedelta) -> list[Claimed]:
    """Claim photos of people who have nothing in work, at most so many. Looking is cheap where there are none."""
    ids = turns.newcomers(session, count)
    return claim_many(session, ids, worker, lease) if ids else []


def claim_many(session: Session, ids: Iterable[int], worker: str, lease: timedelta) -> list[Claimed]:
    """Claim rows for a worker and return those that it got, in order of id.

    A row can be claimed if it is queued, or if the lease of another worker has expired. An expired lease counts as
    one attempt; after the last attempt nobody can claim the row (see `requeue_stale`). Objects of these rows that the
    session has loaded are not refreshed.
    """
    commit_at_once(session)  # if a crash loses the claim, the row is still queued and is sent again
    expired = and_(_expired(now()), Caption.attempts < MAX_ATTEMPTS - 1)
    claimed = _change(
        session,
        Caption.id.in_(list(ids)),
        or_(Caption.state == State.QUEUED, expired),
        refresh=False,
        attempts=case((Caption.state == State.RUNNING, Caption.attempts + 1), else_=Caption.attempts),
        state=State.RUNNING,
        worker=worker,
        lease_until=now() + lease,
        started_at=now(),
    )
    if not claimed:
        return []
    columns = Caption.id, Caption.front_end, Caption.chat, Person.key, Caption.rank, Caption.options, Photo.sha256
    rows = select(*columns).join(Caption.person).join(Caption.photo).where(Caption.id.in_(claimed))
    return [Claimed(*row) for row in session.execute(rows.order_by(Caption.id))]


def renew(session: Session, ids: Iterable[int], worker: str, lease: timedelta) -> list[int]:
    """Extend the leases of rows. Returns the ids that the worker still holds, even if a lease had expired meanwhile."""
    commit_at_once(session)
    return _change(session, _held(ids, worker), lease_until=now() + lease)


def finish(session: Session, caption_id: int, worker: str, result: Result) -> bool:
    """Store the result of one row. Returns False, and stores nothing, if this worker no longer holds the row."""
    return bool(finish_many(session, worker, {caption_id: result}))


def finish_many(session: Session, worker: str, results: Mapping[int, Result]) -> list[int]:
    """Store the results of many rows. Returns the ids of those that this worker still held, in order."""
    held = session.scalars(
        select(Caption.id).where(_held(results, worker)).order_by(Caption.id).with_for_update(key_share=True)
    ).all()
    if held:
        done = {"state": State.DONE, "finished_at": now(), "lease_until": None, "error": None}
        session.execute(update(Caption), [{"id": id} | done | vars(results[id]) for id in held])
    return list(held)


def fail(session: Session, caption_id: int, worker: str, sentence: str) -> bool:
    """Mark a row as failed. `sentence` is shown to people. Returns False if this worker no longer holds the row."""
    held = _held([caption_id], worker)
    return bool(_change(session, held, state=State.FAILED, error=sentence, finished_at=now(), lease_until=None))


def release(session: Session, ids: Iterable[int], worker: str) -> list[int]:
    """Put rows back into the queue without counting an attempt. Returns the ids to send to the broker again."""
    return _change(session, _held(ids, worker), **_queued())


def requeue_stale(session: Session, at: datetime, lost_after: timedelta) -> list[int]:
    """Requeue rows whose worker or message was lost. Returns the ids to send to the broker, longest waiting first.

    A row whose lease has expired is taken from its worker; after MAX_ATTEMPTS expired leases it fails instead. A
    queued row is sent again if it was last sent longer than `lost_after` ago: its message may be lost, or the queue
    may be long, so this counts no attempt. At most BATCH queued rows are returned.
    """
    last = Caption.attempts >= MAX_ATTEMPTS - 1
    failed: dict[str, Any] = {"state": State.FAILED, "error": GAVE_UP, "finished_at": at, "lease_until": None}
    _change(session, _expired(at), last, attempts=Caption.attempts + 1, **failed)
    lost = or_(Caption.queued_at < at - lost_after, Caption.queued_at > at + AHEAD)
    waiting = and_(Caption.state == State.QUEUED, lost)
    longest = select(Caption.id).where(waiting).order_by(Caption.queued_at, Caption.id).limit(BATCH)
    oldest = session.scalars(longest).all()
    taken_back = _change(session, _expired(at), attempts=Caption.attempts + 1, **_queued())
    sent = set(_change(session, Caption.id.in_(oldest), waiting, queued_at=at))
    return taken_back + [id for id in oldest if id in sent]


def undelivered(
    session: Session, front_end: str, limit: int, lease: timedelta, quiet: timedelta = timedelta()
) -> list[Caption]:
    """Lease finished captions that have not been shown yet, oldest first, with their photos and people.

    The photos of an album are returned together, even beyond `limit`, once all of them are finished and no new one
    was added for `quiet`.
    """
    other, at = aliased(Caption), now()
    just_added = other.created_at.between(at - quiet, at + quiet)
    incomplete = or_(other.state.in_([State.QUEUED, State.RUNNING]), just_added if quiet else false())
    complete = ~select(other.id).where(other.album == Caption.album, incomplete).exists()
    due = and_(
        Caption.front_end == front_end,
        Caption.delivered_at.is_(None),
        Caption.closed.is_(None),
        Caption.state.in_([State.DONE, State.FAILED]),
        or_(Caption.delivery_lease_until.is_(None), _is_over(Caption.delivery_lease_until, at, LONGEST_LEASE)),
        or_(Caption.deliver_after.is_(None), _is_over(Caption.deliver_after, at, LONGEST_POSTPONEMENT)),
        or_(Caption.album.is_(None), complete),
    )
    first = session.execute(
        select(Caption.id, Caption.album).where(due).order_by(Caption.finished_at, Caption.id).limit(limit)
    ).all()
    albums = {album for _, album in first if album is not None}
    leased = _change(
        session,
        or_(Caption.id.in_([id for id, _ in first]), Caption.album.in_(albums)),
        due,
        delivery_lease_until=at + lease,
        delivery_attempts=Caption.delivery_attempts + 1,
    )
    rows = caption_requests.by_ids(session, leased)
    return sorted(rows, key=lambda row: (row.finished_at or row.created_at, row.id))


def delivered(session: Session, ids: Iterable[int], message: str | None) -> list[int]:
    """Mark captions as shown. `message` is the key of the message that shows them; reactions are looked up by it.

    Returns:
        The captions that still exist: a person may have removed some while they were sent.
    """
    return _change(session, Caption.id.in_(list(ids)), delivered_at=now(), message=message, delivery_lease_until=None)


def postpone(session: Session, ids: Iterable[int], until: datetime, *, counts: bool = True) -> None:
    """Delay the delivery of captions that have not been shown. counts: whether this was a failed attempt."""
    pending = and_(Caption.id.in_(list(ids)), Caption.delivered_at.is_(None))
    attempts = Caption.delivery_attempts - (0 if counts else 1)
    _change(session, pending, deliver_after=until, delivery_lease_until=None, delivery_attempts=attempts)


def close(session: Session, ids: Iterable[int], reason: str) -> None:
    """Give up the delivery of captions, for example because the bot was blocked or the message was deleted."""
    pending = and_(Caption.id.in_(list(ids)), Caption.delivered_at.is_(None))
    _change(session, pending, closed=reason, delivery_lease_until=None)


def _expired(at: datetime) -> ColumnElement[bool]:
    return and_(Caption.state == State.RUNNING, _is_over(Caption.lease_until, at, LONGEST_LEASE))


def _is_over(until: Any, at: datetime, longest: timedelta) -> ColumnElement[bool]:
    """Whether a time has passed, or is so far ahead that a wrong clock wrote it."""
    return or_(until <= at, until > at + longest)


def _held(ids: Iterable[int], worker: str) -> ColumnElement[bool]:
    return and_(Caption.id.in_(list(ids)), Caption.state == State.RUNNING, Caption.worker == worker)


def _queued() -> dict[str, Any]:
    return {"state": State.QUEUED, "queued_at": now(), "worker": None, "lease_until": None}


def _change(session: Session, *where: ColumnElement[bool], refresh: bool = True, **values: Any) -> list[int]:
    """Run one UPDATE and return the ids of the changed rows, in order.

    Rows are locked in order of id, so that two such updates cannot deadlock. With `key_share` a vote, which only
    refers to a row, does not wait for the lock.

    Args:
        refresh: whether objects of these rows that the session has loaded are refreshed.
    """
    wanted = select(Caption.id).where(*where).order_by(Caption.id).with_for_update(key_share=True)
    changed = update(Caption).where(Caption.id.in_(wanted.correlate(None))).values(**values).returning(Caption.id)
    refreshed: Any = "fetch" if refresh else False
    return sorted(session.scalars(changed, execution_options={"synchronize_session": refreshed}))
