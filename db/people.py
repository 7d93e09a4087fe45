"""Rows of people. Front-ends identify a person by a key such as "telegram:1234"."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.preferences import Preferences
from db.tables import Person, now
from db.upsert import insert


def find(session: Session, key: str) -> Person | None:
    """The person with this key, if known."""
    return session.scalar(select(Person).where(Person.key == key))


def find_or_create(session: Session, key: str) -> Person:
    """The person with this key, inserted if new. Concurrent calls return the same row."""
    if person := find(session, key):
        return person
    session.execute(insert(session, Person).values(key=key).on_conflict_do_nothing(index_elements=["key"]))
    return session.scalars(select(Person).where(Person.key == key)).one()


def set_consent(session: Session, key: str, agreed: bool) -> Person:
    """Store whether photos that the person sends may be used for training."""
    person = find_or_create(session, key)
    person.training_consent, person.consent_at = agreed, now()
    return person


def preferences(person: Person | None) -> Preferences:
    """The settings of a person; the defaults if None."""
    if person is None:
        return Preferences()
    return replace(person.preferences, training_consent=person.training_consent)


def set_preferences(session: Session, key: str, changes: dict[str, Any]) -> Person:
    """Change these preferences and keep the others."""
    person = find_or_create(session, key)
    session.refresh(person, with_for_update=True)
    person.preferences = replace(person.preferences, **changes)
    return person


def set_last_export(session: Session, key: str, until: datetime) -> None:
    """Store up to when an admin has received feedback: their next export starts there."""
    find_or_create(session, key).last_export_at = until
