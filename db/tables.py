"""The tables. A caption is one row: a photo, who asked and how; it is the job, and in the end it is the sentence.

Keys are integers inside; what leaves the house is `public_id`, random and not to be guessed. Times are UTC.
"""

import enum
import secrets
from datetime import UTC, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    MetaData,
    String,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy import Enum as SqlEnum
from sqlalchemy.dialects.postgresql import VARCHAR
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


def now() -> datetime:
    return datetime.now(UTC)


def new_public_id() -> str:
    """16 random bytes, 22 characters of URL-safe base64."""
    return secrets.token_urlsafe(16)


class UtcDateTime(TypeDecorator[datetime]):
    """Times with a zone, on SQLite too, which forgets it."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and (value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC))


# Sorted by code, whatever the database's language, so that "what begins with" is a range that an index serves.
BYTEWISE = String(200).with_variant(VARCHAR(200, collation="C"), "postgresql")
OptionalJson = JSON(none_as_null=True)  # None is SQL's NULL, not the text "null"


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {datetime: UtcDateTime, dict[str, Any]: OptionalJson, list[str]: OptionalJson}


def enum_column(kind: type[enum.StrEnum]) -> SqlEnum:
    """Enums are stored by value, as text, so that a new member needs no migration of a type."""
    return SqlEnum(kind, values_callable=lambda members: [m.value for m in members], native_enum=False, length=20)


class State(enum.StrEnum):
    """Where a caption is on its way."""

    QUEUED = "queued"
    RUNNING = "running"  # a worker has claimed it; its lease says until when
    DONE = "done"
    FAILED = "failed"


class Review(enum.StrEnum):
    """What became of a correction."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    QUARANTINED = "quarantined"


class Person(Base):
    """Someone who sends photos or rates captions, as one front-end knows them."""

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(200), unique=True)  # "telegram:1234", "discord:99", "web:RANDOM"
    created_at: Mapped[datetime] = mapped_column(default=now)
    # Whether photos they send may be kept for training. None: not asked yet, which counts as no.
    training_consent: Mapped[bool | None]
    consent_at: Mapped[datetime | None]
    preferences: Mapped[dict[str, Any]] = mapped_column(default=dict)  # service.Preferences


class Chat(Base):
    """A group or channel and what those who manage it switched on."""

    __tablename__ = "chats"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(200), unique=True)  # "telegram:-100123", "discord:GUILD/CHANNEL"
    created_at: Mapped[datetime] = mapped_column(default=now)
    auto: Mapped[bool] = mapped_column(default=False)  # photos are captioned without being asked
    remind_alt_text: Mapped[bool] = mapped_column(default=False)
    left_at: Mapped[datetime | None]  # the bot was removed; the chat's data goes after a grace period


class Photo(Base):
    """An image someone sent, stored once by content."""

    __tablename__ = "photos"

    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)  # of the stored file; its name in the photo store
    width: Mapped[int]
    height: Mapped[int]
    bytes: Mapped[int]
    perceptual_hash: Mapped[str | None] = mapped_column(String(16))  # see perceptual_hash.py; None: not computed
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_sent_at: Mapped[datetime] = mapped_column(default=now, index=True)  # retention counts from here
    dropped_at: Mapped[datetime | None]  # its file is gone from the store

    @property
    def is_new(self) -> bool:
        """Nobody sent it before, so nothing can have been said of it."""
        return self.last_sent_at == self.created_at


OPEN = text("delivered_at IS NULL AND closed IS NULL")  # the answer may still have to be shown


