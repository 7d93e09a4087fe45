"""The tables of the database. One row of `captions` is both the request, the job and the result.

Primary keys are integers; `public_id`, which is random, is the only identifier shown to users. Times are in UTC.
"""

import enum
import secrets
from datetime import datetime
from typing import Any, ClassVar, TypeAlias

from sqlalchemy import ForeignKey, Index, MetaData, String, UniqueConstraint, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from db.caption_options import CaptionOptions
from db.clock import now as now  # the default of columns with times
from db.column_types import BYTEWISE, JsonOf, OptionalJson, UtcDateTime, enum_column
from db.preferences import Preferences

ReplyTo: TypeAlias = dict[str, Any]  # where an answer goes. Each front-end defines its contents; to others it is opaque


def new_public_id() -> str:
    """16 random bytes, 22 characters of URL-safe base64."""
    return secrets.token_urlsafe(16)


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


class State(enum.StrEnum):
    """The state of a caption."""

    QUEUED = "queued"
    RUNNING = "running"  # claimed by a worker until its lease expires
    DONE = "done"
    FAILED = "failed"


class Review(enum.StrEnum):
    """Whether a correction may be used for training."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    QUARANTINED = "quarantined"


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


class Photo(Base):
    """A photo. Equal photos have one row."""

    __tablename__ = "photos"

    id: Mapped[int] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)  # of the stored file; also its name in the photo store
    width: Mapped[int]
    height: Mapped[int]
    bytes: Mapped[int]
    perceptual_hash: Mapped[str | None] = mapped_column(String(16))  # see perceptual_hash.py; None: not computed
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_sent_at: Mapped[datetime] = mapped_column(default=now, index=True)  # the retention time starts here
    dropped_at: Mapped[datetime | None]  # when its file was deleted

    @property
    def is_new(self) -> bool:
        """Whether it was sent only once, so that it cannot have earlier captions."""
        return self.last_sent_at == self.created_at


OPEN = text("delivered_at IS NULL AND closed IS NULL")  # not delivered yet, and may still be


class Caption(Base):
    """One request and its result. "Another one" is a new row with the same photo, so a vote refers to one sentence."""

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

    # The request
    front_end: Mapped[str] = mapped_column(String(20))  # web, telegram, discord
    # Id of the message, interaction or upload on its platform. Each source gets one row, however often it arrives.
    source: Mapped[str | None] = mapped_column(BYTEWISE, unique=True)
    chat: Mapped[str | None] = mapped_column(String(200), index=True)  # key of the chat; None in a private chat
    album: Mapped[str | None] = mapped_column(
        String(200), index=True
    )  # photos of the same album get one numbered answer
    position: Mapped[int] = mapped_column(default=0)  # in the album
    reply_to: Mapped[ReplyTo] = mapped_column(OptionalJson, default=dict)
    options: Mapped[CaptionOptions] = mapped_column(JsonOf(CaptionOptions), default=CaptionOptions)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("captions.id", ondelete="SET NULL"), index=True)
    rank: Mapped[int] = mapped_column(default=0)  # 0 the best sentence, n the n-th "another one"
    # Name of the file as its sender knows it, for their own list; it is deleted with the caption.
    file_name: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=now, index=True)

    # The job
    state: Mapped[State] = mapped_column(enum_column(State), default=State.QUEUED)
    queued_at: Mapped[datetime] = mapped_column(default=now)  # when its id was last sent to the broker
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(200))
    lease_until: Mapped[datetime | None] = mapped_column(index=True)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None] = mapped_column(index=True)
    error: Mapped[str | None]  # shown to people; only of failed captions

    # The result
    text: Mapped[str | None]
    confidence: Mapped[float | None]
    hedged: Mapped[bool] = mapped_column(default=False)
    is_photo: Mapped[bool] = mapped_column(default=True)  # False: blank, a screenshot, a page of text
    words: Mapped[list[str] | None]
    # Id of the correction that this caption repeats; None: a model made it. Not a foreign key: that would be circular.
    remembered_from: Mapped[int | None] = mapped_column(index=True)
    alternatives: Mapped[list[str] | None]  # other sentences of the beam search, best first
    attention: Mapped[dict[str, Any] | None]  # {"rows": 7, "columns": 7, "maps": for each word a list of 0..255}
    model_version: Mapped[str | None] = mapped_column(String(100), index=True)
    milliseconds: Mapped[float | None]  # time of its batch in the engine
    encode_milliseconds: Mapped[float | None]  # of this, in the image encoder
    batch_size: Mapped[int | None]

    # The delivery
    delivery_lease_until: Mapped[datetime | None]
    delivery_attempts: Mapped[int] = mapped_column(default=0)
    deliver_after: Mapped[datetime | None]  # not before: the platform asked to wait, or a try failed
    delivered_at: Mapped[datetime | None]
    closed: Mapped[str | None]  # why it cannot be delivered, for example: blocked, message deleted
    # The message that shows the caption, "telegram:CHAT/MESSAGE"; reactions to it are looked up by it. All captions of
    # an album share one message.
    message: Mapped[str | None] = mapped_column(String(200), index=True)

    photo: Mapped[Photo] = relationship()
    person: Mapped[Person] = relationship()
    parent: Mapped["Caption | None"] = relationship(remote_side=[id])
    votes: Mapped[list["Vote"]] = relationship(back_populates="caption", passive_deletes=True)
    corrections: Mapped[list["Correction"]] = relationship(back_populates="caption", passive_deletes=True)


class Vote(Base):
    """A thumb up or down. Each person has at most one vote for a caption, the latest."""

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
    """A better sentence. Each person has at most one correction of a caption, the latest."""

    __tablename__ = "corrections"
    __table_args__ = (UniqueConstraint("caption_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    caption_id: Mapped[int] = mapped_column(ForeignKey("captions.id", ondelete="CASCADE"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    text: Mapped[str]
    review: Mapped[Review] = mapped_column(enum_column(Review), default=Review.PENDING)
    reason: Mapped[str | None]  # why it was quarantined
    # The admin who decided. Until then an accepted correction is reused only for its writer and chat.
    reviewed_by: Mapped[str | None] = mapped_column(String(200))
    written_at: Mapped[datetime] = mapped_column(default=now)

    caption: Mapped[Caption] = relationship(back_populates="corrections")
    person: Mapped[Person] = relationship()


class Model(Base):
    """A model in the registry."""

    __tablename__ = "models"

    version: Mapped[str] = mapped_column(String(100), primary_key=True)
    folder: Mapped[str]  # path or URL
    passed: Mapped[bool] = mapped_column(default=False)  # its evaluation; only such models can be promoted
    metrics: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=now)


class Registry(Base):
    """Which model serves: one row with id 1. Without it the bundled model serves."""

    __tablename__ = "registry"

    id: Mapped[int] = mapped_column(primary_key=True)
    stable: Mapped[str | None] = mapped_column(ForeignKey("models.version"))  # None: the bundled model
    previous: Mapped[str | None] = mapped_column(ForeignKey("models.version"))  # target of a rollback; None: bundled
    canary: Mapped[str | None] = mapped_column(ForeignKey("models.version"))
    canary_percent: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[datetime] = mapped_column(default=now)


class RegistryEvent(Base):
    """A change of the registry, and who made it."""

    __tablename__ = "registry_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
    kind: Mapped[str] = mapped_column(String(20))  # registered, promoted, canary, rolled_back, refused
    version: Mapped[str | None] = mapped_column(String(100))
    by: Mapped[str] = mapped_column(String(200))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Worker(Base):
    """The last heartbeat of a worker, and the model versions that it has loaded."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)  # host:pid:random
    started_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime] = mapped_column(default=now, index=True)
    engine: Mapped[str] = mapped_column(String(50))
    versions: Mapped[list[str]] = mapped_column(default=list)


class Lease(Base):
    """A task that only one process at a time may do, such as maintenance or training."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(50), primary_key=True)
    holder: Mapped[str] = mapped_column(String(200))
    until: Mapped[datetime]


class KeptExport(Base):
    """An export of feedback that lies in a folder, or is being written: whose data it contains."""

    __tablename__ = "exports"

    id: Mapped[int] = mapped_column(primary_key=True)
    folder: Mapped[str]  # absolute path
    draft: Mapped[str | None]  # the folder in which it is being written; None: it is complete
    people: Mapped[list[int]] = mapped_column(OptionalJson)  # row ids
    created_at: Mapped[datetime] = mapped_column(default=now)


class Erasure(Base):
    """What is still to be deleted of somebody whose rows are gone. The row is deleted when nothing is left."""

    __tablename__ = "erasures"

    id: Mapped[int] = mapped_column(primary_key=True)
    asked_at: Mapped[datetime] = mapped_column(default=now)
    photos: Mapped[list[str]]  # SHA-256 of photos that no row needed when they were listed
    folders: Mapped[list[str]]  # exports, and drafts of exports


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
