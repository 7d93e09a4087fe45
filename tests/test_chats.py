from sqlalchemy import select
from sqlalchemy.orm import Session

from db import chats
from db.tables import Chat


def left(session: Session) -> set[str]:
    session.expire_all()
    return set(session.scalars(select(Chat.key).where(Chat.left_at.is_not(None))))


def test_what_is_switched_on_in_a_new_chat_leaves_the_rest_off(session: Session):
    chat = chats.change(session, "telegram:-1", auto=True)
    assert (chat.auto, chat.remind_alt_text) == (True, False)
    assert chats.find(session, "telegram:-1") == chat


def test_a_change_leaves_what_was_set_before(session: Session):
    chats.change(session, "telegram:-1", auto=True)
    chat = chats.change(session, "telegram:-1", remind_alt_text=True)
    assert (chat.auto, chat.remind_alt_text) == (True, True)


def test_leaving_a_server_leaves_its_channels_and_switches_them_off(session: Session):
    for key in ("discord:1/5", "discord:1/6", "discord:12/5"):
        chats.change(session, key, auto=True)
    chats.leave(session, "discord:1")
    assert left(session) == {"discord:1", "discord:1/5", "discord:1/6"}
    assert not chats.change(session, "discord:1/5").auto


def test_leaving_twice_keeps_the_first_time(session: Session):
    chats.leave(session, "telegram:-1")
    first = session.scalars(select(Chat.left_at)).one()
    chats.leave(session, "telegram:-1")
    session.expire_all()
    assert session.scalars(select(Chat.left_at)).one() == first


def test_a_chat_that_is_set_again_is_no_longer_left_nor_is_its_server(session: Session):
    chats.change(session, "discord:1/6")
    chats.leave(session, "discord:1")
    chats.change(session, "discord:1/5", auto=True)
    assert left(session) == {"discord:1/6"}