class Caption(Base):
    """One request and its sentence. "Another one" is a new row with the same photo, so a vote means one sentence."""

    __tablename__ = "captions"
    __table_args__ = (
        Index("ix_captions_state", "state", "queued_at"),
        Index("ix_captions_undelivered", "front_end", "finished_at", sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_captions_reuse", "photo_id", "model_version"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(22), unique=True, default=new_public_id)
    photo_id: Mapped[int] = mapped_column(ForeignKey("photos.id", ondelete="CASCADE"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)

    # How it was asked
    front_end: Mapped[str] = mapped_column(String(20))  # web, telegram, discord
    # The platform's name of the message, interaction or upload: seen twice it makes one row.
    source: Mapped[str | None] = mapped_column(BYTEWISE, unique=True)
    chat: Mapped[str | None] = mapped_column(String(200), index=True)  # key of the chat; None in private
    album: Mapped[str | None] = mapped_column(String(200), index=True)  # photos that get one numbered answer
    position: Mapped[int] = mapped_column(default=0)  # in the album
    reply_to: Mapped[dict[str, Any]] = mapped_column(default=dict)  # all the front-end needs to answer
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)  # service.Options
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("captions.id", ondelete="SET NULL"), index=True)
    rank: Mapped[int] = mapped_column(default=0)  # 0 the best sentence, n the n-th "another one"
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)

    # The work
    state: Mapped[State] = mapped_column(enum_column(State), default=State.QUEUED)
    queued_at: Mapped[datetime] = mapped_column(default=now)  # when its id last went to the broker
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(200))
    lease_until: Mapped[datetime | None] = mapped_column(index=True)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None] = mapped_column(index=True)
    error: Mapped[str | None]  # for people, a kind sentence; only of failed captions

    # The sentence
    text: Mapped[str | None]
    confidence: Mapped[float | None]
    hedged: Mapped[bool] = mapped_column(default=False)
    is_photo: Mapped[bool] = mapped_column(default=True)  # False: blank, a screenshot, a page of text
    words: Mapped[list[str] | None]
    # The correction whose sentence this is; None: the model said it. As a foreign key it would close a circle.
    remembered_from: Mapped[int | None] = mapped_column(index=True)
    alternatives: Mapped[list[str] | None]  # the next best sentences, best first
    attention: Mapped[dict[str, Any] | None]  # {"rows": 7, "columns": 7, "maps": a list of 0..255 a word, row by row}
    model_version: Mapped[str | None] = mapped_column(String(100), index=True)
    milliseconds: Mapped[float | None]  # in the engine, of the batch it was in
    encode_milliseconds: Mapped[float | None]  # of these, in the encoder
    batch_size: Mapped[int | None]

    # The answer
    delivery_lease_until: Mapped[datetime | None]
    delivery_attempts: Mapped[int] = mapped_column(default=0)
    deliver_after: Mapped[datetime | None]  # a platform asked us to wait
    delivered_at: Mapped[datetime | None]
    closed: Mapped[str | None]  # why it will never be delivered: blocked, message deleted, token expired
    # Where the answer stands, so that a reaction to it finds the row: "telegram:CHAT/MESSAGE". Several captions of an
    # album stand in one message.
    message: Mapped[str | None] = mapped_column(String(200), index=True)

    photo: Mapped[Photo] = relationship()
    person: Mapped[Person] = relationship()
    parent: Mapped["Caption | None"] = relationship(remote_side=[id])
    votes: Mapped[list["Vote"]] = relationship(back_populates="caption", passive_deletes=True)
    corrections: Mapped[list["Correction"]] = relationship(back_populates="caption", passive_deletes=True)


class Vote(Base):
    """A thumb. One a person and caption, the last one counts."""

    __tablename__ = "votes"
    __table_args__ = (UniqueConstraint("caption_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    caption_id: Mapped[int] = mapped_column(ForeignKey("captions.id", ondelete="CASCADE"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    value: Mapped[int]  # +1 or -1
    voted_at: Mapped[datetime] = mapped_column(default=now)

    caption: Mapped[Caption] = relationship(back_populates="votes")
    person: Mapped[Person] = relationship()


class Correction(Base):
    """A better sentence. One a person and caption, the last one counts."""

    __tablename__ = "corrections"
    __table_args__ = (UniqueConstraint("caption_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    caption_id: Mapped[int] = mapped_column(ForeignKey("captions.id", ondelete="CASCADE"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    text: Mapped[str]
    review: Mapped[Review] = mapped_column(enum_column(Review), default=Review.PENDING)
    reason: Mapped[str | None]  # why it was quarantined
    # The admin who decided. Accepted by nobody, it is remembered for its writer and chat alone, else for everybody.
    reviewed_by: Mapped[str | None] = mapped_column(String(200))
    written_at: Mapped[datetime] = mapped_column(default=now)

    caption: Mapped[Caption] = relationship(back_populates="corrections")
    person: Mapped[Person] = relationship()


class Model(Base):
    """A model folder in the model store that the registry knows."""

    __tablename__ = "models"

    version: Mapped[str] = mapped_column(String(100), primary_key=True)
    folder: Mapped[str]  # path or URL
    passed: Mapped[bool] = mapped_column(default=False)  # by the judge; only these can be promoted
    metrics: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Registry(Base):
    """Which model serves: one row, id 1. Without it the bundled one does."""

    __tablename__ = "registry"

    id: Mapped[int] = mapped_column(primary_key=True)
    stable: Mapped[str | None] = mapped_column(ForeignKey("models.version"))  # None: the bundled one
    previous: Mapped[str | None] = mapped_column(ForeignKey("models.version"))  # where a rollback goes; None: bundled
    canary: Mapped[str | None] = mapped_column(ForeignKey("models.version"))
    canary_percent: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[datetime] = mapped_column(default=now)


class RegistryEvent(Base):
    """What was done to the registry, by whom."""

    __tablename__ = "registry_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
    kind: Mapped[str] = mapped_column(String(20))  # registered, promoted, canary, rolled_back, refused
    version: Mapped[str | None] = mapped_column(String(100))
    by: Mapped[str] = mapped_column(String(200))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Worker(Base):
    """A worker's heartbeat, and the model versions it holds."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)  # host:pid:random
    started_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now, index=True)
    engine: Mapped[str] = mapped_column(String(50))
    versions: Mapped[list[str]] = mapped_column(default=list)


class Lease(Base):
    """A task that one process at a time may do, such as clearing away or learning."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    holder: Mapped[str] = mapped_column(String(200))
    until: Mapped[datetime]
