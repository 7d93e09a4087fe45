"""A caption's way: queued, claimed by a worker, finished, delivered. How rows come to be is in requests.py.

Every step is one UPDATE that names the state it starts from, so of two that try at the same time one wins, and doing
it twice is harmless. The caller owns the transaction.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, or_, select, update
from sqlalchemy.orm import Session, aliased, joinedload

from db.engine import commit_at_once
from db.tables import Caption, Person, Photo, State, now

MAX_ATTEMPTS = 3  # leases that may expire
GAVE_UP = "I could not describe this photo. Please try another one."
BATCH = 1000  # rows that `stale` touches at once


@dataclass(frozen=True)
class Result:
    """What the model said of a photo. For the fields see the columns of the same names."""

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
    """What a worker needs to know of a row. To read a whole one, with all its columns, costs several times as much."""

    id: int
    front_end: str
    chat: str | None
    person: str  # key
    rank: int
    options: dict[str, Any]
    sha256: str  # of the photo


def claim(session: Session, caption_id: int, worker: str, lease: timedelta) -> Claimed | None:
    """The row, if this worker has it now; None if it is another's, done, or gone."""
    claimed = claim_many(session, [caption_id], worker, lease)
    return claimed[0] if claimed else None


def claim_many(session: Session, ids: Iterable[int], worker: str, lease: timedelta) -> list[Claimed]:
    """Those of the rows that this worker has now, in order of id. What the session has loaded of them grows stale.

    Free is what is queued, and what another held until its lease expired; that counts one attempt, and after the last
    one nobody gets the row (see `stale`).
    """
    commit_at_once(session)  # a claim that is lost leaves the row queued, which is sent again
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
    """Hold rows for longer. Returns those that this worker still has: even an expired lease, if nobody took it."""
    commit_at_once(session)
    return _change(session, _held(ids, worker), lease_until=now() + lease)


def finish(session: Session, caption_id: int, worker: str, result: Result) -> bool:
    """Write the sentence. False if this worker no longer has the row: nothing is written then."""
    return bool(finish_many(session, worker, {caption_id: result}))


def finish_many(session: Session, worker: str, results: Mapping[int, Result]) -> list[int]:
    """Write many sentences. Returns the ids of the rows that this worker still had, in order."""
    held = session.scalars(
        select(Caption.id).where(_held(results, worker)).order_by(Caption.id).with_for_update(key_share=True)
    ).all()
    if held:
        done = {"state": State.DONE, "finished_at": now(), "lease_until": None, "error": None}
        session.execute(update(Caption), [{"id": id} | done | vars(results[id]) for id in held])
    return list(held)


def fail(session: Session, caption_id: int, worker: str, sentence: str) -> bool:
    """There will be no caption; the sentence says why, to people. False if this worker no longer has the row."""
    held = _held([caption_id], worker)
    return bool(_change(session, held, state=State.FAILED, error=sentence, finished_at=now(), lease_until=None))


def release(session: Session, ids: Iterable[int], worker: str) -> list[int]:
    """Give rows back without counting an attempt, as when the worker stops. Returns those to be sent again."""
    return _change(session, _held(ids, worker), **_queued())


def stale(session: Session, at: datetime, waited: timedelta) -> list[int]:
    """Rows whose ids have to go to the broker again, the longest waiting first, a thousand at most.

    Takes back rows from workers that no longer renew; the third time such a row fails instead. Names queued rows too
    that were not sent for `waited`: their message may be lost, or the queue is long, which counts no attempt.
    """
    last = Caption.attempts >= MAX_ATTEMPTS - 1
    failed: dict[str, Any] = {"state": State.FAILED, "error": GAVE_UP, "finished_at": at, "lease_until": None}
    _change(session, _expired(at), last, attempts=Caption.attempts + 1, **failed)
    waiting = and_(Caption.state == State.QUEUED, Caption.queued_at < at - waited)
    longest = select(Caption.id).where(waiting).order_by(Caption.queued_at, Caption.id).limit(BATCH)
    oldest = session.scalars(longest).all()
    taken_back = _change(session, _expired(at), attempts=Caption.attempts + 1, **_queued())
    sent = set(_change(session, Caption.id.in_(oldest), waiting, queued_at=at))
    return taken_back + [id for id in oldest if id in sent]


