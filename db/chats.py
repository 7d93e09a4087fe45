"""Groups and channels and their switches. The key of a Discord channel is SERVER/CHANNEL, that of a server SERVER."""

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.tables import Chat, now
from db.upsert import insert


def find(session: Session, key: str) -> Chat | None:
    """The chat with this key, if anything was ever switched there."""
    return session.scalar(select(Chat).where(Chat.key == current(session, key)))


def current(session: Session, key: str) -> str:
    """The key of a chat today. A chat that got another identity has another one, see chat_moves.py."""
    return session.scalar(select(Chat.moved_to).where(Chat.key == key)) or key


def change(session: Session, key: str, **changes: bool) -> Chat:
    """Set `auto` or `remind_alt_text`, creating the row if needed. The chat and its server no longer count as left."""
    key = current(session, key)
    session.execute(update(Chat).where(Chat.key == key.rpartition("/")[0]).values(left_at=None))
    columns = changes | {"left_at": None}
    row = insert(session, Chat).values(key=key, **columns).on_conflict_do_update(index_elements=["key"], set_=columns)
    return session.scalars(row.returning(Chat), execution_options={"populate_existing": True}).one()


def leave(session: Session, key: str) -> None:
    """Note that the bot was removed from a chat, or from a server with all of its channels (KEY/...).

    retention.py deletes their data later. A chat without a row gets one, because it may have captions.
    """
    session.execute(insert(session, Chat).values(key=key).on_conflict_do_nothing(index_elements=["key"]))
    left = update(Chat).where(at_or_below(Chat.key, key), Chat.left_at.is_(None), Chat.moved_to.is_(None))
    session.execute(left.values(left_at=now(), auto=False))


def at_or_below(
    column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None], key: str
) -> ColumnElement[bool]:
    """A condition: the column is the key of this chat, or of a channel of this server."""
    return or_(column == key, column.startswith(f"{key}/", autoescape=True))
