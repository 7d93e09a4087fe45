"""Rows of API keys. Of a secret only its SHA-256 is stored: it is random and long, so nobody can guess it from that."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.tables import ApiKey, now

USE_INTERVAL = timedelta(minutes=1)  # so often at most a use is noted: each is a write


class NameTaken(Exception):
    """There is a key with this name already."""


def create(session: Session, name: str, person: str, secret_sha256: str) -> ApiKey:
    """Insert a key. Raises NameTaken; then the transaction must be rolled back."""
    key = ApiKey(name=name, person=person, secret_sha256=secret_sha256)
    session.add(key)
    try:
        session.flush()
    except IntegrityError:
        raise NameTaken from None
    return key


def all_keys(session: Session) -> Sequence[ApiKey]:
    """All keys, by name."""
    return session.scalars(select(ApiKey).order_by(ApiKey.name)).all()


def by_secret(session: Session, secret_sha256: str) -> ApiKey | None:
    """The key whose secret has this SHA-256."""
    return session.scalar(select(ApiKey).where(ApiKey.secret_sha256 == secret_sha256))


def is_used_again(key: ApiKey) -> bool:
    """Whether a use of the key now is one that should be noted."""
    return key.last_used_at is None or now() - key.last_used_at > USE_INTERVAL


def note_use(session: Session, id: int) -> None:
    session.execute(update(ApiKey).where(ApiKey.id == id).values(last_used_at=now()))


def remove(session: Session, name: str) -> str | None:
    """Delete the key with this name. Returns the person that it acted as; None if there is no such key."""
    return session.scalar(delete(ApiKey).where(ApiKey.name == name).returning(ApiKey.person))
