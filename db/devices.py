"""Browsers that joined the list of a person, and the links by which they join. Secrets are stored as hashes only."""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from db.tables import Device, Person, now

LINK_LASTS = timedelta(minutes=15)  # until a link that nobody used expires
MAX_DEVICES = 10  # that may join one list


def _hash(secret: str) -> str:
    """Secrets are random and long, so a plain hash cannot be guessed back."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_link(session: Session, person_id: int) -> tuple[str, Device] | None:
    """The secret of a new link, which replaces an unused one of the person. None if MAX_DEVICES have joined."""
    session.execute(select(Person.id).where(Person.id == person_id).with_for_update())
    session.execute(delete(Device).where(Device.person_id == person_id, Device.joined_at.is_(None)))
    joined = select(func.count()).select_from(Device).where(Device.person_id == person_id)
    if session.scalars(joined).one() >= MAX_DEVICES:
        return None
    secret = secrets.token_urlsafe(16)
    link = Device(person_id=person_id, secret_sha256=_hash(secret))
    session.add(link)
    session.flush()
    return secret, link


def linked(session: Session, secret: str) -> Device | None:
    """The link with this secret, if it still works."""
    works = (Device.joined_at.is_(None), Device.created_at > now() - LINK_LASTS)
    return session.scalar(select(Device).where(Device.secret_sha256 == _hash(secret), *works))


def join(session: Session, secret: str) -> str | None:
    """Use a link. Returns the secret of the browser that joined; None if the link does not work, or no longer."""
    link, token = linked(session, secret), secrets.token_urlsafe(16)
    if link is None:
        return None
    used = update(Device).where(Device.id == link.id, Device.joined_at.is_(None))
    values = {"secret_sha256": _hash(token), "joined_at": now()}
    return token if session.scalar(used.values(**values).returning(Device.id)) else None


def joined(session: Session, token: str) -> Device | None:
    """The device with this secret, if it has not been removed."""
    return session.scalar(select(Device).where(Device.secret_sha256 == _hash(token), Device.joined_at.is_not(None)))


def of_person(session: Session, person_id: int) -> list[Device]:
    """The devices of a person, the first that joined first, and a link that was not used yet."""
    return list(session.scalars(select(Device).where(Device.person_id == person_id).order_by(Device.id)))


def remove(session: Session, person_id: int, public_id: str) -> bool:
    """Remove a device or an unused link of this person. Returns False if there is none."""
    device = delete(Device).where(Device.person_id == person_id, Device.public_id == public_id)
    return session.scalar(device.returning(Device.id)) is not None
