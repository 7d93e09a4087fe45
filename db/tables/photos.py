"""The table of photos. Their files are in the photo store, see photo_store.py."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from db.clock import now
from db.tables.base import Base


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
