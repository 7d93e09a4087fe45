"""Photos whose worker died while it had them: any of those that it had may have killed it, or none.

Such a photo is a suspect from its first expired lease on. A worker tries it while it has no other, so that whoever
kills workers is found, and no photo fails for what another one did. The index of the queue makes a look cheap.
"""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import captions
from db.captions import Claimed
from db.engine import commit_at_once
from db.tables import Caption, State

WAITING = (Caption.state == State.QUEUED) & (Caption.attempts > 0)


def wait(session: Session) -> bool:
    """Whether a suspect is queued."""
    return session.scalar(select(Caption.id).where(WAITING).limit(1)) is not None


def claim_one(session: Session, count: int, worker: str, lease: timedelta) -> list[Claimed]:
    """Claim the suspect that was queued first, for a worker that has nothing else. `count` is one at least."""
    commit_at_once(session)
    first = select(Caption.id).where(WAITING).order_by(Caption.queued_at, Caption.id).limit(1)
    return captions.claim_many(session, session.scalars(first).all(), worker, lease)
