"""Tables of people, their chats, and what they come with: the devices of a person and the keys of programs."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.clock import now
from db.column_types import JsonOf
from db.preferences import Preferences
from db.tables.base import Base, new_public_id


class Person(Base):
    """Somebody who sends photos or rates captions in one front-end."""

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(
        String(200), unique=True
    )  # "telegram:1234", "discord:99", "web:RANDOM", "key:RANDOM"
    created_at: Mapped[datetime] = mapped_column(default=now)
    # Whether photos that they send may be used for training. None: not answered yet, which counts as no.
    training_consent: Mapped[bool | None]
    consent_at: Mapped[datetime | None]
    consent_asked_at: Mapped[datetime | None]  # people are asked only once
    preferences: Mapped[Preferences] = mapped_column(JsonOf(Preferences), default=Preferences)
    last_export_at: Mapped[datetime | None]  # only of admins: their next export starts here


class Chat(Base):
    """A group or channel and its switches, which its admins set."""

    __tablename__ = "chats"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(200), unique=True)  # "telegram:-100123", "discord:GUILD/CHANNEL"
    created_at: Mapped[datetime] = mapped_column(default=now)
    auto: Mapped[bool] = mapped_column(default=False)  # caption every photo without being asked
    remind_alt_text: Mapped[bool] = mapped_column(default=False)
    left_at: Mapped[datetime | None]  # when the bot was removed; the data is deleted after a grace period
    moved_to: Mapped[str | None] = mapped_column(String(200))  # the key under which it goes on, see chat_moves.py


class Device(Base):
    """A browser that joined the list of a person, or a link by which one may still join it."""

    __tablename__ = "devices"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=new_public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    # Of the secret in the link, and after joining of the one in the browser's cookie, so that a link works once.
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    joined_at: Mapped[datetime | None]  # None: the link was not used yet, and expires

    person: Mapped[Person] = relationship()


class ApiKey(Base):
    """A key with which a program calls the API, as a person of its own."""

    __tablename__ = "api_keys"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100), unique=True)
    # The key of that person. No foreign key: a person may be forgotten, and the program goes on as a new one.
    person: Mapped[str] = mapped_column(String(200), unique=True)
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_used_at: Mapped[datetime | None]  # to the minute