def undelivered(
    session: Session, front_end: str, limit: int, lease: timedelta, quiet: timedelta = timedelta()
) -> list[Caption]:
    """Finished captions that nobody has shown yet, leased to the caller, with photo and person, the oldest first.

    An album comes whole or not at all: when all of its photos are finished and none has come for `quiet`, and then
    beyond the limit too.
    """
    photo = aliased(Caption)
    growing = or_(photo.state.in_([State.QUEUED, State.RUNNING]), photo.created_at > now() - quiet)
    whole = ~select(photo.id).where(photo.album == Caption.album, growing).exists()
    due = and_(
        Caption.front_end == front_end,
        Caption.delivered_at.is_(None),
        Caption.closed.is_(None),
        Caption.state.in_([State.DONE, State.FAILED]),
        or_(Caption.delivery_lease_until.is_(None), Caption.delivery_lease_until < now()),
        or_(Caption.deliver_after.is_(None), Caption.deliver_after <= now()),
        or_(Caption.album.is_(None), whole),
    )
    first = session.execute(
        select(Caption.id, Caption.album).where(due).order_by(Caption.finished_at, Caption.id).limit(limit)
    ).all()
    albums = {album for _, album in first if album is not None}
    leased = _change(
        session,
        or_(Caption.id.in_([id for id, _ in first]), Caption.album.in_(albums)),
        due,
        delivery_lease_until=now() + lease,
        delivery_attempts=Caption.delivery_attempts + 1,
    )
    rows = _load(session, leased)
    return sorted(rows, key=lambda row: (row.finished_at or row.created_at, row.id))


def delivered(session: Session, ids: Iterable[int], message: str | None) -> None:
    """They were shown; message: where, so that reactions find them."""
    _change(session, Caption.id.in_(list(ids)), delivered_at=now(), message=message, delivery_lease_until=None)


def postpone(session: Session, ids: Iterable[int], until: datetime, *, counts: bool = True) -> None:
    """Not to be shown before then, unless they were meanwhile. counts: as an attempt, of which there is an end."""
    ours = and_(Caption.id.in_(list(ids)), Caption.delivered_at.is_(None))
    attempts = Caption.delivery_attempts - (0 if counts else 1)
    _change(session, ours, deliver_after=until, delivery_lease_until=None, delivery_attempts=attempts)


def close(session: Session, ids: Iterable[int], reason: str) -> None:
    """They can never be shown: blocked, message deleted, token expired."""
    ours = and_(Caption.id.in_(list(ids)), Caption.delivered_at.is_(None))
    _change(session, ours, closed=reason, delivery_lease_until=None)


def _expired(at: datetime) -> ColumnElement[bool]:
    return and_(Caption.state == State.RUNNING, Caption.lease_until < at)


def _held(ids: Iterable[int], worker: str) -> ColumnElement[bool]:
    return and_(Caption.id.in_(list(ids)), Caption.state == State.RUNNING, Caption.worker == worker)


def _queued() -> dict[str, Any]:
    return {"state": State.QUEUED, "queued_at": now(), "worker": None, "lease_until": None}


def _change(session: Session, *where: ColumnElement[bool], refresh: bool = True, **values: Any) -> list[int]:
    """One UPDATE. Returns the ids of the rows that it changed, in order. refresh: what the session has loaded of them.

    Rows are locked in order of id, so that of two such updates each gets all it wants or waits, and none waits for
    ever. `key_share`: a vote on a row, which only refers to it, need not wait.
    """
    wanted = select(Caption.id).where(*where).order_by(Caption.id).with_for_update(key_share=True)
    changed = update(Caption).where(Caption.id.in_(wanted.correlate(None))).values(**values).returning(Caption.id)
    refreshed: Any = "fetch" if refresh else False
    return sorted(session.scalars(changed, execution_options={"synchronize_session": refreshed}))


def _load(session: Session, ids: list[int]) -> list[Caption]:
    if not ids:
        return []
    rows = select(Caption).where(Caption.id.in_(ids)).order_by(Caption.id)
    with_parents = rows.options(joinedload(Caption.photo), joinedload(Caption.person))
    return list(session.scalars(with_parents, execution_options={"populate_existing": True}))
