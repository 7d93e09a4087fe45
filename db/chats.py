"""Groups and channels, and what is switched on there. A server's key is its channels' up to the slash."""

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.tables import Chat, now
from db.upsert import insert


def find(session: Session, key: str) -> Chat | None:
    return session.scalar(select(Chat).where(Chat.key == key))


def change(session: Session, key: str, **changes: bool) -> Chat:
    """Set auto or remind_alt_text, of a new chat too. A chat that was left, and its server, are no longer."""
    session.execute(update(Chat).where(Chat.key == key.rpartition("/")[0]).values(left_at=None))
    what = changes | {"left_at": None}
    row = insert(session, Chat).values(key=key, **what).on_conflict_do_update(index_elements=["key"], set_=what)
    return session.scalars(row.returning(Chat), execution_options={"populate_existing": True}).one()


def leave(session: Session, key: str) -> None:
    """The bot was removed from a chat, or from a server with all of its channels (KEY/...): see retention.py.

    What was never switched on has no row yet; it gets one, since it may have captions.
    """
    session.execute(insert(session, Chat).values(key=key).on_conflict_do_nothing(index_elements=["key"]))
    left = update(Chat).where(at_or_below(Chat.key, key), Chat.left_at.is_(None))
    session.execute(left.values(left_at=now(), auto=False))


def at_or_below(
    column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None], key: str
) -> ColumnElement[bool]:
    """Whether a column names this chat, or a channel of this server."""
    return or_(column == key, column.startswith(f"{key}/", autoescape=True))
