"""Moves what is stored under the key of a chat to another key, as when a Telegram group becomes a supergroup.

The keys of messages stay as they are. A supergroup numbers its messages anew, so under the new key they would be the
keys of other messages.
"""

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from db import people
from db.tables import Caption, Chat, Correction, Person, Vote
from db.upsert import insert


def move(session: Session, old: str, new: str) -> None:
    """Move a chat's switches once, and its captions, votes and corrections whenever some are left under the old key.

    Calling it again is harmless: switches that were changed under the new key meanwhile stay. The old key remains as a
    row that leads to the new one, see `chats.current`.
    """
    session.execute(insert(session, Chat).values(key=old).on_conflict_do_nothing(index_elements=["key"]))
    before = session.scalars(select(Chat).where(Chat.key == old).with_for_update()).one()
    if before.moved_to is None:
        row = insert(session, Chat).values(key=new, auto=before.auto, remind_alt_text=before.remind_alt_text)
        both = {
            "auto": or_(Chat.auto, row.excluded.auto),
            "remind_alt_text": or_(Chat.remind_alt_text, row.excluded.remind_alt_text),
        }
        session.execute(row.on_conflict_do_update(index_elements=["key"], set_=both))
        before.moved_to, before.auto, before.left_at = new, False, None
    here = select(Caption.id).where(Caption.chat == old).order_by(Caption.id).with_for_update(key_share=True)
    session.execute(update(Caption).where(Caption.id.in_(session.scalars(here).all())).values(chat=new))
    _move_person(session, old, new)


def _move_person(session: Session, old: str, new: str) -> None:
    """Administrators who stay anonymous write in the name of the chat, which is then a person with the chat's key."""
    before, after = people.find(session, old), people.find(session, new)
    if before is None:
        return
    if after is None:
        before.key = new
        return
    for table in (Vote, Correction):
        rated = select(table.caption_id).where(table.person_id == after.id)
        theirs = update(table).where(table.person_id == before.id, table.caption_id.not_in(rated))
        session.execute(theirs.values(person_id=after.id))
    session.execute(update(Caption).where(Caption.person_id == before.id).values(person_id=after.id))
    session.execute(delete(Person).where(Person.id == before.id))
