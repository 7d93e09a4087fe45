"""Whose photo is described next: people take turns, and so do chats, however many photos each of them has waiting."""

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from db.tables import Caption, State

LOCK = 4_170_323  # key of the PostgreSQL advisory lock; an arbitrary number


def whose_turn(session: Session, count: int) -> list[int]:
    """Ids of the queued captions whose turn it is, at most so many.

    The first photo of each person comes before anybody's second, the second before anybody's third. What is being
    described counts as well, so that a person who has many in work lets others go first. The same holds between chats:
    those who share a chat also share its turns. Of captions with the same turn the older comes first. Suspects have no
    turn: see suspects.py.
    """
    queued = Caption.state == State.QUEUED
    of_person = func.row_number().over(partition_by=Caption.person_id, order_by=(queued, Caption.id))
    has_turn = (queued & (Caption.attempts == 0)).label("has_turn")
    columns = Caption.id, Caption.chat, queued.label("queued"), has_turn, of_person.label("of_person")
    people = select(*columns).where(Caption.state.in_([State.QUEUED, State.RUNNING])).subquery()
    turn_in_chat = people.c.queued, people.c.of_person, people.c.id
    of_chat = func.row_number().over(partition_by=people.c.chat, order_by=turn_in_chat)
    chats = select(people, of_chat.label("of_chat")).subquery()
    is_later = chats.c.chat.is_not(None) & (chats.c.of_chat > chats.c.of_person)
    turn = case((is_later, chats.c.of_chat), else_=chats.c.of_person)
    return list(session.scalars(select(chats.c.id).where(chats.c.has_turn).order_by(turn, chats.c.id).limit(count)))


def newcomers(session: Session, count: int) -> list[int]:
    """Ids of the oldest queued captions of people of whom nothing is being described, nor of their chats.

    At most one of each person, and at most so many.
    """
    running = Caption.state == State.RUNNING
    chats = select(Caption.chat).where(running, Caption.chat.is_not(None))
    is_new = Caption.person_id.not_in(select(Caption.person_id).where(running))
    is_elsewhere = Caption.chat.is_(None) | Caption.chat.not_in(chats)
    oldest = select(func.min(Caption.id)).where(
        Caption.state == State.QUEUED, Caption.attempts == 0, is_new, is_elsewhere
    )
    return list(session.scalars(oldest.group_by(Caption.person_id).order_by(func.min(Caption.id)).limit(count)))


def take_turns(session: Session) -> None:
    """Let this transaction choose after those that choose now, so that no two choose the same captions.

    SQLite has one writer at a time anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(LOCK)))
