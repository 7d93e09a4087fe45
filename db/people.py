"""People as front-ends know them: by a key such as "telegram:1234"."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.tables import Person, now
from db.upsert import insert


def find(session: Session, key: str) -> Person | None:
    return session.scalar(select(Person).where(Person.key == key))


def find_or_create(session: Session, key: str) -> Person:
    """Two that come at the same time get the same row."""
    if person := find(session, key):
        return person
    session.execute(insert(session, Person).values(key=key).on_conflict_do_nothing(index_elements=["key"]))
    return session.scalars(select(Person).where(Person.key == key)).one()


def consent(session: Session, key: str, agreed: bool) -> Person:
    """Whether photos they send may be kept for training."""
    person = find_or_create(session, key)
    person.training_consent, person.consent_at = agreed, now()
    return person


def prefer(session: Session, key: str, changes: dict[str, Any]) -> Person:
    """Set some preferences; the others stay."""
    person = find_or_create(session, key)
    session.refresh(person, with_for_update=True)
    person.preferences = person.preferences | changes
    return person
