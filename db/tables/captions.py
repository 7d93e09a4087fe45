"""Tables of captions and of what people say of them. One row of `captions` is the request, the job and the result."""

import enum
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.caption_options import CaptionOptions
from db.clock import now
from db.column_types import BYTEWISE, JsonOf, OptionalJson, enum_column
from db.tables.base import Base, new_public_id
from db.tables.people import Person
from db.tables.photos import Photo

ReplyTo: TypeAlias = dict[str, Any]  # where an answer goes. Each front-end defines its contents; to others it is opaque
OPEN = text("delivered_at IS NULL AND closed IS NULL")  # not delivered yet, and may still be


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
